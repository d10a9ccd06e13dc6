"""Django's WSGI application, for requests too whose sender does not say how long they are."""

from collections.abc import Callable
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any

from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponseBase

from core.http import BODY_LEFT

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

IN_MEMORY = 1024 * 1024  # bytes
LARGEST = 12 * 1024 * 1024  # bytes: more than the largest picture with the form around it; the rest is not read
_PART = 64 * 1024


class Handler(WSGIHandler):
    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> HttpResponseBase:
        if "HTTP_TRANSFER_ENCODING" in environ and not measure(environ):
            environ[BODY_LEFT] = True
        return super().__call__(environ, partial(_start, environ, start_response))


def _start(
    environ: "WSGIEnvironment",
    start_response: "StartResponse",
    status: str,
    headers: list[tuple[str, str]],
    *error: Any,  # noqa: ANN401 - as WSGI has it
) -> Callable[[bytes], object]:
    """Say that the connection ends with this answer when some of the body was left on it (RFC 9112 section 9.6).

    The server would cut it without a word, and the next request would get no answer.
    """
    if BODY_LEFT in environ:
        force_close = getattr(getattr(start_response, "__self__", None), "force_close", None)
        if force_close is not None:
            force_close()  # gunicorn, which says it itself and drops the header of anybody else
        else:
            headers = [*headers, ("Connection", "close")]
    return start_response(status, headers, *error)


def measure(environ: "WSGIEnvironment") -> bool:
    """Read a chunked body (RFC 9112 section 7.1) and say how long it is; whether it was read to its end.

    WSGI has no word for a body without a length, and Django takes it for empty: the app would hear that its
    ``grant_type`` is missing. Proxies send such bodies too, for whoever speaks HTTP/2 with them.
    """
    body = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the request reads it, and forgets it
    is_whole = False
    try:
        while body.tell() <= LARGEST and not is_whole:
            part = environ["wsgi.input"].read(_PART)
            body.write(part)
            is_whole = not part
    except OSError:  # Broken off, or no chunks: half a body is none.
        body.seek(0)
        body.truncate()
    environ["CONTENT_LENGTH"] = str(body.tell())
    body.seek(0)
    environ["wsgi.input"] = body
    return is_whole
