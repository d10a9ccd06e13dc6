"""Keys in the console."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Session
from apikeys.models import ApiKey
from audit.models import Entry
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.api.people.script import Script, refusal
from tests.support.html_form import forms

AT = "/admin/apikeys/apikey/"


def test_a_key_is_made_and_shown_once(at_home: Browser, admin: Person) -> None:
    page = at_home.get(AT + "add/")
    form = next(form.fields for form in forms(page.text, page_url="http://localhost:1411/") if "name" in form.fields)
    answer = at_home.post(
        AT + "add/",
        form | {"name": "backup", "expires_at_0": "2099-01-01", "expires_at_1": "00:00:00", "scopes": ["users:read"]},
    )
    assert answer.status_code == 200, answer.text
    key = ApiKey.objects.get()
    secret = answer.text.split('id="api-key"')[1].split(">", 1)[1].split("<", 1)[0]
    assert secret.startswith(key.prefix)
    assert (key.user, key.scopes) == (admin.user, ["users:read"])
    assert Script(key=secret).read("/api/users").status_code == 200
    assert secret not in at_home.get(AT).text + at_home.get(f"{AT}{key.pk}/change/").text
    assert Entry.objects.filter(event="API_KEY_CREATED", username="alice").exists()


def test_a_key_of_the_past_is_refused(at_home: Browser) -> None:
    page = at_home.get(AT + "add/")
    form = next(form.fields for form in forms(page.text, page_url="http://localhost:1411/") if "name" in form.fields)
    answer = at_home.post(
        AT + "add/", form | {"name": "backup", "expires_at_0": "2001-01-01", "expires_at_1": "00:00:00"}
    )
    assert "Choose a time in the future." in answer.text
    assert not ApiKey.objects.exists()


@pytest.mark.spec("attacks.md", "D4")
def test_an_old_session_proves_itself_first(at_home: Browser) -> None:
    Session.objects.update(auth_time=timezone.now() - timedelta(minutes=11))
    page = at_home.get(AT + "add/")
    form = next(form.fields for form in forms(page.text, page_url="http://localhost:1411/") if "name" in form.fields)
    fields = {"name": "backup", "expires_at_0": "2099-01-01", "expires_at_1": "00:00:00"}
    answer = at_home.post(AT + "add/", form | fields)
    assert "pid_" not in answer.text
    assert not ApiKey.objects.exists()


def test_anybodys_key_can_be_revoked(at_home: Browser, person: Person) -> None:
    script = Script(person.user)
    assert script.key.prefix in at_home.get(AT).text
    page = at_home.get(f"{AT}{script.key.pk}/delete/")
    form = next(
        form.fields for form in forms(page.text, page_url="http://localhost:1411/") if form.fields.get("post") == "yes"
    )
    assert at_home.post(f"{AT}{script.key.pk}/delete/", form).status_code == 302
    assert refusal(script.read("/api/users/me")) == (401, "not_signed_in")
    entry = Entry.objects.get(event="API_KEY_DELETED")
    assert (entry.username, entry.actor_username) == ("bob", "alice")
