"""Addresses that this server calls hold no user name and no password: it would never send them, so nobody may register them."""

from typing import Any

import pytest

from oidc.models import Client
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.api.apps.rest import Rest
from tests.api.apps.test_federated_identities import jwk
from tests.console.forms import fill_in
from tests.oidc.app import an_app

pytestmark = [pytest.mark.postgres, pytest.mark.spec("attacks.md", "F8")]
ADDRESSES = ["https://user:password@app.example.com/x", "https://user@app.example.com/x", "http://:@app.example.com/x"]
SAID = "must not contain a user name or a password: this server does not send them"


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("backchannelLogoutURL", lambda address: {"backchannelLogoutURL": address}),
        ("jwksUri", lambda address: {"credentials": {"jwksUri": address}}),
        (
            "jwks",
            lambda address: {
                "credentials": {"federatedIdentities": [{"issuer": "https://a.example.com", "jwks": address}]}
            },
        ),
    ],
)
def test_an_app_cannot_register_one(rest: Rest, field: str, body: Any, address: str) -> None:
    for answer in (
        rest.post("/oidc/clients", {"name": "Wiki"} | body(address)),
        rest.put(f"/oidc/clients/{rest.client()['id']}", {"name": "Wiki"} | body(address)),
    ):
        assert (answer.status, answer.json["code"]) == (400, "validation_failed")
        assert SAID in answer.json["error"]
        assert "password@" not in answer.json["error"]
        assert answer.json["details"]["fields"][0]["field"].endswith(field)


def test_keys_of_such_an_issuer_must_be_registered(rest: Rest) -> None:
    """A name may be whatever the issuer calls itself; only where its keys are read from it is it an address."""

    def sent(**more: Any) -> Any:
        identity = {"issuer": "https://user:password@a.example.com"} | more
        return rest.post("/oidc/clients", {"name": "Wiki", "credentials": {"federatedIdentities": [identity]}})

    refused = sent()
    assert refused.status == 400
    assert "register its public keys or their address" in refused.json["error"]
    assert sent(jwks="https://a.example.com/jwks").status == 201
    assert sent(publicKeys=[jwk()]).status == 201


def test_where_people_go_it_is_theirs_to_know(rest: Rest) -> None:
    assert rest.client(launchURL="https://guest:guest@app.example.com/")["launchURL"].startswith("https://guest:guest@")


def test_a_scim_provider_cannot_have_one(rest: Rest) -> None:
    body = {"endpoint": ADDRESSES[0], "oidcClientId": rest.client()["id"]}
    answer = rest.post("/scim/service-provider", body)
    assert (answer.status, answer.fields) == (400, [("endpoint", "invalid_format")])
    assert SAID in answer.json["error"]


@pytest.mark.parametrize("field", ["jwks_uri", "backchannel_logout_url"])
def test_the_console_says_so_at_the_field(browser: Browser, admin: Person, field: str) -> None:
    browser.sign_in(admin)
    app = an_app("Wiki")
    page = fill_in(
        browser, f"/admin/oidc/client/{app.client.pk}/change/", having="redirect_uris", **{field: ADDRESSES[0]}
    )
    assert page.status_code == 200
    assert SAID in page.text
    assert getattr(Client.objects.get(), field) == ""
