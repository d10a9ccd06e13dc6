"""Apps in the console, changed by the verbs that REST calls too; and sign-outs on their way to them."""

import struct
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.models import Group
from audit.models import Entry, Event
from oidc.models import Client, Consent, LogoutDelivery
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.console.forms import act, fill_in, notes
from tests.oidc.app import App, an_app, userinfo

pytestmark = pytest.mark.postgres

CLIENTS, DELIVERIES = "/admin/oidc/client/", "/admin/oidc/logoutdelivery/"


@pytest.fixture
def console(browser: Browser, admin: Person) -> Browser:
    browser.sign_in(admin)
    return browser


@pytest.fixture
def chat(db: None) -> App:
    return an_app("Chat", backchannel_logout_url="https://chat.example.com/bye")


def change(console: Browser, client: Client, **values: object):
    return fill_in(console, f"{CLIENTS}{client.pk}/change/", having="redirect_uris", **values)


def a_picture() -> bytes:
    """A PNG of one pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0\xff\0\0"))
        + chunk(b"IEND", b"")
    )


def test_every_setting_is_kept_as_it_was_filled_in(console: Browser, chat: App) -> None:
    done = change(
        console,
        chat.client,
        name="Chat room",
        redirect_uris="https://a.example/cb\nhttps://b.example/cb",
        launch_url="https://a.example",
        backchannel_logout_url="https://a.example/bye",
        backchannel_logout_on_session_expiry=None,
        par_required="on",
        algorithm="ES256",
        refresh_tokens="never",
        access_token_minutes="5",
    )
    assert done.status_code == 302, done.text
    client = Client.objects.get()
    assert (client.name, client.redirect_uris.split()) == (
        "Chat room",
        ["https://a.example/cb", "https://b.example/cb"],
    )
    assert (client.launch_url, client.backchannel_logout_url) == ("https://a.example", "https://a.example/bye")
    assert not client.backchannel_logout_on_session_expiry
    assert (client.par_required, client.algorithm, client.refresh_tokens) == (True, "ES256", "never")
    assert (client.access_token_minutes, client.claims_in_id_token) == (5, True)


def test_a_wrong_address_for_sign_outs_is_said(console: Browser, chat: App) -> None:
    page = change(console, chat.client, backchannel_logout_url="ftp://a.example/bye")
    assert "errorlist" in page.text
    assert Client.objects.get().backchannel_logout_url == "https://chat.example.com/bye"


def test_closing_an_app_to_others_is_told_to_it(console: Browser, chat: App, person: Person) -> None:
    bobs = Browser()
    bobs.sign_in(person)
    chat.code(bobs)
    done = change(console, chat.client, is_group_restricted="on")
    assert done.status_code == 302
    assert "nobody can use this app yet" in notes(console)
    assert [each.subject for each in LogoutDelivery.objects.all()] == [person.subject]


def test_the_groups_of_an_app_are_kept(console: Browser, chat: App) -> None:
    group = Group.objects.create(name="staff", friendly_name="Staff")
    change(console, chat.client, is_group_restricted="on", allowed_groups=[str(group.pk)])
    assert list(chat.client.allowed_groups.all()) == [group]
    change(console, chat.client, is_group_restricted="on", allowed_groups=[str(group.pk)], description="x")
    assert list(chat.client.allowed_groups.all()) == [group]
    change(console, chat.client, is_group_restricted=None, allowed_groups=[str(group.pk)])
    assert not chat.client.allowed_groups.exists()


def test_a_logo_is_taken_and_what_is_no_picture_is_not(console: Browser, chat: App) -> None:
    picture = SimpleUploadedFile("logo.png", a_picture(), content_type="image/png")
    assert change(console, chat.client, logo=picture).status_code == 302
    assert Client.objects.get().has_logo
    assert console.get(f"/api/oidc/clients/{chat.client.client_id}/logo").content == a_picture()
    wrong = change(console, chat.client, logo=SimpleUploadedFile("logo.png", b"no picture"))
    assert "File is not a valid image" in wrong.text or "errorlist" in wrong.text
    # Saved without a file, it stays.
    assert change(console, chat.client, description="x").status_code == 302
    assert Client.objects.get().has_logo


def test_the_logo_is_shown_on_the_form_and_taken_away(console: Browser, chat: App) -> None:
    address = f"{CLIENTS}{chat.client.pk}/change/"
    for name in ("logo", "dark_logo"):
        change(console, chat.client, **{name: SimpleUploadedFile("logo.png", a_picture())})
    assert console.get(address).text.count("/logo?") == 2
    assert change(console, chat.client, **{"dark_logo-clear": "on"}).status_code == 302
    assert (Client.objects.get().has_logo, Client.objects.get().has_dark_logo) == (True, False)
    assert change(console, chat.client, **{"logo-clear": "on"}).status_code == 302
    assert not Client.objects.get().has_logo
    assert "/logo?" not in console.get(address).text


def test_a_client_has_no_more_secrets_than_over_rest(console: Browser, chat: App) -> None:
    address = f"{CLIENTS}{chat.client.pk}/change/"
    for _each in range(19):
        assert console.press("new-secret", console.get(address)).status_code == 200
    assert console.press("new-secret", console.get(address)).status_code == 302
    assert "cannot have more than 20 secrets" in notes(console)
    assert chat.client.secrets.count() == 20


def test_a_secret_is_deleted_on_the_page_of_its_client(console: Browser, chat: App) -> None:
    secret = chat.client.secrets.get()
    change(console, chat.client, **{"secrets-0-id": str(secret.pk), "secrets-0-DELETE": "on"})
    assert not chat.client.secrets.exists()
    assert chat.token(grant_type="refresh_token", refresh_token="x").json()["error"] == "invalid_client"


def test_deleting_an_app_is_told_to_it(console: Browser, chat: App, person: Person) -> None:
    bobs = Browser()
    bobs.sign_in(person)
    chat.code(bobs)
    fill_in(console, f"{CLIENTS}{chat.client.pk}/delete/", having="post")
    assert not Client.objects.exists()
    assert LogoutDelivery.objects.get().subject == person.subject


def test_withdrawing_a_consent_ends_its_tokens(console: Browser, chat: App, person: Person) -> None:
    bobs = Browser()
    bobs.sign_in(person)
    tokens = chat.tokens(bobs)
    fill_in(console, f"/admin/oidc/consent/{Consent.objects.get().pk}/delete/", having="post")
    assert userinfo(tokens["access_token"]).status_code == 401
    entry = Entry.objects.get(event=Event.TOKENS_REVOKED)
    assert (entry.username, entry.actor_username, entry.client_name) == ("bob", "alice", "Chat")


# Sign-outs on their way


def a_delivery(person: Person, **fields: object) -> LogoutDelivery:
    usual = {"client_id": "chat", "client_name": "Chat", "url": "https://chat.example.com/bye", "algorithm": "RS256"}
    return LogoutDelivery.objects.create(subject=person.subject, **usual | fields)


def test_deliveries_are_shown_by_state_with_their_last_error(console: Browser, person: Person) -> None:
    a_delivery(person, attempts=5, last_error="the app answered 404")
    a_delivery(person, attempts=1, next_attempt_at=timezone.now(), last_error="the app answered 502")
    a_delivery(person, attempts=1, delivered_at=timezone.now())
    page = console.get(DELIVERIES).text
    for shown in ("the app answered 404", "Given up", "On its way", "next try", "Delivered", ">bob<"):
        assert shown in page
    for state, error in (("failed", "404"), ("waiting", "502")):
        found = console.get(f"{DELIVERIES}?state={state}")
        assert found.context["cl"].result_count == 1
        assert error in found.text
    assert console.get(f"{DELIVERIES}?state=delivered").context["cl"].result_count == 1


def test_what_was_given_up_is_tried_again(console: Browser, person: Person) -> None:
    failed = a_delivery(person, attempts=5, last_error="the app answered 404")
    done = a_delivery(person, attempts=1, delivered_at=timezone.now())
    act(console, DELIVERIES, "try_again", failed, done)
    assert "1 sign-out is sent again" in notes(console)
    failed.refresh_from_db()
    done.refresh_from_db()
    assert (failed.attempts, done.next_attempt_at) == (0, None)
    assert failed.next_attempt_at <= timezone.now()
    act(console, DELIVERIES, "try_again", done)
    assert "delivered already" in notes(console)
