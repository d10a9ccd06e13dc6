"""Workloads that hold a token of somebody else instead of a secret: clusters and code hosts (contract section 8.9)."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc.jwk import Key

from oidc import remote_keys
from oidc.models import UsedAssertion
from tests.oidc.app import App, an_app, post_form
from tests.oidc.assertions import ISSUER, KeyServer, a_key, key_server, proof, public, signed
from tests.oidc.test_token import INVALID_CLIENT, refusal

pytestmark = [pytest.mark.postgres, pytest.mark.spec("Pocket ID contract", "8.9")]
ACCOUNT = "system:serviceaccount:shop:web"
CREDENTIALS = {"grant_type": "client_credentials"}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyServer]:
    """An issuer; its address is its name."""
    remote_keys.forget()
    monkeypatch.setattr(remote_keys, "RETRY_SECONDS", 0)
    with key_server() as running:
        yield running
    remote_keys.forget()


@pytest.fixture
def key() -> Key:
    return a_key("RS256", kid="cluster-1")


def trusting(*identities: dict[str, Any], **fields: Any) -> App:
    return an_app("Shop", federated_identities=list(identities), **fields)


def workload_token(issuer: str, key: Key, **claims: Any) -> str:
    """As a cluster projects it into a container: no jti, an audience list, an hour."""
    now = int(time.time())
    usual = {"iss": issuer, "sub": ACCOUNT, "aud": [ISSUER], "iat": now, "nbf": now, "exp": now + 3607}
    kept = {name: value for name, value in (usual | claims).items() if value is not None}
    return signed(key, kept, algorithm="RS256")


def ask(text: str, app: App | None, path: str = "token", **form: str) -> Any:
    return post_form(f"/api/oidc/{path}", CREDENTIALS | proof(text, app.client.client_id if app else None) | form)


def reason(response: Any) -> str:
    assert refusal(response) == INVALID_CLIENT
    return response.json()["error_description"]


@pytest.mark.spec("RFC 7523", "2.2")
def test_a_cluster_vouches_for_its_workload(db: None, cluster: KeyServer, key: Key) -> None:
    cluster.documents["/openid/v1/jwks"] = public(key)
    app = trusting({"issuer": cluster.url, "subject": ACCOUNT, "jwks": f"{cluster.url}/openid/v1/jwks"})
    token = workload_token(cluster.url, key)
    answer = ask(token, app)
    assert answer.status_code == 200, answer.content
    assert ask(token, app).status_code == 200  # such tokens are used until they end
    assert ask(token, app, "introspect", token=answer.json()["access_token"]).json()["active"] is True
    assert ask(token, app, "device/authorize").status_code == 200
    pushed = {name: value for name, value in app.request().items() if name != "client_id"}
    assert ask(token, app, "par", **pushed).status_code == 201
    assert ask(token, app, "revoke", token=answer.json()["access_token"]).status_code == 200


@pytest.mark.spec("Pocket ID contract", "3.5")
def test_introspection_takes_the_assertion_as_a_bearer_token(db: None, cluster: KeyServer, key: Key) -> None:
    cluster.documents["/.well-known/jwks.json"] = public(key)
    app = trusting({"issuer": cluster.url, "subject": ACCOUNT})
    token = workload_token(cluster.url, key)
    access_token = ask(token, app).json()["access_token"]
    for bearer, expected in ((token, 200), (workload_token(cluster.url, a_key("RS256")), 401)):
        answer = post_form(
            "/api/oidc/introspect",
            {"token": access_token, "client_id": app.client.client_id},
            headers={"Authorization": f"Bearer {bearer}"},
        )
        assert answer.status_code == expected
    # Another access token of the client does as well, whether or not the client names itself.
    other = ask(token, app).json()["access_token"]
    answer = post_form(
        "/api/oidc/introspect",
        {"token": access_token, "client_id": app.client.client_id},
        headers={"Authorization": f"Bearer {other}"},
    )
    assert answer.json()["active"] is True


@pytest.mark.spec("RFC 7523", "3")
def test_keys_are_where_issuers_usually_have_them(db: None, cluster: KeyServer, key: Key) -> None:
    """At the contract's address, or where the issuer's metadata say."""
    app = trusting({"issuer": cluster.url, "subject": ACCOUNT})
    cluster.documents["/.well-known/jwks.json"] = public(key)
    assert ask(workload_token(cluster.url, key), app).status_code == 200
    assert cluster.asked == ["/.well-known/jwks.json"]

    remote_keys.forget()
    cluster.documents = {
        "/.well-known/openid-configuration": {"issuer": cluster.url, "jwks_uri": f"{cluster.url}/elsewhere"},
        "/elsewhere": public(key),
    }
    assert ask(workload_token(cluster.url, key), app).status_code == 200

    remote_keys.forget()
    cluster.documents["/.well-known/openid-configuration"]["issuer"] = "https://another.example"
    assert "cannot be read" in reason(ask(workload_token(cluster.url, key), app))


@pytest.mark.spec("RFC 7523", "3")
def test_the_subject_may_be_the_client_itself(db: None, cluster: KeyServer, key: Key) -> None:
    cluster.documents["/.well-known/jwks.json"] = public(key)
    app = trusting({"issuer": cluster.url})
    token = workload_token(cluster.url, key, sub=app.client.client_id)
    assert ask(token, app).status_code == 200
    assert ask(token, None).status_code == 200  # its subject names the client


@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"sub": "system:serviceaccount:shop:other"}, "subject"),
        ({"sub": None}, "subject"),
        ({"sub": ACCOUNT + "x"}, "subject"),
        ({"aud": ["https://elsewhere.example"]}, "audience"),
        ({"aud": None}, "audience"),
        ({"exp": None}, "exp"),
        ({"exp": 1}, "expired"),
        ({"exp": 40_000_000_000}, "longer"),
        ({"nbf": 4_000_000_000}, "nbf"),
        ({"iss": "https://elsewhere.example"}, "issuer"),
    ],
    ids=repr,
)
def test_another_workload_is_refused(db: None, cluster: KeyServer, key: Key, claims: dict[str, Any], said: str) -> None:
    cluster.documents["/.well-known/jwks.json"] = public(key)
    app = trusting({"issuer": cluster.url, "subject": ACCOUNT})
    assert said in reason(ask(workload_token(cluster.url, key, **claims), app))


@pytest.mark.spec("RFC 7523", "3")
def test_the_audience_may_be_another_and_must_be_contained(db: None, key: Key) -> None:
    """As code hosts do it: the workflow asks for a token for an audience of its choice, and each token has an id."""
    repository = "repo:acme/shop:ref:refs/heads/main"
    identity = {
        "issuer": "https://token.actions.example",
        "subject": repository,
        "audience": "pocketid",
        "publicKeys": public(key)["keys"],
        "replayProtection": True,
    }
    app = trusting(identity)

    def token(**claims: Any) -> str:
        return workload_token(identity["issuer"], key, **{"sub": repository, "aud": ["x", "pocketid"], "jti": "1"} | claims)  # fmt: skip

    assert "audience" in reason(ask(token(aud=[ISSUER]), app))
    assert "jti" in reason(ask(token(jti=None), app))
    assert ask(token(), app).status_code == 200
    assert "already used" in reason(ask(token(), app))
    assert ask(token(jti="2"), app).status_code == 200
    assert UsedAssertion.objects.count() == 2


@pytest.mark.spec("RFC 7523", "3")
def test_several_identities_of_one_issuer_are_kept_apart(db: None, key: Key) -> None:
    keys = public(key)["keys"]
    issuer = "https://issuer.example"
    app = trusting(
        {"issuer": issuer, "subject": "a", "audience": "one", "publicKeys": keys},
        {"issuer": issuer, "subject": "b", "audience": "two", "publicKeys": keys},
    )
    assert ask(workload_token(issuer, key, sub="b", aud="two"), app).status_code == 200
    assert "audience" in reason(ask(workload_token(issuer, key, sub="b", aud="one"), app))
    assert "subject" in reason(ask(workload_token(issuer, key, sub="c", aud="one"), app))


def test_identities_that_differ_in_audience_or_keys_alone_are_all_tried(db: None, key: Key) -> None:
    issuer, other = "https://issuer.example", a_key("RS256", kid="cluster-2")
    app = trusting(
        {"issuer": issuer, "subject": "a", "audience": "one", "publicKeys": public(key)["keys"]},
        {"issuer": issuer, "subject": "a", "audience": "two", "publicKeys": public(key)["keys"]},
        {"issuer": issuer, "subject": "a", "audience": "two", "publicKeys": public(other)["keys"]},
    )
    assert ask(workload_token(issuer, key, sub="a", aud="two"), app).status_code == 200
    assert ask(workload_token(issuer, other, sub="a", aud="two"), app).status_code == 200
    reason(ask(workload_token(issuer, other, sub="a", aud="one"), app))


@pytest.mark.spec("RFC 7523", "3")
def test_a_token_that_another_client_trusts_is_worth_nothing_here(db: None, key: Key) -> None:
    keys = public(key)["keys"]
    trusted = {"issuer": "https://issuer.example", "subject": ACCOUNT, "publicKeys": keys}
    trusting(trusted)
    token = workload_token("https://issuer.example", key)
    assert "issuer" in reason(ask(token, an_app("Other")))
    public_client = trusting(trusted, client_type="public")
    assert "public" in reason(ask(token, public_client))


@pytest.mark.spec("RFC 7523", "3")
def test_our_own_tokens_prove_nothing(db: None, client_app: App) -> None:
    """attacks.md C10: an access token is no assertion, whoever trusts this server as an issuer."""
    app = trusting({"issuer": ISSUER, "subject": f"client-{client_app.client.client_id}"})
    own = client_app.token(**CREDENTIALS).json()["access_token"]
    reason(ask(own, app))
