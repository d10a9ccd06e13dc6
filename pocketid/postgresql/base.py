"""Django's PostgreSQL backend, on connections that are what the program expects: alive, and set up alike everywhere.

Settings name the package, and Django looks for ``DatabaseWrapper`` in its module ``base``.
"""

import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg import Connection

# What an operator may have set for the server, the database or the role, for the sake of other programs. Times in
# another style cannot be read; in a stricter isolation every race would end in an error where our statements decide it.
EXPECTED = {
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
}
_SET_UP = "SELECT " + ", ".join(f"set_config('{name}', '{value}', false)" for name, value in EXPECTED.items())


class DatabaseWrapper(base.DatabaseWrapper):
    def _configure_connection(self, connection: "Connection[Any]") -> bool:
        super()._configure_connection(connection)  # type: ignore[misc] # Django's stubs leave it out
        # By a statement and not by libpq's ``options``, which poolers in between refuse.
        connection.execute(_SET_UP)
        return True

    def close_if_unusable_or_obsolete(self) -> None:
        """Django calls it before each request: then a connection that was cut meanwhile is replaced before anything is asked.

        The server's restart or an administrator would otherwise cost each kept connection one request. Nothing is sent for
        it, and nothing that was asked is asked twice.
        """
        super().close_if_unusable_or_obsolete()
        if self.connection is not None and not self.in_atomic_block and not _is_silent(self.connection):
            self.close()


def _is_silent(connection: "Connection[Any]") -> bool:
    """Whether nothing came since the last answer: the other side speaks unasked to say goodbye, and about little else."""
    if connection.closed:
        return False
    waiting = select.poll()
    waiting.register(connection.pgconn.socket, select.POLLIN)
    return not waiting.poll(0)
