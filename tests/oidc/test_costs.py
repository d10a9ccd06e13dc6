"""What a request may cost: statements, signatures, keys parsed. Exact, so that a slow change is seen where it is made."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import bcrypt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth import hashers
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import secrets
from oidc import signing_keys
from oidc.models import Consent
from oidc.signing_keys import Signer
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, an_app, answer, basic, http, post_form, userinfo

pytestmark = pytest.mark.postgres
SCOPE = "openid profile email groups offline_access"


@dataclass
class Bill:
    """What was spent: statements by kind, transactions, and the rest by name."""

    reads: int = 0
    writes: int = 0
    transactions: int = 0
    signatures: int = 0
    parsed_keys: int = 0
    stretched_secrets: int = 0
    statements: list[str] = field(default_factory=list)


@pytest.fixture
def bill(monkeypatch: pytest.MonkeyPatch) -> Callable[[], object]:
    @contextmanager
    def count() -> Iterator[Bill]:
        spent = Bill()
        outside = len(connection.savepoint_ids)
        sign = Signer.sign

        def counted_sign(self: Signer, *args: object) -> str:
            spent.signatures += 1
            assert len(connection.savepoint_ids) == outside, "signed inside a transaction"
            return sign(self, *args)

        def counting(name: str, function: Callable) -> Callable:
            def counted(*args: object, **kwargs: object) -> object:
                setattr(spent, name, getattr(spent, name) + 1)
                return function(*args, **kwargs)

            return counted

        with monkeypatch.context() as patch, CaptureQueriesContext(connection) as queries:
            patch.setattr(Signer, "sign", counted_sign)
            for loader in ("load_der_private_key", "load_pem_private_key"):
                patch.setattr(serialization, loader, counting("parsed_keys", getattr(serialization, loader)))
            patch.setattr(rsa, "generate_private_key", counting("parsed_keys", rsa.generate_private_key))
            patch.setattr(hashers, "pbkdf2", counting("stretched_secrets", hashers.pbkdf2))
            patch.setattr(bcrypt, "hashpw", counting("stretched_secrets", bcrypt.hashpw))
            patch.setattr(bcrypt, "checkpw", counting("stretched_secrets", bcrypt.checkpw))
            patch.setattr(secrets, "decrypt", counting("parsed_keys", secrets.decrypt))
            patch.setattr(signing_keys, "decrypt", counting("parsed_keys", signing_keys.decrypt))
            yield spent
        for query in queries.captured_queries:
            sql = query["sql"].lstrip().upper()
            spent.statements.append(query["sql"][:160])
            spent.reads += sql.startswith(("SELECT", "WITH"))
            spent.writes += sql.startswith(("INSERT", "UPDATE", "DELETE"))
            spent.transactions += sql.startswith(("SAVEPOINT", "BEGIN"))

    return count


@pytest.fixture
def at_home(browser: Browser, person: Person, client_app: App) -> Browser:
    browser.sign_in(person)
    client_app.tokens(browser, scope=SCOPE)  # the keys are parsed, the consent is given
    return browser


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_code_exchange_reads_once_and_writes_in_one_transaction(at_home: Browser, bill, algorithm: str) -> None:
    app = an_app("App", algorithm=algorithm)
    app.tokens(at_home, scope=SCOPE)
    code = app.code(at_home, scope=SCOPE)
    with bill() as spent:
        assert app.redeem(code).status_code == 200
    assert (spent.reads, spent.transactions) == (1, 1), spent.statements
    assert spent.writes <= 3, spent.statements
    assert (spent.signatures, spent.parsed_keys, spent.stretched_secrets) == (2, 0, 0)


def test_a_refresh_reads_once_and_writes_in_one_transaction(at_home: Browser, client_app: App, bill) -> None:
    token = client_app.tokens(at_home, scope=SCOPE)["refresh_token"]
    with bill() as spent:
        assert client_app.refresh(token).status_code == 200
    assert (spent.reads, spent.transactions) == (1, 1), spent.statements
    assert spent.writes <= 3, spent.statements
    assert (spent.signatures, spent.parsed_keys, spent.stretched_secrets) == (2, 0, 0)


def test_userinfo_reads_once(at_home: Browser, client_app: App, bill) -> None:
    token = client_app.tokens(at_home, scope=SCOPE)["access_token"]
    with bill() as spent:
        assert userinfo(token).status_code == 200
    assert (len(spent.statements), spent.reads) == (1, 1), spent.statements
    assert (spent.signatures, spent.parsed_keys, spent.stretched_secrets) == (0, 0, 0)


def test_introspection_reads_once(at_home: Browser, client_app: App, bill) -> None:
    held = client_app.tokens(at_home, scope=SCOPE)
    headers = {"Authorization": basic(client_app.client.client_id, client_app.secret)}
    for token in (held["access_token"], held["refresh_token"], "unknown"):
        with bill() as spent:
            assert post_form("/api/oidc/introspect", {"token": token}, headers=headers).status_code == 200
        assert (len(spent.statements), spent.reads) == (1, 1), spent.statements
        assert (spent.signatures, spent.parsed_keys, spent.stretched_secrets) == (0, 0, 0)


def test_client_credentials_read_once_and_write_once(client_app: App, bill) -> None:
    assert client_app.token(grant_type="client_credentials").status_code == 200
    with bill() as spent:
        assert client_app.token(grant_type="client_credentials").status_code == 200
    assert (spent.reads, spent.writes) == (1, 1), spent.statements
    assert (spent.signatures, spent.parsed_keys, spent.stretched_secrets) == (1, 0, 0)


def test_a_silent_authorization_reads_twice_and_writes_three_times(at_home: Browser, client_app: App, bill) -> None:
    Consent.objects.update(last_used_at=timezone.now() - timedelta(days=1))  # not within the minute: that is noted too
    with bill() as spent:
        assert answer(client_app.ask(at_home, scope=SCOPE))["code"]
    assert spent.reads <= 2, spent.statements
    assert spent.writes <= 3, spent.statements
    assert spent.transactions == 1
    assert (spent.signatures, spent.parsed_keys) == (0, 0)


@pytest.mark.parametrize(
    "path", ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/healthz"]
)
def test_what_is_the_same_for_all_is_read_once_a_second(at_home: Browser, bill, path: str, monkeypatch) -> None:
    monkeypatch.setattr(signing_keys, "JWKS_SECONDS", 60.0)  # this machine may be slow
    signing_keys.forget_published()
    http().get("/.well-known/jwks.json")
    with bill() as spent:
        assert http().get(path).status_code in (200, 204)
    signing_keys.forget_published()
    assert spent.statements == []


def test_a_wrong_secret_costs_no_more_than_a_right_one(at_home: Browser, client_app: App, bill) -> None:
    code = client_app.code(at_home)
    for client_id, secret in ((client_app.client.client_id, "wrong"), ("unknown", "wrong")):
        client_app.client.client_id, client_app.secret = client_id, secret
        with bill() as spent:
            assert client_app.redeem(code).status_code == 401
        # The second looks whose secret it is instead, so that the app can be told.
        assert (spent.reads, spent.writes, spent.signatures, spent.stretched_secrets) == (2, 0, 0, 0), spent.statements


def test_a_sign_in_with_a_passkey_stays_short(at_home: Browser, person: Person, bill) -> None:
    stranger = Browser()
    answer_ = person.device.get(stranger.login_options())
    with bill() as spent:
        assert stranger.send("/api/webauthn/login/finish", answer_).status_code == 200
    assert len(spent.statements) <= 12, spent.statements
