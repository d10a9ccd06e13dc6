"""Clients that prove themselves by signing: ``private_key_jwt`` (RFC 7523, OIDC Core section 9). Real keys, real servers."""

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from joserfc.jwk import Key, OctKey

from oidc import cleanup, remote_keys, signing_keys
from oidc.models import Client, UsedAssertion
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, an_app, basic, http, post_form
from tests.oidc.assertions import (
    ASSERTION_TYPE,
    ISSUER,
    TOKEN_ENDPOINT,
    KeyServer,
    a_key,
    assertion,
    key_server,
    proof,
    public,
    signed,
)
from tests.oidc.test_token import INVALID_CLIENT, refusal

pytestmark = pytest.mark.postgres
CREDENTIALS = {"grant_type": "client_credentials"}


@pytest.fixture
def key() -> Key:
    return a_key()


@pytest.fixture
def app(db: None, key: Key) -> App:
    return an_app("Robot", jwks=public(key)["keys"])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyServer]:
    remote_keys.forget()
    monkeypatch.setattr(remote_keys, "RETRY_SECONDS", 0)
    with key_server() as running:
        yield running
    remote_keys.forget()


def ask(text: str, path: str = "token", **form: str | None) -> Any:
    return post_form(f"/api/oidc/{path}", CREDENTIALS | proof(text) | form)


def reason(response: Any) -> str:
    assert refusal(response) == INVALID_CLIENT
    return response.json()["error_description"]


@pytest.mark.spec("OIDC Core", "9")
@pytest.mark.parametrize(
    "algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
)
def test_a_client_signs_with_its_own_key(db: None, algorithm: str) -> None:
    key = a_key(algorithm)
    app = an_app("Robot", jwks=public(key)["keys"])
    assert ask(assertion(app.client.client_id, key, algorithm=algorithm)).status_code == 200


@pytest.mark.spec("RFC 7523", "2.2")
def test_it_works_at_every_endpoint_that_knows_clients(browser: Browser, person: Person, app: App, key: Key) -> None:
    browser.sign_in(person)
    name = app.client.client_id

    def sent(path: str, **form: str | None) -> Any:
        return post_form(f"/api/oidc/{path}", proof(assertion(name, key), name) | form)

    pushed = sent("par", **{k: v for k, v in app.request(scope="openid offline_access").items() if k != "client_id"})
    assert pushed.status_code == 201, pushed.content
    from urllib.parse import urlencode

    from tests.oidc.app import agree, answer

    page = browser.get("/authorize?" + urlencode({"client_id": name, "request_uri": pushed.json()["request_uri"]}))
    code = answer(agree(browser, page))["code"]
    tokens = sent("token", grant_type="authorization_code", code=code, redirect_uri=app.redirect_uri).json()
    refreshed = sent("token", grant_type="refresh_token", refresh_token=tokens["refresh_token"]).json()
    assert sent("introspect", token=refreshed["access_token"]).json()["active"] is True
    assert sent("revoke", token=refreshed["access_token"]).status_code == 200
    assert sent("introspect", token=refreshed["access_token"]).json() == {"active": False}
    assert sent("device/authorize", scope="openid").json()["user_code"]


@pytest.mark.spec("OIDC Discovery", "3")
def test_the_metadata_say_so(db: None) -> None:
    document = http().get("/.well-known/openid-configuration").json()
    for endpoint in ("token", "introspection", "revocation"):
        assert "private_key_jwt" in document[f"{endpoint}_endpoint_auth_methods_supported"]
        algorithms = document[f"{endpoint}_endpoint_auth_signing_alg_values_supported"]
        assert {"RS256", "PS256", "ES256", "EdDSA"} <= set(algorithms)
        assert not {"none", "HS256"} & set(algorithms)


@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.spec("RFC 9126", "2")
@pytest.mark.parametrize(
    "audience",
    [ISSUER, [ISSUER], TOKEN_ENDPOINT, [ISSUER, TOKEN_ENDPOINT], f"{ISSUER}/api/oidc/par"],
)
def test_it_is_addressed_to_the_issuer_or_the_token_endpoint(app: App, key: Key, audience: str | list[str]) -> None:
    assert ask(assertion(app.client.client_id, key, aud=audience)).status_code == 200


@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.spec("attacks.md", "C18")
@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"aud": "https://elsewhere.example"}, "audience"),
        ({"aud": [ISSUER, "https://elsewhere.example"]}, "audience"),
        ({"aud": f"{ISSUER}/"}, "audience"),
        ({"aud": []}, "audience"),
        ({"aud": None}, "audience"),
        ({"aud": {}}, "audience"),
        ({"sub": "another"}, "subject"),
        ({"iss": "another"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"iss": ["x"]}, "issuer"),
        ({"exp": None}, "exp"),
        ({"exp": "tomorrow"}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": 1e300}, "exp"),
        ({"exp": -1}, "exp"),
        ({"exp": timedelta(seconds=-300)}, "expired"),
        ({"exp": timedelta(seconds=7200)}, "3600"),
        ({"nbf": timedelta(seconds=90)}, "nbf"),
        ({"iat": timedelta(seconds=90)}, "iat"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": 7}, "jti"),
    ],
    ids=repr,
)
def test_what_it_says_has_to_be_right(app: App, key: Key, claims: dict[str, Any], said: str) -> None:
    made = {
        name: int(time.time() + value.total_seconds()) if isinstance(value, timedelta) else value
        for name, value in claims.items()
    }
    text = assertion(app.client.client_id, key, **made)
    assert said in reason(ask(text, client_id=app.client.client_id))
    assert not UsedAssertion.objects.exists()


@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.parametrize("claims", [{"nbf": 8}, {"iat": 8}, {"exp": -8}])
def test_clocks_may_differ_a_little(app: App, key: Key, claims: dict[str, int]) -> None:
    made = {name: int(time.time()) + seconds for name, seconds in claims.items()}
    assert ask(assertion(app.client.client_id, key, **made)).status_code == 200


@pytest.mark.spec("OIDC Core", "9")
def test_each_is_good_for_one_use(app: App, key: Key) -> None:
    text = assertion(app.client.client_id, key)
    assert ask(text).status_code == 200
    assert "already used" in reason(ask(text))
    # The same identifier in another assertion is the same use; another client's is another.
    again = assertion(app.client.client_id, key, jti="one")
    assert ask(again).status_code == 200
    assert "already used" in reason(ask(assertion(app.client.client_id, key, jti="one", exp=int(time.time()) + 50)))
    other = an_app("Other", jwks=public(key)["keys"])
    assert ask(assertion(other.client.client_id, key, jti="one")).status_code == 200


@pytest.mark.spec("OIDC Core", "9")
@pytest.mark.django_db(transaction=True)
def test_of_simultaneous_uses_one_wins(app: App, key: Key) -> None:
    signing_keys.ensure("RS256")  # the keys of all tests are gone when the database was emptied
    text = assertion(app.client.client_id, key)

    def once(_number: int) -> int:
        try:
            return ask(text).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(once, range(16))) == [200] + [401] * 15


@pytest.mark.spec("RFC 7523", "3")
def test_what_was_used_is_forgotten_when_it_has_ended(app: App, key: Key) -> None:
    ask(assertion(app.client.client_id, key))
    assert cleanup.delete_expired() == 0
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        cleanup.delete_expired()
    assert not UsedAssertion.objects.exists()


@pytest.mark.spec("RFC 8725", "3.1")
def test_only_signatures_with_the_registered_key_count(app: App, key: Key) -> None:
    name = app.client.client_id
    stranger = a_key()
    assert "signature" in reason(ask(assertion(name, stranger)))
    assert "None of the public keys" in reason(ask(assertion(name, a_key(kid="another"))))
    # A key that the header itself brings along proves nothing (RFC 7515 section 4.1.3).
    brought = {"jwk": stranger.as_dict(private=False)}
    assert "signature" in reason(ask(assertion(name, stranger, header=brought)))
    assert "None of the public keys" in reason(ask(assertion(name, a_key("RS256"), algorithm="RS256")))
    head, body, signature = assertion(name, key).split(".")
    for broken in (f"{head}.{body}.", f"{head}.{body}.{signature[:-2]}AA", f"{head}.{body}", "", "x", "..", "a.b.c"):
        reason(ask(broken, client_id=name))


@pytest.mark.spec("RFC 8725", "3.1")
def test_nothing_symmetric_and_nothing_unsigned(app: App, key: Key) -> None:
    import base64
    import json

    claims = {"iss": app.client.client_id, "sub": app.client.client_id, "aud": ISSUER, "exp": int(time.time()) + 60, "jti": "x"}  # fmt: skip
    public_text = json.dumps(key.as_dict(private=False))
    shared = OctKey.import_key(public_text.encode())
    assert "algorithm" in reason(ask(signed(shared, claims, algorithm="HS256"), client_id=app.client.client_id))
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "none"}, claims)]  # fmt: skip
    reason(ask(".".join((*parts, "")), client_id=app.client.client_id))


@pytest.mark.spec("OIDC Core", "10.1")
def test_a_key_without_an_id_is_tried_when_none_is_named(db: None) -> None:
    from oidc.registered_keys import key_set

    key = a_key(kid=None)
    app = an_app("Robot", jwks=key_set(public(a_key(kid="other"), key)))
    assert ask(assertion(app.client.client_id, key)).status_code == 200


@pytest.mark.spec("RFC 6749", "2.3")
@pytest.mark.spec("attacks.md", "C16")
def test_one_way_at_a_time(app: App, key: Key, public_app: App) -> None:
    text = assertion(app.client.client_id, key)
    both = {"Authorization": basic(app.client.client_id, app.secret)}
    assert "two ways" in reason(post_form("/api/oidc/token", CREDENTIALS | proof(text), headers=both))
    assert "two ways" in reason(ask(text, client_secret=app.secret))
    assert "client_assertion_type" in reason(ask(text, client_assertion_type="urn:x"))
    assert "client_assertion_type" in reason(ask(text, client_assertion_type=None))
    assert "signed JWT" in reason(
        post_form(
            "/api/oidc/token",
            CREDENTIALS | {"client_assertion_type": ASSERTION_TYPE, "client_id": app.client.client_id},
        )
    )
    assert "public" in reason(ask(assertion(public_app.client.client_id, key)))
    assert "unknown" in reason(ask(assertion("nobody", key)))
    assert "control characters" in reason(ask(assertion("nobo\0dy", key)))
    assert ask(text).status_code == 200  # none of this used it up


@pytest.mark.spec("RFC 7523", "3")
def test_the_assertion_speaks_for_no_other_client(app: App, key: Key) -> None:
    other = an_app("Other", jwks=public(a_key())["keys"])
    text = assertion(app.client.client_id, key)
    reason(ask(text, client_id=other.client.client_id))
    assert "register" in reason(ask(assertion(an_app("Without").client.client_id, key)))


@pytest.mark.spec("relying-parties.md", "3, rule 3")
def test_a_refused_assertion_burns_no_code(browser: Browser, person: Person, app: App, key: Key) -> None:
    browser.sign_in(person)
    code = app.code(browser)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": app.redirect_uri}
    reason(post_form("/api/oidc/token", form | proof(assertion(app.client.client_id, a_key()))))
    assert post_form("/api/oidc/token", form | proof(assertion(app.client.client_id, key))).status_code == 200


# Keys that the app publishes


@pytest.fixture
def published(db: None, key: Key, server: KeyServer) -> App:
    server.documents["/jwks"] = public(key)
    return an_app("Robot", jwks_uri=f"{server.url}/jwks")


@pytest.mark.spec("OIDC Core", "10.1.1")
def test_a_new_key_is_fetched_when_it_first_signs(published: App, key: Key, server: KeyServer) -> None:
    name = published.client.client_id
    assert ask(assertion(name, key)).status_code == 200
    assert ask(assertion(name, key)).status_code == 200
    assert server.asked == ["/jwks"]
    following = a_key(kid="key-2")
    server.documents["/jwks"] = public(key, following)
    assert ask(assertion(name, following)).status_code == 200
    assert ask(assertion(name, key)).status_code == 200
    assert server.asked == ["/jwks"] * 2


@pytest.mark.spec("attacks.md", "F8")
def test_strangers_cannot_make_us_ask_again_and_again(
    published: App, key: Key, server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_keys, "RETRY_SECONDS", 30)
    for number in range(5):
        reason(ask(assertion(published.client.client_id, a_key(kid=f"made up {number}"))))
    assert server.asked == ["/jwks"] * 2
    assert ask(assertion(published.client.client_id, key)).status_code == 200
    server.documents.clear()
    other = an_app("Other", jwks_uri=f"{server.url}/nothing")
    for _attempt in range(3):
        assert "cannot be read" in reason(ask(assertion(other.client.client_id, key)))
    assert server.asked == ["/jwks"] * 2 + ["/nothing"]


@pytest.mark.spec("OIDC Core", "10.1.1")
@pytest.mark.parametrize("is_busy", [False, True], ids=["after a while", "just read"])
def test_the_first_token_of_a_new_key_is_taken(
    published: App, key: Key, server: KeyServer, monkeypatch: pytest.MonkeyPatch, is_busy: bool
) -> None:
    """However short a time ago the keys were read, and whoever tried made-up keys some time before."""
    monkeypatch.setattr(remote_keys, "RETRY_SECONDS", 30)
    name = published.client.client_id
    with a_clock(monkeypatch) as clock:
        assert ask(assertion(name, key)).status_code == 200
        if not is_busy:
            for number in range(5):
                reason(ask(assertion(name, a_key(kid=f"made up {number}"))))
            clock.now += 41
        following = a_key(kid="key-2")
        server.documents["/jwks"] = public(key, following)
        assert ask(assertion(name, following)).status_code == 200


@pytest.mark.spec("attacks.md", "F8")
def test_a_flood_of_made_up_keys_asks_five_times_a_minute(
    published: App, key: Key, server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the new key of the app, which nobody could look for in between, waits for twenty seconds at most."""
    name, asked_at = published.client.client_id, []
    with a_clock(monkeypatch) as clock:
        for number in range(240):
            before = len(server.asked)
            with contextlib.suppress(remote_keys.KeysUnavailable):
                remote_keys.of_address(f"{server.url}/jwks", kid=f"made up {number}")
            asked_at += [clock.now] * (len(server.asked) - before)
            clock.now += 0.5
        following = a_key(kid="key-2")
        server.documents["/jwks"] = public(key, following)
        clock.now += 20
        assert ask(assertion(name, following)).status_code == 200
    assert max(sum(start <= each < start + 60 for each in asked_at) for start in asked_at) <= 5
    assert len(asked_at) <= 2 * 5


@dataclass
class Clock:
    """The monotonic clock of the kept keys."""

    now: float

    def monotonic(self) -> float:
        return self.now


@contextlib.contextmanager
def a_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock(time.monotonic())
    with monkeypatch.context() as patch:
        patch.setattr(remote_keys, "time", clock)
        yield clock


@pytest.mark.spec("attacks.md", "F8")
def test_a_key_server_that_is_down_is_asked_every_half_minute(
    published: App, key: Key, server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks waits for its time-out."""
    monkeypatch.setattr(remote_keys, "RETRY_SECONDS", 30)
    with a_clock(monkeypatch) as clock:
        assert ask(assertion(published.client.client_id, key)).status_code == 200
        server.status = 500
        for number in range(20):
            reason(ask(assertion(published.client.client_id, a_key(kid=f"made up {number}"))))
            clock.now += 2
    assert len(server.asked) == 1 + 2


@pytest.mark.spec("OIDC Core", "10.1.1")
def test_a_key_server_that_is_down_for_a_while_stops_nobody(published: App, key: Key, server: KeyServer) -> None:
    name = published.client.client_id
    assert ask(assertion(name, key)).status_code == 200
    server.status = 500
    kept = remote_keys._known[f"{server.url}/jwks"]
    kept.fresh_until = 0
    assert ask(assertion(name, key)).status_code == 200
    assert len(server.asked) == 2
    kept.usable_until = 0
    assert "cannot be read" in reason(ask(assertion(name, key)))


@pytest.mark.spec("RFC 7517", "5")
@pytest.mark.parametrize(
    "document",
    [b"", b"{}", b"[]", b"<html>", b'{"keys": 7}', b'{"keys": [7, {}, {"kty": "oct", "k": "x"}]}', b"x" * 600_000],
    ids=lambda value: repr(value)[:30],
)
def test_whatever_is_published_there_is_no_server_error(
    published: App, key: Key, server: KeyServer, document: bytes
) -> None:
    server.documents["/jwks"] = document
    reason(ask(assertion(published.client.client_id, key)))


@pytest.mark.spec("attacks.md", "F8")
@pytest.mark.parametrize("address", ["http://169.254.169.254/keys", "http://[fe80::1]/keys", "http://0.0.0.0/keys"])
def test_keys_are_not_fetched_from_everywhere(db: None, key: Key, server: KeyServer, address: str) -> None:
    app = an_app("Robot", jwks_uri=address)
    assert "cannot be read" in reason(ask(assertion(app.client.client_id, key)))


@pytest.mark.spec("attacks.md", "F8")
def test_the_operator_may_forbid_private_addresses(published: App, key: Key, server: KeyServer, settings) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS_FEDERATED_JWKS = ()
    assert "cannot be read" in reason(ask(assertion(published.client.client_id, key)))
    assert server.asked == []


@pytest.mark.spec("RFC 7517", "4.2")
def test_keys_that_are_too_weak_or_not_for_signing_are_passed_over(db: None, server: KeyServer) -> None:
    weak, strong = a_key("RS256", kid="weak", bits=1024), a_key("RS256", kid="strong")
    server.documents["/jwks"] = public(weak, strong)
    app = an_app("Robot", jwks_uri=f"{server.url}/jwks")
    reason(ask(assertion(app.client.client_id, weak, algorithm="RS256")))
    assert ask(assertion(app.client.client_id, strong, algorithm="RS256")).status_code == 200
    server.documents["/jwks"] = {"keys": [public(strong)["keys"][0] | {"use": "enc"}]}
    remote_keys.forget()
    reason(ask(assertion(app.client.client_id, strong, algorithm="RS256")))


@pytest.mark.spec("OIDC Core", "9")
def test_secrets_still_work_beside_it(app: App) -> None:
    assert app.token(**CREDENTIALS).status_code == 200
    Client.objects.update(jwks=[])
    assert app.token(**CREDENTIALS).status_code == 200
