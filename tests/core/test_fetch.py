"""What this server asks others on behalf of somebody else, and what it never asks (attacks.md F8)."""

import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from core.fetch import AddressRefused, AnswerTooLarge, FetchFailed, fetch, may_connect
from tests.api.apps.local_server import LocalServer

LOOPBACK = ("loopback",)

pytestmark = pytest.mark.spec("attacks.md", "F8")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        name, _, rest = self.path.lstrip("/").partition("/")
        getattr(self, name.partition("?")[0] or "hello")(rest)

    do_POST = do_GET  # noqa: N815 - its name in the standard library

    def answer(self, body: bytes = b"", *, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for key, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def hello(self, rest: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.answer(f"{self.command} {self.path} {self.headers['Host']} {body.decode()}".encode(), X_Kind="hello")

    def to(self, rest: str) -> None:
        self.answer(status=302, Location=rest.replace("+", "/"))

    def round(self, rest: str) -> None:
        self.answer(status=302, Location=f"/round/{int(rest) - 1}" if int(rest) else "/hello")

    def large(self, rest: str) -> None:
        self.answer(bytes(2000))

    def endless(self, rest: str) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        for _ in range(1000):
            self.wfile.write(b"x" * 100)
            self.wfile.flush()
            time.sleep(float(rest or 0))

    def silent(self, rest: str) -> None:
        time.sleep(3)

    def drips(self, rest: str) -> None:
        for character in b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 500:
            self.wfile.write(bytes([character]))
            self.wfile.flush()
            time.sleep(0.05)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer(Handler) as running:
        yield running


def test_an_answer_comes_with_status_headers_and_body(server: LocalServer) -> None:
    answer = fetch(f"{server.url}/hello?a=ü b", allowed=LOOPBACK, max_bytes=1000)
    assert (answer.status, answer.headers["x-kind"]) == (200, "hello")
    assert answer.body == f"GET /hello?a=%C3%BC%20b localhost:{server.port} ".encode()
    posted = fetch(f"{server.url}/hello", method="POST", body=b"a=b", allowed=LOOPBACK, max_bytes=1000)
    assert posted.body.endswith(b" a=b")


def test_our_own_network_is_closed_unless_opened(server: LocalServer) -> None:
    for allowed in ((), ("private",), ("other.example",), ("10.0.0.0/8",)):
        with pytest.raises(AddressRefused):
            fetch(f"{server.url}/hello", allowed=allowed, max_bytes=1000)
    for opened in (("loopback",), ("localhost",), ("127.0.0.0/8", "::1"), ("LOCALHOST",)):
        assert fetch(f"{server.url}/hello", allowed=opened, max_bytes=1000).status == 200


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "0", "[::1]", "[::ffff:127.0.0.1]", "[::]", "localhost."]
)
def test_no_spelling_of_this_machine_gets_through(server: LocalServer, host: str) -> None:
    with pytest.raises(FetchFailed):
        fetch(f"http://{host}:{server.port}/hello", max_bytes=1000)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/",
        "gopher://example.com/",
        "http://",
        "http:///x",
        "https://user:secret@example.com/",
        "http://example.com:99999/",
        "http://[::1",
        "//example.com/",
        "",
        "http://exa\nmple.com/",
    ],
)
def test_other_schemes_and_strange_addresses_are_refused(url: str) -> None:
    with pytest.raises(FetchFailed):
        fetch(url, max_bytes=1000)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "fe80::1%eth0",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "fd00:ec2::254",
        "100.100.100.200",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "ff02::1",
    ],
)
def test_link_local_and_credential_addresses_are_never_connected_to(address: str) -> None:
    assert not may_connect(address, host="host", allowed=("private", "loopback", "host", "0.0.0.0/0", "::/0"))


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("10.1.2.3", "private"),
        ("192.168.0.1", "private"),
        ("172.16.0.1", "private"),
        ("fd12::1", "private"),
        ("100.64.0.1", "private"),
        ("64:ff9b::a00:1", "private"),
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
    ],
)
def test_private_addresses_need_their_word(address: str, word: str) -> None:
    other = {"private": "loopback", "loopback": "private"}[word]
    assert not may_connect(address)
    assert not may_connect(address, allowed=(other,))
    assert may_connect(address, allowed=(word,))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "2606:4700:4700::1111", "93.184.216.34", "64:ff9b::101:101", "::ffff:1.1.1.1"]
)
def test_public_addresses_are_open(address: str) -> None:
    assert may_connect(address)


def test_each_redirect_is_checked_as_the_first_address_was(server: LocalServer) -> None:
    assert fetch(f"{server.url}/to/+hello", allowed=LOOPBACK, max_bytes=1000).url == f"{server.url}/hello"
    for target in ("http:++169.254.169.254+latest", "http:++10.0.0.1+", "file:+++etc+passwd", "http:++[::1"):
        with pytest.raises(FetchFailed):
            fetch(f"{server.url}/to/{target}", allowed=LOOPBACK, max_bytes=1000)


def test_redirects_end_after_ten_and_are_not_followed_for_a_post(server: LocalServer) -> None:
    assert fetch(f"{server.url}/round/9", allowed=LOOPBACK, max_bytes=1000).status == 200
    with pytest.raises(FetchFailed, match="more than 10 redirects"):
        fetch(f"{server.url}/round/10", allowed=LOOPBACK, max_bytes=1000)
    assert fetch(f"{server.url}/round/1", method="POST", body=b"", allowed=LOOPBACK, max_bytes=1000).status == 302
    assert fetch(f"{server.url}/round/1", max_redirects=0, allowed=LOOPBACK, max_bytes=1000).status == 302


def test_an_answer_is_never_longer_than_asked_for(server: LocalServer) -> None:
    for path in ("large", "endless/0"):
        with pytest.raises(AnswerTooLarge):
            fetch(f"{server.url}/{path}", allowed=LOOPBACK, max_bytes=1999)
    assert len(fetch(f"{server.url}/large", allowed=LOOPBACK, max_bytes=2000).body) == 2000


@pytest.mark.parametrize("path", ["silent", "drips", "endless/0.05"])
def test_a_slow_answer_ends_with_the_time(server: LocalServer, path: str) -> None:
    started = time.monotonic()
    with pytest.raises(FetchFailed, match=r"within 0\.5 seconds"):
        fetch(f"{server.url}/{path}", allowed=LOOPBACK, max_bytes=1_000_000, timeout=0.5)
    assert time.monotonic() - started < 1.5


def test_a_closed_port_and_an_unknown_name_fail_in_words() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(FetchFailed, match="refused"):
            fetch(f"http://127.0.0.1:{port}/", allowed=LOOPBACK, max_bytes=10)
    with pytest.raises(FetchFailed, match="has no address"):
        fetch("http://nobody.invalid/", max_bytes=10)


def test_proxies_of_the_environment_are_not_used(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fetch(f"{server.url}/hello", allowed=LOOPBACK, max_bytes=1000).status == 200


def test_certificates_are_checked_for_the_name_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted, other = _certificate(tmp_path, "localhost"), _certificate(tmp_path, "other.example")
    for certificate, works in ((trusted, True), (other, False)):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        with LocalServer(Handler, tls=context) as server:
            with pytest.raises(FetchFailed, match="CERTIFICATE_VERIFY_FAILED"):
                fetch(f"{server.url}/hello", allowed=LOOPBACK, max_bytes=1000)
            with monkeypatch.context() as trusting:
                trusting.setenv("SSL_CERT_FILE", str(certificate))
                if works:
                    assert fetch(f"{server.url}/hello", allowed=LOOPBACK, max_bytes=1000).status == 200
                else:
                    with pytest.raises(FetchFailed, match="CERTIFICATE_VERIFY_FAILED"):
                        fetch(f"{server.url}/hello", allowed=LOOPBACK, max_bytes=1000)


def _certificate(directory: Path, name: str) -> Path:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
    )
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False).sign(
        key, hashes.SHA256()
    )
    path = directory / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path
