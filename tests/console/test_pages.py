"""The administrators' console: every page opens, for administrators and for nobody else."""

import re
from collections.abc import Iterator

import pytest
from django.contrib import admin as django_admin
from django.db.models import Model
from django.urls import reverse

from accounts.models import CustomClaim, Group, Passkey, Session, User
from audit.models import Entry
from oidc.models import Client, ClientSecret, Consent
from siteconfig.models import SiteConfiguration
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, post_form
from tests.support.html_form import Form, forms

REGISTERED = sorted(django_admin.site._registry, key=lambda model: model._meta.label)


@pytest.fixture
def console(browser: Browser, admin: Person) -> Browser:
    browser.sign_in(admin)
    return browser


@pytest.fixture
def one_of_each(console: Browser, person: Person, client_app: App) -> None:
    """A row of every model that the console shows."""
    group = Group.objects.create(name="staff", friendly_name="Staff")
    person.user.groups.add(group)
    CustomClaim.objects.create(group=group, key="shift", value="night")
    bobs = Browser()
    bobs.sign_in(person)
    client_app.code(bobs)
    for model in (Client, Consent, CustomClaim, Entry, Group, Passkey, Session, SiteConfiguration, User):
        assert model._default_manager.exists(), f"no {model.__name__} to look at"


def addresses(model: type[Model]) -> Iterator[str]:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    yield reverse(f"{name}_changelist")
    yield reverse(f"{name}_add")
    for row in model._default_manager.all()[:2]:
        for page in ("change", "delete", "history"):
            yield reverse(f"{name}_{page}", args=[row.pk])


def is_allowed(model: type[Model], address: str) -> bool:
    """Some models are only read: their pages to add or to delete are refused."""
    options = django_admin.site._registry[model]
    request = type("Request", (), {"user": type("Anybody", (), {"has_perm": lambda *_args: True})()})()
    return not (
        (address.endswith("/add/") and not options.has_add_permission(request))
        or (address.endswith("/delete/") and not options.has_delete_permission(request))
    )


def test_the_overview_begins_with_people_and_their_apps(console: Browser) -> None:
    found = re.findall(r'id="app-([a-z]+)"', console.get("/admin/").text)
    assert found[:4] == ["accounts", "oidc", "audit", "siteconfig"]


def test_the_console_shows_what_it_should() -> None:
    assert {User, Group, Passkey, Session, Client, Consent, Entry, SiteConfiguration} <= set(REGISTERED)
    assert {"Permission", "Site", "AccessToken", "RefreshToken", "IDToken", "Grant"}.isdisjoint(
        model.__name__ for model in REGISTERED
    )
    assert "auth" not in {model._meta.app_label for model in REGISTERED}


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_every_page_opens_for_an_administrator(console: Browser, one_of_each: None, model: type[Model]) -> None:
    for address in addresses(model):
        response = console.get(address)
        assert response.status_code == (200 if is_allowed(model, address) else 403), address
        assert is_ours(response), address


@pytest.mark.parametrize(
    "address", ["/admin/", "/admin/accounts/", "/admin/oidc/", "/admin/audit/", "/admin/siteconfig/", "/admin/jsi18n/"]
)
def test_the_other_pages_open_too(console: Browser, address: str) -> None:
    response = console.get(address)
    assert response.status_code == 200
    assert is_ours(response)


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_every_list_can_be_searched_sorted_and_filtered(
    console: Browser, one_of_each: None, model: type[Model]
) -> None:
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    for query in (
        "q=x",
        "q=%00",
        "o=1",
        "o=-2.1",
        "p=99",
        "all=",
        "is_admin__exact=1",
        "nonsense=1",
        "q=" + "x" * 5000,
    ):
        assert console.get(f"{address}?{query}").status_code in (200, 302), query


def is_ours(response) -> bool:
    """The policy with a nonce, and nothing in the page that it would stop."""
    policy = response["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    nonces = re.findall(r"'nonce-([^']+)'", policy)
    for attributes, body in re.findall(r"<script([^>]*)>(.*?)</script>", response.text, re.DOTALL):
        assert (
            not body.strip()
            or "application/json" in attributes
            or any(f'nonce="{nonce}"' in attributes for nonce in nonces)
        ), body[:200]
    assert not re.search(r"<style(?![^>]*nonce)", response.text)
    assert not re.search(r"<[^>]+\son[a-z]+\s*=", response.text)
    assert not re.search(r"<[^>]+\sstyle\s*=", response.text), re.search(r"<[^>]+\sstyle\s*=[^>]*", response.text)
    assert "javascript:" not in response.text
    return True


# Others


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_a_person_without_rights_is_told_so_and_not_sent_in_circles(
    person: Person, admin: Person, model: type[Model]
) -> None:
    browser = Browser()
    browser.sign_in(person)
    for address in ("/admin/", *addresses(model)):
        response = browser.get(address, follow=True)
        assert response.status_code == 403, address
        assert len(response.redirect_chain) <= 1, response.redirect_chain
        assert "This page is not for your account" in response.text
        assert "Location" not in response.headers
        assert browser.post(
            address, {"csrfmiddlewaretoken": browser.get("/settings/account").context["csrf_token"], "post": "yes"}
        ).status_code in (302, 403)
    assert model is not User or User.objects.count() == 2


def test_a_stranger_is_sent_to_sign_in_and_back(admin: Person) -> None:
    for address in (
        "/admin/",
        "/admin/oidc/client/?q=x",
        "/admin/oidc/client/add/",
        f"/admin/accounts/user/{admin.user.pk}/delete/",
    ):
        browser = Browser()
        page = browser.get(address, follow=True)
        assert 'data-page="sign-in"' in page.text, address
        browser.sign_in(admin)
        assert browser.get(page.redirect_chain[-1][0])["Location"] == address


def test_an_administrator_who_is_one_no_more_is_out_at_once(console: Browser, admin: Person) -> None:
    assert console.get("/admin/").status_code == 200
    admin.user.is_admin = False
    admin.user.save()
    assert console.get("/admin/", follow=True).status_code == 403


def test_there_are_no_passwords(console: Browser, admin: Person) -> None:
    for address in ("/admin/password_change/", f"/admin/accounts/user/{admin.user.pk}/password/"):
        assert console.get(address).status_code in (301, 302, 404)
    assert "password" not in console.get(f"/admin/accounts/user/{admin.user.pk}/change/").text.lower()


# Clients


def add_form(console: Browser) -> Form:
    page = console.get("/admin/oidc/client/add/")
    form = next(
        form
        for form in forms(page.text, page_url="http://localhost:1411/admin/oidc/client/add/")
        if "name" in form.fields
    )
    form.fields |= {
        "name": "Wiki",
        "client_type": "confidential",
        "redirect_uris": "https://wiki.example.org/callback",
        "post_logout_redirect_uris": "",
        "description": "",
        "algorithm": "RS256",
        "refresh_tokens": "offline_access",
    }
    return form


def shown(text: str, name: str) -> str:
    return text.partition(f'id="{name}"')[2].partition(">")[2].partition("<")[0].strip()


def test_a_new_client_shows_its_secret_once_and_the_secret_works(console: Browser) -> None:
    page = console.post("/admin/oidc/client/add/", add_form(console).fields)
    assert page.status_code == 200
    client, secret = Client.objects.get(name="Wiki"), shown(page.text, "client-secret")
    assert shown(page.text, "client-id") == client.client_id
    assert len(secret) >= 43
    for address in (
        "http://localhost:1411/.well-known/openid-configuration",
        "http://localhost:1411/authorize",
        "http://localhost:1411/api/oidc/token",
        "http://localhost:1411/api/oidc/userinfo",
        "http://localhost:1411/.well-known/jwks.json",
    ):
        assert address in page.text
    assert page["Cache-Control"].count("no-store")
    assert secret not in console.get(f"/admin/oidc/client/{client.pk}/change/").text
    form = {"grant_type": "authorization_code", "code": "x", "client_id": client.client_id}
    assert post_form("/api/oidc/token", form | {"client_secret": secret}).json()["error"] == "invalid_grant"
    assert post_form("/api/oidc/token", form | {"client_secret": secret + "x"}).json()["error"] == "invalid_client"
    assert secret not in " ".join(map(str, Entry.objects.values_list("data", flat=True)))


def test_a_public_client_has_none(console: Browser) -> None:
    page = console.post("/admin/oidc/client/add/", add_form(console).fields | {"client_type": "public"})
    assert page.status_code == 200
    assert 'id="client-secret"' not in page.text
    assert Client.objects.get().pkce_required
    assert not ClientSecret.objects.exists()


def test_a_second_secret_is_made_by_a_form_alone(console: Browser, client_app: App) -> None:
    address = f"/admin/oidc/client/{client_app.client.pk}/new-secret/"
    console.get(address)
    assert console.post(address).status_code == 403
    assert ClientSecret.objects.count() == 1
    page = console.press("new-secret", console.get(f"/admin/oidc/client/{client_app.client.pk}/change/"))
    assert ClientSecret.objects.count() == 2
    first, client_app.secret = client_app.secret, shown(page.text, "client-secret")
    for secret in (first, client_app.secret):
        client_app.secret = secret
        assert client_app.token(grant_type="refresh_token", refresh_token="x").json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "wrong",
    [
        {"redirect_uris": "javascript:alert(1)"},
        {"redirect_uris": "https://*"},
        {"redirect_uris": "https://a.example/#x"},
        {"name": ""},
        {"client_type": "magic"},
        {"algorithm": "HS256"},
        {"client_id": "a b"},
        {"access_token_minutes": "0"},
        {"launch_url": "javascript:alert(1)"},
        {"post_logout_redirect_uris": "/relative"},
    ],
    ids=str,
)
def test_a_wrong_client_is_not_made(console: Browser, wrong: dict[str, str]) -> None:
    page = console.post("/admin/oidc/client/add/", add_form(console).fields | wrong)
    assert page.status_code == 200
    assert "errorlist" in page.text or "errornote" in page.text
    assert not Client.objects.exists()


def test_its_id_cannot_be_changed(console: Browser, client_app: App) -> None:
    page = console.get(f"/admin/oidc/client/{client_app.client.pk}/change/")
    form = next(form for form in forms(page.text, page_url="http://localhost:1411/") if "name" in form.fields)
    console.post(
        f"/admin/oidc/client/{client_app.client.pk}/change/",
        form.fields
        | {
            "client_id": "taken",
            "client_type": "confidential",
            "redirect_uris": "https://x.example/",
            "algorithm": "RS256",
            "refresh_tokens": "never",
        },
    )
    assert Client.objects.get().client_id == client_app.client.client_id


# People


def test_deleting_a_session_signs_its_browser_out(console: Browser, person: Person) -> None:
    bobs = Browser()
    bobs.sign_in(person)
    row = Session.objects.get(user=person.user)
    address = f"/admin/accounts/session/{row.pk}/delete/"
    token = console.get(address).context["csrf_token"]
    assert console.post(address, {"post": "yes", "csrfmiddlewaretoken": token}).status_code == 302
    assert bobs.get("/api/webauthn/credentials").status_code == 401


def test_the_log_can_be_read_and_not_changed(console: Browser) -> None:
    row = Entry.objects.first()
    assert console.get(f"/admin/audit/entry/{row.pk}/change/").status_code == 200
    token = console.get("/admin/").context["csrf_token"]
    for address in (
        f"/admin/audit/entry/{row.pk}/delete/",
        "/admin/audit/entry/add/",
        f"/admin/audit/entry/{row.pk}/change/",
    ):
        assert console.post(address, {"post": "yes", "csrfmiddlewaretoken": token, "username": "x"}).status_code == 403
    assert Entry.objects.filter(pk=row.pk, username=row.username).exists()


def test_private_keys_are_not_shown(console: Browser) -> None:
    from oidc.models import SigningKey

    for row in SigningKey.objects.all():
        assert row.private_key[:40] not in console.get(reverse("admin:oidc_signingkey_change", args=[row.pk])).text
