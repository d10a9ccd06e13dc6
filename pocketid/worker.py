"""gunicorn's threads, which nobody can hold by sending or taking nothing, or next to nothing."""

import errno
import socket
import struct
import time
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

SILENCE = 10  # seconds in which nothing arrives, or nothing is taken
PATIENCE = 20.0  # seconds that may be waited in all for a request or its answer, ...
PACE = 2048  # ... and bytes that earn one more: who is no slower than this may take as long as it takes


class _Connection(socket.socket):
    """Blocking as gunicorn wants it, but not for ever: who falls silent, or is slower than any line, counts as gone.

    A timeout of Python's own would not last: gunicorn makes the socket blocking before each request.
    """

    def __init__(self, accepted: socket.socket) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        self._patience = PATIENCE
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", SILENCE, 0))

    def setblocking(self, flag: bool) -> None:
        """gunicorn's sign that a thread begins with a request."""
        self._patience = PATIENCE
        super().setblocking(flag)

    def recv(self, *arguments: Any) -> bytes:  # noqa: ANN401 - as socket has it
        began = time.monotonic()
        try:
            received = super().recv(*arguments)
        except BlockingIOError:
            raise self._gone() from None
        self._waited(began, len(received))
        return received

    def sendall(self, data: Any, *flags: int) -> None:  # noqa: ANN401 - bytes in any form, as socket has it
        rest = memoryview(data)
        while rest:
            began = time.monotonic()
            try:
                sent = super().send(rest, *flags)
            except BlockingIOError:
                raise self._gone() from None
            rest = rest[sent:]
            self._waited(began, sent)

    def _waited(self, began: float, size: int) -> None:
        """Raise ``ConnectionResetError`` when the patience is used up."""
        self._patience = min(PATIENCE, self._patience - (time.monotonic() - began) + size / PACE)
        if self._patience < 0:
            raise self._gone()

    def _gone(self) -> OSError:
        return ConnectionResetError(errno.ECONNRESET, "silent, or slower than any line")


class Worker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    def accept(self, listener: socket.socket) -> None:
        try:
            accepted, address = listener.accept()
        except OSError as problem:  # another worker was faster, or the visitor has gone again
            if problem.errno not in (errno.EAGAIN, errno.ECONNABORTED):
                raise
            return
        accepted.setblocking(True)
        self.nr_conns += 1
        connection = TConn(self.cfg, _Connection(accepted), address, listener.getsockname())
        # Browsers connect before they have anything to ask. gunicorn's own way gives each such connection a thread for 5 s.
        connection.set_timeout()
        self.pending_conns.append(connection)
        self.poller.register(connection.sock, EVENT_READ, partial(self.on_pending_socket_readable, connection))

    def _cap_keepalive(self, deadline: float) -> None:
        """Asked to end: who has not asked for anything yet is no reason to stay longer either."""
        super()._cap_keepalive(deadline)
        for connection in self.pending_conns:
            connection.timeout = min(connection.timeout, deadline)
