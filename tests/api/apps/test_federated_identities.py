"""Federated identities of clients: what is kept of them, and which public keys are taken (contract 8.9, 2.15)."""

from typing import Any

import pytest
from jwcrypto.jwk import JWK

from tests.api.apps.rest import Rest

pytestmark = pytest.mark.postgres


def jwk(kind: str = "EC", kid: str = "one", **more: Any) -> dict[str, Any]:
    parameters: dict[str, Any] = {"EC": {"crv": "P-256"}, "RSA": {"size": 2048}, "OKP": {"crv": "Ed25519"}}[kind]
    return JWK.generate(kty=kind, kid=kid, **parameters).export_public(as_dict=True) | more


def sent(rest: Rest, **identity: Any) -> Any:
    return rest.post(
        "/oidc/clients",
        {
            "name": "Federated",
            "credentials": {"federatedIdentities": [{"issuer": "https://issuer.example.com"} | identity]},
        },
    )


def test_identities_come_back_in_order_and_as_a_whole(rest: Rest) -> None:
    full = {
        "issuer": "https://b.example.com",
        "subject": "s",
        "audience": "a",
        "jwks": "https://b.example.com/jwks",
        "replayProtection": True,
    }
    client = rest.client(
        credentials={"federatedIdentities": [full, {"issuer": "https://a.example.com", "subject": ""}]}
    )
    expected = [full, {"issuer": "https://a.example.com", "replayProtection": False}]
    assert client["credentials"]["federatedIdentities"] == expected
    path = f"/oidc/clients/{client['id']}"
    assert rest.get(path).json["credentials"]["federatedIdentities"] == expected
    replaced = rest.put(
        path, {"name": "x", "credentials": {"federatedIdentities": [{"issuer": "https://b.example.com"}]}}
    ).json
    assert replaced["credentials"]["federatedIdentities"] == [
        {"issuer": "https://b.example.com", "replayProtection": False}
    ]
    assert "federatedIdentities" not in rest.put(path, {"name": "x"}).json["credentials"]


@pytest.mark.parametrize("kind", ["EC", "RSA", "OKP"])
def test_public_keys_are_kept_without_what_is_not_needed(rest: Rest, kind: str) -> None:
    key = jwk(kind, use="sig")
    answer = sent(rest, publicKeys=[key | {"x5c": ["junk"], "anything": {"deep": 1}}])
    assert answer.status == 201
    assert answer.json["credentials"]["federatedIdentities"][0]["publicKeys"] == [key]


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ([jwk() | {"d": "AAAA"}], "private"),
        ([{"kty": "oct", "kid": "one", "k": "c2VjcmV0"}], "asymmetric"),
        ([{"kty": "oct", "kid": "one"}], "asymmetric"),
        ([{"kty": "OKP", "crv": "X25519", "kid": "one", "x": "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"}], "curve"),
        ([jwk(kid="")], "key ID"),
        ([{name: value for name, value in jwk().items() if name != "kid"}], "key ID"),
        ([jwk(use="enc")], "use"),
        ([jwk(), jwk()], "unique"),
        ([jwk() | {"x": "AAAA"}], "invalid"),
        ([jwk() | {"crv": "P-999"}], "invalid"),
        ([jwk() | {"y": 5}], "invalid"),
        ([{"kty": "RSA", "kid": "one"}], "invalid"),
        ([JWK.generate(kty="RSA", size=1024, kid="one").export_public(as_dict=True)], "too short"),
        (["key"], "object"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_in_words(rest: Rest, keys: list[Any], says: str) -> None:
    answer = sent(rest, publicKeys=keys)
    assert (answer.status, answer.json["code"]) == (400, "validation_failed")
    assert says in answer.json["error"]


def test_keys_come_either_as_a_list_or_from_an_address(rest: Rest) -> None:
    answer = sent(rest, publicKeys=[jwk()], jwks="https://issuer.example.com/jwks")
    assert (answer.status, answer.json["code"]) == (400, "validation_failed")
    assert sent(rest, publicKeys=[], jwks="https://issuer.example.com/jwks").status == 201
    assert sent(rest, jwks="file:///etc/passwd").fields == [
        ("credentials.federatedIdentities[0].jwks", "invalid_format")
    ]


# A client's own keys: ours, beside the contract


def test_own_keys_and_their_address_take_each_others_place(rest: Rest) -> None:
    key = jwk(kid="one")
    client = rest.client(credentials={"jwks": {"keys": [key]}})
    path = f"/oidc/clients/{client['id']}"
    assert client["credentials"]["jwks"] == {"keys": [key]}
    assert rest.put(path, {"name": "x"}).json["credentials"]["jwks"] == {"keys": [key]}  # left out: as it is
    moved = rest.put(path, {"name": "x", "credentials": {"jwksUri": "https://app.example.org/jwks"}}).json
    assert moved["credentials"]["jwksUri"] == "https://app.example.org/jwks"
    assert "jwks" not in moved["credentials"]
    back = rest.put(path, {"name": "x", "credentials": {"jwks": key}}).json["credentials"]
    assert back["jwks"] == {"keys": [key]}
    assert "jwksUri" not in back
    assert "jwks" not in rest.put(path, {"name": "x", "credentials": {"jwks": None}}).json["credentials"]


def test_an_own_key_without_an_id_gets_its_thumbprint(rest: Rest) -> None:
    key = JWK.generate(kty="EC", crv="P-256")
    client = rest.client(credentials={"jwks": {"keys": [key.export_public(as_dict=True)]}})
    assert client["credentials"]["jwks"]["keys"][0]["kid"] == key.thumbprint()


@pytest.mark.parametrize(
    "credentials",
    [
        {"jwks": {"keys": [{"kty": "oct", "kid": "a", "k": "c2VjcmV0"}]}},
        {"jwks": "x"},
        {"jwks": [7]},
        {"jwks": {"keys": {}}},
        {"jwks": {"keys": [{}] * 21}},
        {"jwksUri": "ftp://x"},
        {"jwksUri": 7},
        {"jwks": {"keys": [jwk()]}, "jwksUri": "https://app.example.org/jwks"},
    ],
)
def test_own_keys_that_cannot_be_used_are_refused(rest: Rest, credentials: dict[str, Any]) -> None:
    answer = rest.post("/oidc/clients", {"name": "x", "credentials": credentials})
    assert (answer.status, answer.json["code"]) in ((400, "validation_failed"), (400, "invalid_request_body"))
