"""Django's WSGI application, for requests too whose sender does not say how long they are."""

from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING

from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponseBase

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

IN_MEMORY = 1024 * 1024  # bytes
LARGEST = 12 * 1024 * 1024  # bytes: more than the largest picture with the form around it; the rest is not read
_PART = 64 * 1024


class Handler(WSGIHandler):
    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> HttpResponseBase:
        if "HTTP_TRANSFER_ENCODING" in environ:
            measure(environ)
        return super().__call__(environ, start_response)


def measure(environ: "WSGIEnvironment") -> None:
    """Read a chunked body (RFC 9112 section 7.1) to its end and say how long it is.

    WSGI has no word for a body without a length, and Django takes it for empty: the app would hear that its
    ``grant_type`` is missing. Proxies send such bodies too, for whoever speaks HTTP/2 with them.
    """
    body = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the request reads it, and forgets it
    try:
        while body.tell() <= LARGEST and (part := environ["wsgi.input"].read(_PART)):
            body.write(part)
    except OSError:  # Broken off, or no chunks: half a body is none.
        body.seek(0)
        body.truncate()
    environ["CONTENT_LENGTH"] = str(body.tell())
    body.seek(0)
    environ["wsgi.input"] = body
