"""ID tokens and access tokens, verified from the published keys alone by two libraries that are not ours."""

import base64
import hashlib
import json
import time

import jwt as pyjwt
import pytest
from joserfc import jwt as jose
from joserfc.jwk import KeySet

from accounts.models import Session
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, an_app, http

pytestmark = pytest.mark.postgres
ISSUER = "http://localhost:1411"


@pytest.fixture
def at_home(browser: Browser, person: Person) -> Browser:
    browser.sign_in(person)
    return browser


def verified(token: str, *, audience: str) -> tuple[dict, dict]:
    """Header and claims, as joserfc and PyJWT agree on them."""
    jwks = http().get("/.well-known/jwks.json").json()
    header = pyjwt.get_unverified_header(token)
    key = next(key for key in pyjwt.PyJWKSet.from_dict(jwks).keys if key.key_id == header["kid"])
    one = pyjwt.decode(
        token,
        key.key,
        algorithms=[header["alg"]],
        audience=audience,
        issuer=ISSUER,
        options={"require": ["exp", "iat", "sub", "aud", "iss"]},
    )
    other = jose.decode(token, KeySet.import_key_set(jwks), algorithms=["RS256", "ES256", "PS256", "EdDSA", "Ed25519"])
    jose.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": audience}, exp={"essential": True}
    ).validate(other.claims)
    assert one == other.claims
    return header, one


@pytest.mark.spec("OIDC Core", "3.1.3.7")
@pytest.mark.spec("RFC 9068", "2")
@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "PS256", "EdDSA"])
def test_what_an_app_gets_verifies_with_the_published_keys(at_home: Browser, person: Person, algorithm: str) -> None:
    app = an_app("App", algorithm=algorithm)
    tokens = app.tokens(at_home, nonce="n-0S6_WzA2Mj")
    session, client_id = Session.objects.get(), app.client.client_id

    header, claims = verified(tokens["id_token"], audience=client_id)
    assert header.keys() == {"alg", "kid", "typ"}
    assert (header["alg"], header["typ"]) == (algorithm, "JWT")
    digest = (hashlib.sha512 if algorithm == "EdDSA" else hashlib.sha256)(tokens["access_token"].encode()).digest()
    protocol = {name: claims.pop(name) for name in ("iss", "sub", "aud", "auth_time", "amr", "nonce", "sid", "at_hash")}
    assert protocol == {
        "iss": ISSUER,
        "sub": person.subject,
        "aud": [client_id],
        "auth_time": int(session.auth_time.timestamp()),
        "amr": ["phr"],
        "nonce": "n-0S6_WzA2Mj",
        "sid": str(session.pk),
        "at_hash": base64.urlsafe_b64encode(digest[: len(digest) // 2]).decode().rstrip("="),
    }
    assert abs(claims["iat"] - time.time()) < 5
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["jti"]
    assert claims.keys() == {
        "locale",
        "updated_at",
        "iat",
        "exp",
        "jti",
        "given_name",
        "family_name",
        "name",
        "display_name",
        "preferred_username",
        "picture",
        "email",
        "email_verified",
    }

    header, claims = verified(tokens["access_token"], audience=ISSUER)
    assert (header["alg"], header["typ"]) == (algorithm, "at+jwt")
    assert verified(tokens["access_token"], audience=client_id)
    assert claims.keys() == {"iss", "sub", "client_id", "aud", "iat", "exp", "jti", "scp", "scope"}
    assert (claims["sub"], claims["client_id"], claims["aud"]) == (person.subject, client_id, [client_id, ISSUER])
    assert (claims["scope"], claims["scp"]) == ("openid profile email", ["openid", "profile", "email"])
    assert claims["exp"] - claims["iat"] == 3600 == tokens["expires_in"]


@pytest.mark.spec("conformance", "R14")
def test_an_app_may_want_the_claims_at_userinfo_only(at_home: Browser) -> None:
    app = an_app("Strict", claims_in_id_token=False)
    _header, claims = verified(
        app.tokens(at_home, scope="openid profile email groups")["id_token"], audience=app.client.client_id
    )
    assert claims.keys() == {"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "amr", "at_hash", "jti", "sid"}


@pytest.mark.spec("conformance", "R13")
def test_no_nonce_in_means_no_nonce_out(at_home: Browser, client_app: App) -> None:
    _header, claims = verified(client_app.tokens(at_home, nonce=None)["id_token"], audience=client_app.client.client_id)
    assert "nonce" not in claims


@pytest.mark.spec("OIDC Core", "2")
@pytest.mark.parametrize("nonce", ["x", "n" * 2000, "ü☃\u2028", '"}, "sub": "evil'], ids=lambda nonce: nonce[:10])
def test_a_nonce_comes_back_as_it_was(at_home: Browser, client_app: App, nonce: str) -> None:
    _header, claims = verified(
        client_app.tokens(at_home, nonce=nonce)["id_token"], audience=client_app.client.client_id
    )
    assert claims["nonce"] == nonce


@pytest.mark.spec("RFC 9068", "2.2")
def test_two_tokens_are_never_the_same(at_home: Browser, client_app: App) -> None:
    first, second = (client_app.tokens(at_home) for _time in range(2))
    assert first["access_token"] != second["access_token"]


@pytest.mark.spec("attacks.md", "A16")
@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES256"])
def test_the_algorithm_is_the_keys_whatever_a_header_says(at_home: Browser, client_app: App, algorithm: str) -> None:
    from oidc import signing_keys

    token = client_app.tokens(at_home)["id_token"]
    assert signing_keys.verify(token)
    _header, body, signature = token.split(".")
    header = pyjwt.get_unverified_header(token) | {"alg": algorithm}
    forged = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    for text in (f"{forged}.{body}.{signature}", f"{forged}.{body}."):
        with pytest.raises(signing_keys.UnverifiableToken):
            signing_keys.verify(text)


@pytest.mark.spec("RFC 8725", "3.1")
@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "e30.e30.",
        "e30.e30.e30",
        "ü.ü.ü",
        "eyJraWQiOiJ4In0.e30.AAAA",
        "eyJraWQiOlsxXX0.e30.AAAA",
        "bnVsbA.bnVsbA.AAAA",
        "W10.W10.AAAA",
        "\x00.\x00.\x00",
    ],
)
def test_what_is_no_token_of_ours_is_unverifiable(db: None, token: str) -> None:
    from oidc import signing_keys

    with pytest.raises(signing_keys.UnverifiableToken):
        signing_keys.verify(token)
