"""Keys and federated identities of a client, pasted into the console."""

import json

import pytest

from oidc.models import Client, ClientSecret
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.console.test_pages import add_form, shown
from tests.oidc.app import post_form
from tests.oidc.assertions import a_key, assertion, proof, public
from tests.support.html_form import forms


@pytest.fixture
def console(browser: Browser, admin: Person) -> Browser:
    browser.sign_in(admin)
    return browser


def test_a_client_with_keys_gets_no_secret_and_signs(console: Browser) -> None:
    key = a_key()
    page = console.post("/admin/oidc/client/add/", add_form(console).fields | {"jwks": json.dumps(public(key))})
    assert page.status_code == 200
    assert shown(page.text, "client-secret") == ""
    assert not ClientSecret.objects.exists()
    client = Client.objects.get()
    form = {"grant_type": "client_credentials"} | proof(assertion(client.client_id, key))
    assert post_form("/api/oidc/token", form).status_code == 200

    # The form shows what it keeps, and saving it again changes nothing.
    address = f"/admin/oidc/client/{client.pk}/change/"
    form_again = next(each for each in forms(console.get(address).text, page_url="http://localhost:1411" + address) if "name" in each.fields)  # fmt: skip
    assert json.loads(form_again.fields["jwks"]) == public(key)
    before = client.jwks
    console.post(address, form_again.fields | {"client_type": "confidential", "algorithm": "RS256", "refresh_tokens": "never"})  # fmt: skip
    client.refresh_from_db()
    assert (client.jwks, client.refresh_tokens) == (before, "never")


def test_federated_identities_follow_the_rules_of_the_api(console: Browser) -> None:
    given = [{"issuer": "https://cluster.example", "subject": "system:serviceaccount:shop:web", "audience": ""}]
    console.post("/admin/oidc/client/add/", add_form(console).fields | {"federated_identities": json.dumps(given)})
    assert Client.objects.get().federated_identities == [
        {"issuer": given[0]["issuer"], "subject": given[0]["subject"], "replayProtection": False}
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"jwks": "{"},
        {"jwks": "7"},
        {"jwks": '{"keys": 7}'},
        {"jwks": '{"kty": "oct", "k": "c2VjcmV0"}'},
        {"jwks": json.dumps(a_key().as_dict(private=True))},
        {"jwks": "[" * 100_000},
        {"jwks_uri": "ftp://x.example/"},
        {"jwks_uri": "https://x.example/#y"},
        {"jwks_uri": "https://x.example/", "jwks": json.dumps(public(a_key()))},
        {"federated_identities": "{"},
        {"federated_identities": "{}"},
        {"federated_identities": "[7]"},
        {"federated_identities": '[{"subject": "s"}]'},
        {"federated_identities": '[{"issuer": "https://i.example", "jwks": "x"}]'},
        {"federated_identities": '[{"issuer": "https://i.example", "publicKeys": [{"kty": "oct"}]}]'},
    ],
    ids=lambda wrong: next(iter(wrong)) + str(next(iter(wrong.values())))[:6],
)
def test_what_cannot_be_used_is_refused_with_a_reason_and_nothing_is_lost(
    console: Browser, wrong: dict[str, str]
) -> None:
    page = console.post("/admin/oidc/client/add/", add_form(console).fields | wrong)
    assert page.status_code == 200
    assert "errorlist" in page.text
    assert not Client.objects.exists()
    assert 'value="Wiki"' in page.text


@pytest.mark.spec("relying-parties.md", "3, rule 21")
def test_an_address_without_a_path_is_kept_with_a_warning(console: Browser) -> None:
    """As Portainer's guide has it; Pocket ID once took it for every path."""
    for address, is_warned in (("https://portainer.example.org", True), ("https://portainer.example.org/", False)):
        fields = add_form(console).fields | {"redirect_uris": address}
        page = console.post("/admin/oidc/client/add/", fields)
        assert page.status_code == 200
        assert ("has no path" in page.text) is is_warned
    assert Client.objects.count() == 2
