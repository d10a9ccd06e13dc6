"""Bodies whose length the sender does not say (RFC 9112 section 7.1) are read as all others are."""

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from core.logs import LineFormatter, StrangersNoise
from pocketid.handler import IN_MEMORY, LARGEST, measure
from tests.oidc.app import http
from tests.support.fixtures import Site


class Broken(io.RawIOBase):
    """A sender who breaks off, as servers tell it."""

    def read(self, size: int = -1) -> bytes:
        raise ConnectionResetError


def measured(body: Any, *, is_whole: bool = True) -> tuple[int, bytes]:
    """What Django finds of a chunked body: its length, and itself."""
    environ = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": body}
    assert measure(environ) == is_whole
    return int(environ["CONTENT_LENGTH"]), environ["wsgi.input"].read()


@pytest.mark.parametrize("body", [b"", b"a", b"grant_type=authorization_code&client_id=nobody", b"a" * (IN_MEMORY + 1)])
def test_a_body_is_read_to_its_end(body: bytes) -> None:
    assert measured(io.BytesIO(body)) == (len(body), body)


def test_half_a_body_is_none() -> None:
    assert measured(Broken(), is_whole=False) == (0, b"")


def test_what_has_no_end_is_left_unread() -> None:
    endless = io.BytesIO(b"a" * (LARGEST * 2))
    length, _body = measured(endless, is_whole=False)
    assert LARGEST < length == endless.tell() < LARGEST * 1.1


def in_pieces() -> Iterator[bytes]:
    """``requests`` sends an iterator in chunks."""
    yield b"grant_type=authorization_"
    yield b"code&client_id=nobody"


@pytest.mark.browser
def test_an_app_may_send_its_form_in_chunks(site: Site) -> None:
    response = requests.post(
        f"{site.server.base_url}/api/oidc/token",
        data=in_pieces(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        timeout=10,
    )
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


def test_what_a_stranger_sends_is_one_line_in_the_log(db: None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.addFilter(StrangersNoise())
    response = http().post("/api/oidc/token", b"a" * (IN_MEMORY * 2), content_type="application/x-www-form-urlencoded")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    [record] = [each for each in caplog.records if each.name.startswith("django.security")]
    assert record.levelno == logging.WARNING
    assert "Traceback" not in LineFormatter().format(record)
