"""Attacks on the redirect URI and the authorization request (attacks.md A)."""

from urllib.parse import urlencode, urlsplit

import pytest
from django.core.exceptions import ValidationError
from hypothesis import assume, given
from hypothesis import strategies as st
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from oidc import redirect_uris
from oidc.models import Client, Grant
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import CALLBACK, App, an_app, answer, is_error_page

GOOD = "https://app.example.org/callback"


@pytest.fixture
def at_home(browser: Browser, person: Person, client_app: App) -> Browser:
    browser.sign_in(person)
    client_app.code(browser)
    return browser


def refuses(browser: Browser, app: App, uri: str) -> bool:
    """A page, no redirect, and nothing stored: alone, and with everything an attacker might add."""
    before = Grant.objects.count()
    for extra in (
        {},
        {"response_mode": "form_post"},
        {"prompt": "none"},
        {"response_type": "nonsense"},
        {"scope": "profile"},
    ):
        response = app.ask(browser, redirect_uri=uri, **extra)
        assert is_error_page(response), (uri, extra, response.headers)
    return Grant.objects.count() == before


@pytest.mark.spec("attacks.md", "A1, A2")
@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.org@evil.example/callback",
        "https://app.example.org:x@evil.example/callback",
        "https://app.example.org@a@evil.example/callback",
        "https://user@app.example.org/callback",
        "https://@app.example.org/callback",
        "https://app.example.org%40evil.example/callback",
    ],
)
def test_a1_a_user_name_before_the_host_is_no_host(at_home: Browser, client_app: App, uri: str) -> None:
    assert refuses(at_home, client_app, uri)


@pytest.mark.spec("attacks.md", "A4")
@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.org.evil.example/callback",
        "https://evil.example/https://app.example.org/callback",
        f"{GOOD}/../x",
        f"{GOOD}evil",
        f"{GOOD}/",
        f"{GOOD};x",
        f"{GOOD}/%2e%2e/x",
        "https://app.example.org/callback\\@evil.example",
        "https://evilapp.example.org/callback",
        f"{GOOD}?x=1",
        f"{GOOD}%00",
        f"{GOOD} ",
        f" {GOOD}",
        f"{GOOD}\n",
    ],
)
def test_a4_something_like_the_registered_address_is_another(at_home: Browser, client_app: App, uri: str) -> None:
    assert refuses(at_home, client_app, uri)


@pytest.mark.spec("attacks.md", "A5")
def test_a5_on_loopback_only_the_port_may_differ(at_home: Browser) -> None:
    app = an_app("CLI", redirect_uris="http://127.0.0.1/cb\nhttp://[::1]:7000/cb\nhttp://localhost/cb")
    for wrong in (
        "http://localhost.evil.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1:80@evil.example/cb",
        "https://127.0.0.1/cb",
        "http://127.0.0.2/cb",
        "http://127.0.0.1/cb2",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:8x/cb",
        "http://127.1/cb",
        "http://2130706433/cb",
        "http://0x7f.0.0.1/cb",
        "http://[::ffff:127.0.0.1]/cb",
        "http://LOCALHOST/cb",
        "http://127.0.0.1:8080/cb?x=1",
        "http://127.0.0.1:٨٠/cb",
    ):
        assert refuses(at_home, app, wrong)
    for right in ("http://127.0.0.1:8080/cb", "http://[::1]:1/cb", "http://localhost:65535/cb"):
        assert app.ask(at_home, redirect_uri=right)["Location"].startswith("/interaction")


@pytest.mark.spec("attacks.md", "A6")
@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)",
        "JavaScript://app.example.org/%0aalert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://app.example.org/x",
        "about:blank",
        "view-source:https://app.example.org/",
    ],
)
def test_a6_schemes_that_browsers_run_are_refused_at_registration_and_in_use(at_home: Browser, uri: str) -> None:
    with pytest.raises(ValidationError):
        Client(name="x", redirect_uris=uri).full_clean()
    app = an_app("Evil")
    Client.objects.filter(pk=app.client.pk).update(redirect_uris=uri)  # as if it had come in by an import
    assert refuses(at_home, app, uri)


@pytest.mark.spec("attacks.md", "A8")
def test_a8_a_fragment_is_refused_at_registration_and_in_use(at_home: Browser, client_app: App) -> None:
    with pytest.raises(ValidationError, match="fragment"):
        Client(name="x", redirect_uris=f"{GOOD}#x").full_clean()
    for uri in (f"{GOOD}#", f"{GOOD}#x", f"{GOOD}?#"):
        assert refuses(at_home, client_app, uri)
    Client.objects.filter(pk=client_app.client.pk).update(redirect_uris=f"{GOOD}#x")
    assert refuses(at_home, client_app, f"{GOOD}#x")


@pytest.mark.spec("attacks.md", "A9")
@pytest.mark.parametrize("name", ["redirect_uri", "client_id", "scope", "state", "response_type", "nonce"])
def test_a9_a_parameter_twice_is_used_neither_way(at_home: Browser, client_app: App, name: str) -> None:
    for query in (
        urlencode(client_app.request()) + f"&{name}=evil",
        f"{name}=evil&" + urlencode(client_app.request()),
        urlencode(client_app.request()) + f"&{name}=",
    ):
        assert is_error_page(at_home.get("/authorize?" + query))
        assert is_error_page(at_home.post("/authorize", query, content_type="application/x-www-form-urlencoded"))


@pytest.mark.spec("attacks.md", "A10")
def test_a10_a_redirect_uri_is_never_learnt_from_a_request(at_home: Browser) -> None:
    app = an_app("New", redirect_uris="")
    assert refuses(at_home, app, "https://evil.example/callback")
    app.client.refresh_from_db()
    assert app.client.redirect_uris == ""
    two = an_app("Two", redirect_uris=f"{GOOD}\nhttps://other.example.org/")
    for scope in ("openid", "profile", ""):
        assert is_error_page(two.ask(at_home, redirect_uri=None, scope=scope))


@pytest.mark.spec("attacks.md", "A12")
@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        "https://*",
        "https://*/callback",
        "https://*.org/callback",
        "https://*.*/x",
        "https://app.*/callback",
        "https://app.*.org/x",
        "https://*example.org/callback",
        "*://example.org/callback",
        "https://*:*@example.org/",
        "https://a*b/callback",
        "http://*",
        "**",
        "https://app.example.*",
    ],
)
def test_a12_a_wildcard_for_strangers_hosts_cannot_be_registered(db: None, pattern: str) -> None:
    with pytest.raises(ValidationError):
        Client(name="x", redirect_uris=pattern).full_clean()


@pytest.mark.spec("attacks.md", "A12")
def test_a12_a_wildcard_is_one_label_and_may_be_forbidden(at_home: Browser, settings) -> None:
    app = an_app("Previews", redirect_uris="https://*.example.com/callback")
    assert "Location" in app.ask(at_home, redirect_uri="https://a.example.com/callback").headers
    for wrong in (
        "https://example.com/callback",
        "https://a.b.example.com/callback",
        "https://.example.com/callback",
        "https://a/.example.com/callback",
        "https://evil.example#.example.com/callback",
        "https://evil.example?.example.com/callback",
        "https://evil.example\\.example.com/callback",
        "https://a.example.com:444/callback",
        "https://a%2eb.example.com/callback",
        "https://ü.example.com/callback",
        "https://*.example.com/callback@evil",
    ):
        assert refuses(at_home, app, wrong)
    settings.ALLOW_CALLBACK_WILDCARDS = False
    assert refuses(at_home, app, "https://a.example.com/callback")
    with pytest.raises(ValidationError, match="ALLOW_CALLBACK_WILDCARDS"):
        Client(name="x", redirect_uris="https://*.example.com/callback").full_clean()


@pytest.mark.spec("attacks.md", "A13")
@pytest.mark.parametrize(
    "uri",
    [
        "HTTPS://app.example.org/callback",
        "https://APP.example.org/callback",
        "https://app.example.org/Callback",
        "https://app.example.org:443/callback",
        "https://app.example.org/%63allback",
        "https://app.example.org//callback",
        "https://app.example.org/./callback",
        "https://app.example.org./callback",
        f"{GOOD}?",
        "https://ａpp.example.org/callback",
        "https://app.example.org/callback\u200b",
        "https:/app.example.org/callback",
        "https:app.example.org/callback",
    ],
)
def test_a13_addresses_are_compared_letter_by_letter(at_home: Browser, client_app: App, uri: str) -> None:
    assert refuses(at_home, client_app, uri)


@pytest.mark.spec("attacks.md", "A14")
def test_a14_the_address_of_another_app_is_not_ones_own(at_home: Browser, client_app: App) -> None:
    an_app("Other", redirect_uris="https://other.example.org/callback")
    assert refuses(at_home, client_app, "https://other.example.org/callback")


@pytest.mark.spec("attacks.md", "A16")
def test_a16_request_objects_are_refused(at_home: Browser, client_app: App) -> None:
    assert (
        answer(client_app.ask(at_home, request="eyJhbGciOiJub25lIn0.eyJzY29wZSI6Im9wZW5pZCJ9."))["error"]
        == "request_not_supported"
    )
    assert (
        answer(client_app.ask(at_home, request_uri="http://169.254.169.254/"))["error"] == "request_uri_not_supported"
    )


@pytest.mark.spec("attacks.md", "A18")
def test_a18_enormous_and_unreadable_parameters_are_refused(at_home: Browser, client_app: App) -> None:
    usual = urlencode(client_app.request(state=None, nonce=None))
    for extra in (
        "state=" + "x" * 65536,
        "nonce=" + "n" * 65536,
        "state=%ff%fe",
        "state=%00",
        "state=%ed%a0%80",
        "&".join(f"p{n}=1" for n in range(5000)),
        "state=%",
        "&&&&=&=x",
    ):
        response = at_home.get(f"/authorize?{usual}&{extra}")
        assert response.status_code in (303, 400, 414), extra[:20]
        posted = at_home.post("/authorize", f"{usual}&{extra}", content_type="application/x-www-form-urlencoded")
        assert posted.status_code in (303, 400, 413), extra[:20]


# No URI outside a pattern's origin is ever allowed, as browsers and libraries read it


PATTERNS = [
    "https://app.example.org/callback",
    "https://*.example.org/callback",
    "https://app-*.example.org:*/cb/**",
    "http://127.0.0.1/callback",
    "https://example.org:8443/a/*/b?x=*",
]
TRICKS = st.sampled_from(
    [
        "@",
        ":",
        "/",
        "\\",
        "?",
        "#",
        ".",
        "*",
        "%2e",
        "%40",
        "%5c",
        "%00",
        "\t",
        "\n",
        " ",
        ";",
        "[",
        "]",
        "evil.example",
        "@evil.example",
        "//evil.example/",
        "..",
        "/../",
        "ü",
        "。",
        "／",
        "＠",
        "\u200b",
        "https://",
        "javascript:",
        "a",
        "-",
        "_",
    ]
)
SOUND = [
    "https://app.example.org/callback",
    "https://a.example.org/callback",
    "https://app-1.example.org:444/cb/x/y",
    "http://127.0.0.1:99/callback",
    "https://example.org:8443/a/1/b?x=2",
]


@st.composite
def tricked(draw: st.DrawFn) -> str:
    uri = draw(st.sampled_from(SOUND))
    for _count in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(uri)))
        uri = uri[:place] + draw(TRICKS | st.characters()) + uri[place + draw(st.integers(0, 2)) :]
    return uri


def hosts(uri: str) -> set[str]:
    """The host in the eyes of the standard library, urllib3 and the WHATWG URL standard's first steps (which browsers follow)."""
    found = {urlsplit(uri).hostname or ""}
    try:
        found.add((parse_url(uri).host or "").strip("[]"))
    except LocationParseError:
        found.add("unreadable")
    browsers = "".join(c for c in uri.strip("".join(map(chr, range(33)))) if c not in "\t\n\r").replace("\\", "/")
    authority = browsers.partition(":")[2].lstrip("/").replace("?", "/").replace("#", "/").partition("/")[0]
    return found | {authority.rpartition("@")[2].partition(":")[0].lower()}


@pytest.mark.spec("RFC 9700", "4.1")
@given(uri=tricked())
def test_nothing_outside_a_patterns_origin_is_ever_allowed(uri: str) -> None:
    if not redirect_uris.is_allowed(uri, PATTERNS):
        return
    assume("unreadable" not in hosts(uri))
    (host,) = hosts(uri)
    assert uri.partition(":")[0] in ("https", "http")
    assert host in ("app.example.org", "example.org", "127.0.0.1") or (
        host.endswith(".example.org") and host.count(".") == 2
    )
    assert uri.isascii() or urlsplit(uri).netloc.isascii()


@given(
    uri=st.text(max_size=200) | tricked(),
    patterns=st.lists(st.text(alphabet="https://*.:example@?&=[]", max_size=60), max_size=3),
)
def test_any_text_may_be_compared_with_any_patterns(uri: str, patterns: list[str]) -> None:
    redirect_uris.is_allowed(uri, patterns)


@given(pattern=st.text(alphabet="https://*.:exampl@?&=[]#%\\", max_size=60))
def test_what_may_be_registered_has_a_host_of_its_own(pattern: str) -> None:
    try:
        redirect_uris.check_pattern(pattern)
    except redirect_uris.UnusablePattern:
        return
    assert "@" not in pattern.partition("//")[2].partition("/")[0]
    assert "#" not in pattern


@pytest.mark.spec("attacks.md", "J13")
def test_j13_a_nasty_pattern_takes_no_time() -> None:
    import time

    began = time.perf_counter()
    redirect_uris.is_allowed(
        "https://a.example.org/" + "a/" * 900 + "b",
        ["https://*.example.org/" + "**/a*a*a*a/" * 60 + "c", "https://a.example.org/" + "*a" * 8],
    )
    redirect_uris.is_allowed("https://a.example.org/" + "a" * 1900, ["https://a.example.org/" + "a*" * 200])
    assert time.perf_counter() - began < 0.5


# The table of the contract, as far as attacks.md leaves it


@pytest.mark.spec("Pocket ID contract", "8.6")
@pytest.mark.parametrize(
    ("pattern", "uri", "is_allowed"),
    [
        ("https://example.com/callback", "https://example.com/callback?extra=1", False),
        ("https://*.example.com/callback", "https://sub.example.com/callback", True),
        ("https://app*.example.com/callback", "https://app1.example.com/callback", True),
        ("https://example.com:*/callback", "https://example.com:8080/callback", True),
        ("https://example.com:80*/callback", "https://example.com:8080/callback", True),
        ("https://example.com/api/*/callback", "https://example.com/api/v1/callback", True),
        ("https://example.com/**/callback", "https://example.com/api/v1/foo/bar/callback", True),
        ("https://example.com/**/callback", "https://example.com/callback", False),
        ("https://example.com/*", "https://example.com/", False),
        ("https://example.com/*", "https://example.com/a/b", False),
        ("https://example.com/**", "https://example.com/a/b", True),
        ("https://example.com:*/callback", "https://example.com/callback", True),
        ("http://127.0.0.1/callback", "http://localhost:9999/callback", False),
        ("https://example.com/test*", "https://example.com/testcase", True),
        ("https://example.com/cb?code=*&state=*", "https://example.com/cb?state=x&code=y", True),
        ("https://example.com/cb?code=*", "https://example.com/cb?code=a&extra=b", False),
        ("https://example.com/cb?param=*&param=*", "https://example.com/cb?param=1&param=2", True),
        ("http://127.0.0.1/callback", "http://127.0.0.1:9999/callback", True),
        ("http://localhost/callback", "http://localhost:8080/callback", True),
        ("http://127.0.0.1/auth/*", "http://127.0.0.1:3000/auth/callback", True),
        ("https://127.0.0.1/callback", "https://127.0.0.1:8080/callback", False),
        ("http://192.168.1.1/callback", "http://192.168.1.1:8080/callback", False),
        ("https://[2001:db8::1]:*/cb", "https://[2001:db8::1]:8443/cb", True),
    ],
)
def test_the_table_of_patterns(pattern: str, uri: str, is_allowed: bool) -> None:
    redirect_uris.check_pattern(pattern)
    assert redirect_uris.is_allowed(uri, [pattern]) is is_allowed


@pytest.mark.spec("Pocket ID contract", "9.1")
def test_plain_http_may_be_forbidden_except_on_this_machine(at_home: Browser, settings) -> None:
    settings.ALLOW_INSECURE_CALLBACK_URLS = False
    app = an_app("Mixed", redirect_uris="http://plain.example.org/cb\nhttp://localhost/cb\nmyapp://cb")
    assert refuses(at_home, app, "http://plain.example.org/cb")
    for fine in ("http://localhost:1/cb", "myapp://cb"):
        assert "Location" in app.ask(at_home, redirect_uri=fine).headers
    assert CALLBACK
