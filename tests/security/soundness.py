"""What every answer to a senseless request has in common."""

from typing import Any


def is_sound(response: Any, what: object) -> bool:
    """A status of the client's fault or of no fault; no trace of ours."""
    assert response.status_code < 500, (what, response.status_code, response.content[:300])
    assert b"Traceback" not in response.content, what
    return True
