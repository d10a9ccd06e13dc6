"""An administrator's own keys on their pages: made, shown once, renewed, revoked."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.utils import timezone

from apikeys.models import ApiKey
from audit.models import Entry, Event
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import http

pytestmark = pytest.mark.postgres

NEW = "/settings/api-keys/new"


@pytest.fixture
def alices(browser: Browser, admin: Person) -> Browser:
    browser.sign_in(admin)
    return browser


def make(browser: Browser, **filled_in: str) -> str:
    """The key that the page shows after it was made."""
    page = browser.press("api-key-create", browser.get(NEW), **{"name": "Terraform"} | filled_in)
    assert page.status_code == 200, page.text
    return shown(page.text)


def shown(text: str) -> str:
    return re.findall(r'<code id="api-key"[^>]*>([^<]+)<', text)[0]


def status_with(key: str, path: str = "/api/users") -> int:
    return http().get(path, headers={"X-API-Key": key}).status_code


def test_only_administrators_see_the_pages(browser: Browser, person: Person, admin: Person) -> None:
    assert browser.get("/settings/api-keys")["Location"] == "/login?redirect=%2Fsettings%2Fapi-keys"
    browser.sign_in(person)
    for path in ("/settings/api-keys", NEW):
        assert browser.get(path).status_code == 403
    assert "/settings/api-keys" not in browser.get("/settings/account").text


def test_a_key_is_shown_once_and_works(alices: Browser, admin: Person) -> None:
    key = make(alices, description="The one on the build server")
    assert key.startswith("pid_")
    assert len(key) >= 47
    assert status_with(key) == 200
    listed = alices.get("/settings/api-keys").text
    assert key not in listed
    assert key[:10] in listed
    assert "The one on the build server" in listed
    row = ApiKey.objects.get()
    assert row.user == admin.user
    assert timedelta(days=29) < row.expires_at - timezone.now() < timedelta(days=31)
    entry = Entry.objects.get(event=Event.API_KEY_CREATED)
    assert entry.data == {"keyName": "Terraform"}


def test_a_limited_key_may_only_what_was_chosen(alices: Browser) -> None:
    page = alices.get(NEW)
    token = page.context["csrf_token"]
    answer = alices.post(
        NEW,
        {
            "csrfmiddlewaretoken": token,
            "name": "Reader",
            "description": "",
            "expires_at": "2999-01-01",
            "scopes": ["users:read", "clients:read"],
        },
    )
    key = shown(answer.text)
    assert ApiKey.objects.get().scopes == ["clients:read", "users:read"]
    assert status_with(key) == 200
    assert status_with(key, "/api/user-groups") == 403
    assert "users:read" in alices.get("/settings/api-keys").text


@pytest.mark.parametrize(
    "wrong",
    [{"name": "ab"}, {"name": ""}, {"expires_at": "2020-01-01"}, {"expires_at": "soon"}, {"scopes": "everything"}],
    ids=str,
)
def test_a_wrong_form_says_so_and_keeps_what_was_typed(alices: Browser, wrong: dict[str, str]) -> None:
    filled_in = {"name": "Terraform", "description": "keep me", "expires_at": "2999-01-01"} | wrong
    page = alices.press("api-key-create", alices.get(NEW), **filled_in)
    assert page.status_code == 422
    assert "keep me" in page.text
    assert 'class="wrong"' in page.text
    assert not ApiKey.objects.exists()


def test_an_old_session_proves_itself_again_and_loses_nothing(alices: Browser, admin: Person) -> None:
    page = alices.get(NEW)
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        asked = alices.press("api-key-create", page, name="Terraform", description="keep me")
        assert asked["Location"].startswith("/login?reauthenticate&redirect=")
        assert not ApiKey.objects.exists()
        back = parse_qs(urlsplit(asked["Location"]).query)["redirect"][0]
        assert alices.get(NEW)["Location"].startswith("/login?reauthenticate")
        alices.sign_in(admin)
        again = alices.get(back)
        assert 'value="keep me"' in again.text
        assert alices.press("api-key-create", again).status_code == 200
    assert ApiKey.objects.get().description == "keep me"


def test_revoking_asks_first(alices: Browser) -> None:
    key = make(alices)
    path = f"/settings/api-keys/{ApiKey.objects.get().pk}/revoke"
    question = alices.get(path)
    assert "Revoke the key “Terraform”?" in question.text
    assert status_with(key) == 200
    assert alices.press("api-key-revoke", question)["Location"] == "/settings/api-keys"
    assert status_with(key) == 401
    assert "does not work any more" in alices.get("/settings/api-keys").text
    assert Entry.objects.filter(event=Event.API_KEY_DELETED).count() == 1
    assert alices.get(path).status_code == 404


def test_only_an_expired_key_is_renewed(alices: Browser) -> None:
    first = make(alices)
    row = ApiKey.objects.get()
    token = alices.get(NEW).context["csrf_token"]
    form = {"csrfmiddlewaretoken": token, "expires_at": "2999-01-01"}
    assert alices.post(f"/settings/api-keys/{row.pk}/renew", form).status_code == 302
    assert "API key is not expired yet" in alices.get("/settings/api-keys").text
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(days=1))
    page = alices.get("/settings/api-keys")
    assert "Expired" in page.text
    second = shown(alices.press("api-key-renew", page, expires_at="2999-01-01").text)
    assert (status_with(first), status_with(second)) == (401, 200)


def test_somebody_elses_key_is_not_found(alices: Browser, person: Person) -> None:
    make(alices)
    person.user.is_admin = True
    person.user.save()
    bobs = Browser()
    bobs.sign_in(person)
    key = ApiKey.objects.get()
    token = bobs.get(NEW).context["csrf_token"]
    form = {"csrfmiddlewaretoken": token, "expires_at": "2999-01-01"}
    assert bobs.get(f"/settings/api-keys/{key.pk}/revoke").status_code == 404
    for step in ("revoke", "renew"):
        assert bobs.post(f"/settings/api-keys/{key.pk}/{step}", form).status_code == 404
    assert "Terraform" not in bobs.get("/settings/api-keys").text
    assert ApiKey.objects.count() == 1
