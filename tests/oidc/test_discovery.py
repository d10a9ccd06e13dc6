"""What the server says about itself, and the keys it signs with."""

import base64
from urllib.parse import urlsplit

import pytest

from oidc import key_rotation, signing_keys
from oidc.models import SigningKey
from oidc.views import discovery
from oidc.views.discovery import GRANTS
from tests.oidc.app import http

pytestmark = pytest.mark.postgres
DOCUMENTS = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"]


@pytest.mark.spec("OIDC Discovery", "3")
@pytest.mark.spec("conformance", "R1, R3")
@pytest.mark.parametrize("path", DOCUMENTS)
def test_the_document_tells_what_is_there(db: None, path: str) -> None:
    document = http().get(path).json()
    issuer = "http://localhost:1411"
    expected = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/api/oidc/token",
        "userinfo_endpoint": f"{issuer}/api/oidc/userinfo",
        "introspection_endpoint": f"{issuer}/api/oidc/introspect",
        "introspection_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
            "Bearer",
        ],
        "revocation_endpoint": f"{issuer}/api/oidc/revoke",
        "revocation_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
            "none",
        ],
        "end_session_endpoint": f"{issuer}/api/oidc/end-session",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "scopes_supported": ["openid", "profile", "email", "groups", "offline_access"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256", "PS256", "EdDSA"],
        "token_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
            "none",
        ],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "ui_locales_supported": ["en", "zh-Hans"],
        "authorization_response_iss_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }
    assert {name: document.get(name) for name in expected} == expected
    assert {"authorization_code", "refresh_token"} <= set(document["grant_types_supported"])
    assert {
        "sub",
        "given_name",
        "family_name",
        "name",
        "display_name",
        "email",
        "email_verified",
        "preferred_username",
        "picture",
        "groups",
        "auth_time",
        "amr",
        "sid",
    } <= set(document["claims_supported"])


@pytest.mark.spec("RFC 8414", "2")
def test_every_address_in_the_document_exists(db: None) -> None:
    document = http().get(DOCUMENTS[0]).json()
    addresses = {name: url for name, url in document.items() if name.endswith(("_endpoint", "_uri"))}
    assert len(addresses) >= 7
    for name, url in addresses.items():
        path = url.removeprefix("http://localhost:1411")
        assert {http().get(path).status_code, http().post(path).status_code} != {404}, name


# What RFC 8414 section 2 says of each member; those that are not here are strings, or lists of them.
FLAGS = {
    "require_pushed_authorization_requests",
    "authorization_response_iss_parameter_supported",
    "claims_parameter_supported",
    "backchannel_logout_supported",
    "backchannel_logout_session_supported",
    "request_parameter_supported",
    "request_uri_parameter_supported",
}


@pytest.mark.spec("RFC 8414", "2")
@pytest.mark.parametrize("issuer", ["http://localhost:1411", "https://id.example.org"])
def test_each_member_is_what_it_must_be(db: None, settings, monkeypatch: pytest.MonkeyPatch, issuer: str) -> None:
    settings.APP_URL = settings.INTERNAL_APP_URL = issuer
    monkeypatch.setattr(discovery, "_documents", {})
    document = http().get(DOCUMENTS[1]).json()
    monkeypatch.setattr(discovery, "_documents", {})
    assert document["issuer"] == issuer
    assert not {"?", "#"} & set(document["issuer"])
    assert document.keys() >= {
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "response_types_supported",
        "jwks_uri",
    }
    for name, value in document.items():
        if name in FLAGS:
            assert type(value) is bool, name
        elif name.endswith(("_supported", "_values")):
            # Section 3.2: without elements it would have to be left out.
            assert isinstance(value, list), name
            assert value, name
            assert len(set(value)) == len(value), name
            assert all(isinstance(each, str) and each for each in value), name
        else:
            assert urlsplit(value).scheme == urlsplit(issuer).scheme, name
            assert value.startswith(issuer), name
            assert not urlsplit(value).fragment, name
    # RFC 6749 section 3.1 to 3.3, RFC 7636: what is said is what is done, and defaults that would mean more are not left to be assumed.
    assert set(document["grant_types_supported"]) == set(GRANTS)
    assert document["response_modes_supported"]
    assert document["code_challenge_methods_supported"] == ["S256"]


@pytest.mark.spec("RFC 8414", "2")
@pytest.mark.parametrize("endpoint", ["token", "revocation", "introspection"])
def test_signing_algorithms_are_named_where_clients_may_sign(db: None, endpoint: str) -> None:
    """They MUST be there beside ``private_key_jwt``; ``none`` MUST NOT be used; methods are registered names."""
    document = http().get(DOCUMENTS[0]).json()
    methods = document[f"{endpoint}_endpoint_auth_methods_supported"]
    algorithms = document[f"{endpoint}_endpoint_auth_signing_alg_values_supported"]
    assert "private_key_jwt" in methods
    assert "RS256" in algorithms  # SHOULD
    assert not {"none", "HS256", "HS384", "HS512"} & set(algorithms)
    registered = {"none", "client_secret_post", "client_secret_basic", "client_secret_jwt", "private_key_jwt"}
    assert set(methods) <= registered | ({"Bearer"} if endpoint == "introspection" else set())
    # "none" is no way to ask about tokens (RFC 7662 section 2.1).
    assert ("none" in methods) == (endpoint != "introspection")


@pytest.mark.spec("RFC 8414", "2")
def test_published_keys_are_for_signing_alone_and_public(db: None) -> None:
    signing_keys.ensure("RS256")
    keys = http().get(http().get(DOCUMENTS[0]).json()["jwks_uri"].removeprefix("http://localhost:1411")).json()["keys"]
    assert keys
    for key in keys:
        assert key["use"] == "sig"
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & key.keys()


@pytest.mark.spec("RFC 8414", "3")
def test_both_documents_are_the_same_bytes(db: None) -> None:
    first, second = (http().get(path).content for path in DOCUMENTS)
    assert first == second


@pytest.mark.spec("OIDC Discovery", "4.2")
@pytest.mark.parametrize("path", [*DOCUMENTS, "/.well-known/jwks.json"])
def test_anybody_may_read_it_from_any_page_and_keep_it_a_while(db: None, path: str) -> None:
    answer = http().get(path, headers={"Origin": "https://spa.example"})
    assert answer["Content-Type"] == "application/json; charset=utf-8"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert answer["Cache-Control"] == "public, max-age=300"
    assert "Set-Cookie" not in answer.headers
    assert not answer.cookies
    assert http().options(path).status_code == 204
    assert http().head(path).status_code == 200


@pytest.mark.spec("OIDC Discovery", "4.3")
@pytest.mark.parametrize("host", ["evil.example", "localhost:9999", "[::1]", "a b"])
def test_the_host_header_changes_nothing(db: None, host: str) -> None:
    answer = http().get(DOCUMENTS[0], headers={"Host": host, "X-Forwarded-Host": host, "X-Forwarded-Proto": "https"})
    assert answer.json()["issuer"] == "http://localhost:1411"
    assert "evil" not in answer.text


@pytest.mark.spec("OIDC Discovery", "3")
def test_apps_inside_may_be_sent_to_an_internal_address(db: None, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from oidc.views import discovery

    monkeypatch.setattr(discovery, "_documents", {})
    settings.INTERNAL_APP_URL = "http://pocketid:1411"
    document = http().get(DOCUMENTS[0]).json()
    inside = {name for name, value in document.items() if str(value).startswith("http://pocketid:1411/")}
    assert inside >= {
        "token_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "introspection_endpoint",
        "revocation_endpoint",
    }
    assert inside.isdisjoint(
        {"issuer", "authorization_endpoint", "end_session_endpoint", "device_authorization_endpoint"}
    )
    assert document["issuer"] == "http://localhost:1411"


@pytest.mark.spec("RFC 7517", "4")
@pytest.mark.spec("conformance", "R2")
def test_the_keys_are_public_and_complete(db: None) -> None:
    keys = http().get("/.well-known/jwks.json").json()["keys"]
    assert keys[0]["alg"] == "RS256"
    assert len({key["kid"] for key in keys}) == len(keys) >= 4
    shapes = {key["alg"]: key.keys() for key in keys}
    rsa, ec, okp = (
        {"kty", "n", "e", "kid", "alg", "use"},
        {"kty", "crv", "x", "y", "kid", "alg", "use"},
        {"kty", "crv", "x", "kid", "alg", "use"},
    )
    assert shapes == {"RS256": rsa, "PS256": rsa, "ES256": ec, "EdDSA": okp}
    for key in keys:
        assert key["use"] == "sig"
        if key["kty"] == "RSA":
            assert len(base64.urlsafe_b64decode(key["n"] + "==")) * 8 >= 2048


def test_private_keys_are_encrypted_where_they_lie(db: None) -> None:
    for row in SigningKey.objects.all():
        assert "PRIVATE" not in row.private_key
        assert row.private_key.count(".") == 1
        assert signing_keys.signer(row.kid).algorithm == row.algorithm


@pytest.mark.spec("OIDC Core", "10.1")
def test_there_is_one_current_key_of_an_algorithm(db: None) -> None:
    before = SigningKey.objects.count()
    assert signing_keys.ensure("RS256") == signing_keys.ensure("RS256")
    assert SigningKey.objects.count() == before


@pytest.mark.spec("RFC 9110", "8.8.3")
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/.well-known/jwks.json"])
def test_whoever_has_it_is_told_so(db: None, path: str) -> None:
    first = http().get(path)
    assert (first["Cache-Control"], first.status_code) == ("public, max-age=300", 200)
    for known in (first["ETag"], f"W/{first['ETag']}", f'"another", {first["ETag"]}', "*"):
        again = http().get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert (again["ETag"], again["Cache-Control"]) == (first["ETag"], first["Cache-Control"])
        assert again["Access-Control-Allow-Origin"] == "*"
    assert http().get(path, headers={"If-None-Match": '"another"'}).content == first.content


def test_another_key_set_has_another_tag(db: None) -> None:
    before = http().get("/.well-known/jwks.json")["ETag"]
    key_rotation.prepare("ES256")
    signing_keys.forget_published()
    assert http().get("/.well-known/jwks.json")["ETag"] != before
