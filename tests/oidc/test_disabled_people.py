"""Disabling or deleting a person ends what lives, for good, and tells each app once."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.utils import timezone

from accounts import lifecycle, sessions
from accounts.models import DeviceLogin, Session, User
from core.secrets import hash_token, new_token
from oidc import clients
from oidc.models import AccessToken, DeviceGrant, Grant, LogoutDelivery, RefreshToken
from pocketid import declared
from tests.accounts.browser import Browser
from tests.accounts.people import Person, a_person
from tests.api.people.script import Script
from tests.console.forms import fill_in
from tests.oidc.app import App, an_app, userinfo
from tests.oidc.test_devices import begin, poll

pytestmark = pytest.mark.postgres

Way = Callable[[Person], None]


def by_verb(person: Person) -> None:
    lifecycle.update(person.user, {"disabled": True})


def over_rest(person: Person) -> None:
    body = {"username": person.user.username, "email": person.user.email, "disabled": True}
    administrator = a_person("root", is_admin=True).user
    assert Script(administrator).change(f"/api/users/{person.subject}", body).status_code == 200


def in_the_console(person: Person) -> None:
    console = Browser()
    console.sign_in(a_person("root", is_admin=True))
    address = f"/admin/accounts/user/{person.subject}/change/"
    assert fill_in(console, address, having="username", disabled="on").status_code == 302


def by_declaration(person: Person) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "server.yaml"
        path.write_text(f"users: [{{username: {person.user.username}, disabled: true}}]")
        declared.apply(path)


WAYS = [by_verb, over_rest, in_the_console, by_declaration]


@pytest.fixture
def chat(db: None) -> App:
    return an_app("Chat", refresh_tokens="always", backchannel_logout_url="https://chat.example.org/logout")


def enable(person: Person) -> None:
    lifecycle.update(User.objects.get(pk=person.user.pk), {"disabled": False})


def deliveries() -> list[tuple[str, bool]]:
    """Which apps are told, and whether of a session."""
    found = LogoutDelivery.objects.order_by("client_name", "sid").values_list("client_name", "sid")
    return [(name, sid is not None) for name, sid in found]


@pytest.mark.spec("attacks.md", "C5")
@pytest.mark.parametrize("disable", WAYS)
def test_enabling_a_person_again_revives_nothing(browser: Browser, person: Person, chat: App, disable: Way) -> None:
    browser.sign_in(person)
    tokens, code, device = chat.tokens(browser), chat.code(browser), begin(chat)
    browser.press("device-allow", browser.get("/device", {"user_code": device["user_code"]}))
    disable(person)
    refusal = chat.refresh(tokens["refresh_token"]).json()
    assert refusal == {"error": "invalid_grant", "error_description": "The user account is disabled."}
    enable(person)
    assert userinfo(tokens["access_token"]).status_code == 401
    assert chat.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert chat.redeem(code).json()["error"] == "invalid_grant"
    assert poll(chat, device).json()["error"] == "access_denied"
    assert browser.get("/api/webauthn/credentials").status_code == 401
    # What is new is as good as ever.
    browser.sign_in(person)
    assert userinfo(chat.tokens(browser)["access_token"]).status_code == 200


@pytest.mark.spec("attacks.md", "C5")
def test_what_a_slow_request_wrote_meanwhile_ends_when_they_are_enabled(person: Person, chat: App) -> None:
    """Both began before the person was disabled, and wrote after."""
    by_verb(person)
    session, _key = sessions.start(person.user, methods=["phr"], place=sessions.Place(), lifetime=timedelta(hours=1))
    grant = Grant.objects.create(
        user=person.user,
        application=chat.client,
        code=hash_token(new_token()),
        expires=timezone.now() + timedelta(minutes=1),
        auth_time=timezone.now(),
        redirect_uri=chat.redirect_uri,
        scope="openid",
    )
    enable(person)
    grant.refresh_from_db()
    assert grant.revoked_at is not None
    assert not Session.objects.filter(pk=session.pk).exists()


def test_a_browser_that_was_let_in_from_another_device_is_shut_out(person: Person) -> None:
    now = timezone.now()
    DeviceLogin.objects.create(
        code_hash=hash_token("code"),
        secret_hash=hash_token("secret"),
        state=DeviceLogin.State.APPROVED,
        user=person.user,
        created_at=now,
        expires_at=now + timedelta(minutes=5),
    )
    by_verb(person)
    assert not DeviceLogin.objects.exists()


def test_nobody_elses_tokens_end(browser: Browser, person: Person, chat: App) -> None:
    bob, other = a_person("carol"), Browser()
    browser.sign_in(person)
    other.sign_in(bob)
    mine, theirs = chat.tokens(browser), chat.tokens(other)
    by_verb(person)
    assert userinfo(mine["access_token"]).status_code == 401
    assert userinfo(theirs["access_token"]).status_code == 200
    assert chat.refresh(theirs["refresh_token"]).status_code == 200


def test_deleting_a_person_leaves_no_token(browser: Browser, person: Person, chat: App) -> None:
    browser.sign_in(person)
    tokens, code, device = chat.tokens(browser), chat.code(browser), begin(chat)
    browser.press("device-allow", browser.get("/device", {"user_code": device["user_code"]}))
    lifecycle.delete(person.user)
    for model in (Grant, AccessToken, RefreshToken, Session, DeviceGrant):
        assert not model.objects.exists(), model
    assert userinfo(tokens["access_token"]).status_code == 401
    for refused in (chat.refresh(tokens["refresh_token"]), chat.redeem(code), poll(chat, device)):
        assert refused.json()["error"] == "invalid_grant"


@pytest.mark.spec("Back-Channel Logout", "2.5")
@pytest.mark.parametrize("end", [by_verb, lambda person: lifecycle.delete(person.user)], ids=["disabled", "deleted"])
def test_each_app_is_told_once_for_each_session(browser: Browser, person: Person, chat: App, end: Way) -> None:
    """An app without a session but with tokens, or one that the person let in long ago, is told of the person alone."""
    phone, third = Browser(), Browser()
    mail = an_app("Mail", backchannel_logout_url="https://mail.example.org/logout")
    notes = an_app("Notes", refresh_tokens="always", backchannel_logout_url="https://notes.example.org/logout")
    an_app("Never used", backchannel_logout_url="https://never.example.org/logout")
    browser.sign_in(person)
    phone.sign_in(person)
    for each in (browser, phone):
        chat.tokens(each)
    mail.tokens(browser)
    third.sign_in(person)
    notes.tokens(third)
    Session.objects.filter(pk=Grant.objects.get(application=notes.client).sid).delete()  # as its time does
    third.sign_in(person)
    wiki = an_app("Wiki", backchannel_logout_url="https://wiki.example.org/logout")
    wiki.tokens(third)
    sid = Grant.objects.get(application=wiki.client).sid
    Grant.objects.filter(application=wiki.client).delete()  # as the job does when its tokens have expired
    Session.objects.filter(pk=sid).delete()
    assert deliveries() == []
    end(person)
    told = [("Chat", True), ("Chat", True), ("Mail", True), ("Notes", False), ("Wiki", False)]
    assert deliveries() == told
    if User.objects.filter(pk=person.user.pk).exists():
        lifecycle.delete(person.user)
        assert deliveries() == told


def test_disabling_twice_tells_of_nothing_the_second_time(browser: Browser, person: Person, chat: App) -> None:
    browser.sign_in(person)
    chat.tokens(browser)
    by_verb(person)
    assert deliveries() == [("Chat", True)]
    by_verb(person)
    assert deliveries() == [("Chat", True)]


def test_withdrawing_consent_tells_an_app_whose_tokens_have_ended(browser: Browser, person: Person, chat: App) -> None:
    browser.sign_in(person)
    chat.tokens(browser)
    Grant.objects.all().delete()
    browser.delete(f"/api/oidc/users/me/authorized-clients/{chat.client.client_id}")
    assert deliveries() == [("Chat", False)]


def test_deleting_a_client_tells_it_of_everybody_who_ever_let_it_in(
    browser: Browser, person: Person, chat: App
) -> None:
    browser.sign_in(person)
    other = Browser()
    other.sign_in(a_person("carol"))
    for each in (browser, other):
        chat.tokens(each)
    Grant.objects.filter(user=person.user).delete()  # as the job does when its tokens have expired
    clients.delete(chat.client.client_id)
    assert deliveries() == [("Chat", False), ("Chat", False)]
    assert person.subject in LogoutDelivery.objects.values_list("subject", flat=True)
