"""The console opens with a passkey alone: whoever was signed in otherwise is led to it, and back."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
import time_machine
from django.conf import settings
from django.contrib import admin as console_site
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver
from django.utils import timezone

from accounts import device_login, login_codes, sessions, signup
from accounts.models import Group, Passkey, Session, User
from audit.models import Entry
from tests.accounts.browser import Browser
from tests.accounts.people import Person, a_person
from tests.accounts.test_registration import timedelta_from_now
from tests.oidc.app import App
from tests.support.authenticator import Authenticator

pytestmark = pytest.mark.postgres

USERS, ADDING = "/admin/accounts/user/", "/admin/accounts/group/add/"


def device() -> Authenticator:
    return Authenticator(settings.APP_URL)


def by_code(person: Person) -> Browser:
    """Signed in without a passkey."""
    browser = Browser()
    browser.press("login-code-submit", browser.get(f"/lc/{login_codes.create(person.user).code}"))
    assert person.user.sessions.latest("created_at").methods == ("otp",)
    return browser


def addresses(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
    """Every address that the console answers, with something in each place of a parameter."""
    for pattern in patterns:
        # Two are regular expressions: an app's overview, and what is nowhere else.
        known = str(pattern.pattern).replace("(?P<url>.*)$", "nowhere").replace("^", "").replace("$", "")
        route = prefix + re.sub(r"<[^>]+>", "1", re.sub(r"\(\?P<app_label>(\w+)[^)]*\)", r"\1", known))
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        else:
            yield route


# Whoever is not let in may still sign out.
EVERY_ADDRESS = sorted(set(addresses(console_site.site.urls[0], "/admin/")) - {"/admin/logout/"})


def test_the_walk_finds_djangos_views_and_our_own() -> None:
    found = set(EVERY_ADDRESS)
    assert {"/admin/", "/admin/login/", "/admin/jsi18n/", "/admin/autocomplete/", "/admin/siteconfig/"} <= found
    assert {"/admin/oidc/client/1/new-secret/", "/admin/accounts/user/1/login-code/", f"{USERS}add/"} <= found
    assert len(found) > 100
    assert not [address for address in found if set("<>()?*|^$") & set(address)]


def is_led(browser: Browser, answer, *, to: str, then: str) -> bool:
    """Whether this is the way to the passkey and on to ``then``; and whether that page shows itself, and leads nowhere else."""
    assert answer.status_code == 302, (answer.status_code, answer.content[:200])
    where = urlsplit(answer["Location"])
    assert (where.path, parse_qs(where.query)["redirect"]) == (to, [then])
    page = browser.get(answer["Location"])
    assert page.status_code == 200
    assert "The console opens with a passkey" in page.text
    assert f'data-next="{then.replace("&", "&amp;")}"' in page.text
    return True


# The walk


def test_no_address_shows_anything_in_a_session_without_a_passkey(admin: Person) -> None:
    browser = by_code(admin)
    for address in EVERY_ADDRESS:
        then = "/admin/" if address == "/admin/login/" else address
        assert is_led(browser, browser.get(address), to="/login", then=then)
        assert browser.head(address).status_code == 302
        asked = browser.get(address, HTTP_ACCEPT="application/json")
        assert (asked.status_code, asked.json()["code"]) == (403, "passkey_required"), address


def test_no_address_does_anything_in_a_session_without_a_passkey(admin: Person, client_app: App) -> None:
    browser = by_code(admin)
    what_there_was = everything()
    token = str(browser.get("/settings/account").context["csrf_token"])
    for address in EVERY_ADDRESS:
        sent = browser.post(address, {"csrfmiddlewaretoken": token, "name": "x", "post": "yes"})
        assert sent.status_code == 403, address
        assert "Nothing was changed. Show your passkey, then do it again." in sent.text
        for other in (browser.put, browser.delete, browser.patch, browser.options):
            refused = other(address, HTTP_ORIGIN=settings.APP_URL, HTTP_X_CSRFTOKEN=token)
            assert refused.status_code == 403, (address, other)
    assert everything() == what_there_was


def everything() -> list[object]:
    return [
        list(model._default_manager.order_by("pk").values())
        for model in console_site.site._registry
        if model not in (Session, Entry)
    ]


def test_somebody_without_rights_is_told_so_and_never_asked_for_a_passkey(admin: Person, person: Person) -> None:
    browser = by_code(person)
    for address in EVERY_ADDRESS:
        answer = browser.get(address)
        assert (answer.status_code, "This page is not for your account" in answer.text) == (403, True), address
        assert browser.get(address, HTTP_ACCEPT="*/*").status_code == 403


# Ways into a session


def _login_code(admin: Person) -> Browser:
    return by_code(admin)


def _login_code_over_rest(admin: Person) -> Browser:
    browser = Browser()
    assert browser.post(f"/api/one-time-access-token/{login_codes.create(admin.user).code}").status_code == 200
    return browser


def _mailed_code(admin: Person) -> Browser:
    browser, made = Browser(), login_codes.create(admin.user, for_this_browser_only=True)
    browser.cookies["device_token"] = made.browser_key
    browser.press("login-code-submit", browser.get(f"/lc/{made.code}"))
    return browser


def _another_device(admin: Person) -> Browser:
    browser, phone = Browser(), Browser()
    code = browser.get("/login/alternative/device").context["code"]
    phone.sign_in(admin)
    phone.press("device-allow", phone.get("/device", {"user_code": code}))
    browser.get("/login/alternative/device")
    return browser


def _another_device_over_rest(admin: Person) -> Browser:
    browser, phone = Browser(), Browser()
    begun = browser.post("/api/device-login/requests").json()
    phone.sign_in(admin)
    device_login.approve(begun["id"], admin.user.sessions.get())
    assert browser.post(f"/api/device-login/requests/{begun['id']}/exchange").status_code == 200
    return browser


@pytest.mark.parametrize(
    "way_in",
    [_login_code, _login_code_over_rest, _mailed_code, _another_device, _another_device_over_rest],
    ids=lambda way: way.__name__.strip("_"),
)
def test_however_somebody_came_in_the_passkey_opens_the_page_they_asked_for(
    admin: Person, way_in: Callable[[Person], Browser]
) -> None:
    browser = way_in(admin)
    wanted = f"{USERS}?q=alice&o=1"
    assert is_led(browser, browser.get(wanted), to="/login", then=wanted)
    browser.sign_in(admin)
    assert browser.get(wanted).status_code == 200


@pytest.mark.parametrize("way_in", ["page", "REST", "a program"])
def test_whoever_sets_the_server_up_adds_a_passkey_and_is_in(browser: Browser, way_in: str) -> None:
    alice = {"username": "alice", "first_name": "Alice", "last_name": "Example", "email": "alice@example.org"}
    if way_in == "page":
        browser.press("setup-submit", browser.get("/setup"), **alice)
    elif way_in == "REST":
        browser.send("/api/signup/setup", {"username": "alice", "firstName": "Alice"})
    else:
        browser.post("/api/one-time-access-token/setup")
    assert is_led(browser, browser.get(USERS), to="/signup/add-passkey", then=USERS)
    assert browser.add_passkey(device()).status_code == 200
    assert browser.get(USERS).status_code == 200


def test_whoever_signed_up_with_a_link_and_was_made_an_administrator_is_in_after_the_first_passkey(
    browser: Browser, admin: Person
) -> None:
    token = signup.create_token(usage_limit=1)
    new = {"username": "carol", "first_name": "Carol", "last_name": "Example", "email": "carol@example.org"}
    browser.press("signup-submit", browser.get(f"/signup?token={token.token}"), **new)
    assert browser.get(USERS).status_code == 403
    User.objects.filter(username="carol").update(is_admin=True)
    assert is_led(browser, browser.get(USERS), to="/signup/add-passkey", then=USERS)
    browser.add_passkey(device())
    assert browser.get(USERS).status_code == 200


def test_a_stranger_with_a_code_and_no_passkey_comes_to_the_page_they_asked_for(
    browser: Browser, admin: Person
) -> None:
    admin.passkey.delete()
    assert browser.get(USERS)["Location"] == "/login?" + urlencode({"redirect": USERS})
    code = login_codes.create(admin.user).code
    went = browser.press("login-code-submit", browser.get(f"/lc/{code}?redirect={USERS}"))
    assert went["Location"] == "/signup/add-passkey?" + urlencode({"redirect": USERS})
    assert f'data-next="{USERS}"' in browser.get(went["Location"]).text
    browser.add_passkey(device())
    assert browser.get(USERS).status_code == 200


# What counts


def test_a_new_passkey_counts_in_the_session_in_which_it_was_made_alone(admin: Person) -> None:
    browser, elsewhere = by_code(admin), by_code(admin)
    assert browser.add_passkey(device()).status_code == 200
    assert browser.get(USERS).status_code == 200
    assert elsewhere.get(USERS).status_code == 302


def test_it_gives_the_session_a_new_key_so_that_a_copied_cookie_gains_nothing(admin: Person) -> None:
    browser = by_code(admin)
    thief = browser.copy()
    browser.add_passkey(device())
    assert browser.session_key != thief.session_key
    assert thief.get(USERS)["Location"].startswith("/login?redirect=")
    assert thief.get("/api/users/me").status_code == 401
    assert 3590 <= int(browser.cookies[settings.SESSION_COOKIE_NAME]["max-age"]) <= 3600


def test_another_passkey_in_a_session_that_has_shown_one_changes_nothing(browser: Browser, admin: Person) -> None:
    browser.sign_in(admin)
    before, key = Session.objects.values().get(), browser.session_key
    browser.add_passkey(device())
    assert (Session.objects.values().get(), browser.session_key) == (before, key)


def test_the_cookie_of_the_new_key_lives_no_longer_than_the_session(admin: Person) -> None:
    browser = by_code(admin)
    with time_machine.travel(timedelta_from_now(minutes=9)):
        browser.add_passkey(device())
    assert int(browser.cookies[settings.SESSION_COOKIE_NAME]["max-age"]) <= 51 * 60 + 1


def test_a_ceremony_without_user_verification_opens_nothing(admin: Person) -> None:
    browser = by_code(admin)
    unverified = Authenticator(settings.APP_URL, user_verified=False)
    assert browser.add_passkey(unverified).json()["code"] == "passkey_user_verification_required"
    assert browser.get(USERS).status_code == 302


def test_signing_in_with_a_code_again_is_to_be_shown_a_passkey_again(browser: Browser, admin: Person) -> None:
    browser.sign_in(admin)
    browser.press("login-code-submit", browser.get(f"/lc/{login_codes.create(admin.user).code}"))
    assert browser.get(USERS).status_code == 302


def test_reauthenticating_counts(admin: Person) -> None:
    browser = by_code(admin)
    assert browser.post("/api/webauthn/reauthenticate").status_code == 401
    assert browser.get(USERS).status_code == 302
    assert browser.send("/api/webauthn/reauthenticate", admin.device.get(browser.login_options())).status_code == 204
    assert browser.get(USERS).status_code == 200


def test_the_passkey_of_somebody_else_does_not_count(admin: Person, person: Person) -> None:
    browser = by_code(admin)
    refused = browser.send("/api/webauthn/reauthenticate", person.device.get(browser.login_options()))
    assert refused.status_code == 401
    assert browser.get(USERS).status_code == 302


def test_nothing_in_a_cookie_or_a_header_opens_it(admin: Person) -> None:
    browser = by_code(admin)
    for name in ("proved_at", "proved", "amr"):
        browser.cookies[name] = "2026-11-21T00:00:00Z"
    assert browser.get(USERS, HTTP_X_FORWARDED_USER="alice", HTTP_X_PASSKEY="1").status_code == 302
    with_passkey = Browser()
    with_passkey.sign_in(admin)
    bearer = {"Authorization": f"Bearer {with_passkey.session_key}"}
    assert browser.get(USERS, headers=bearer).status_code == 302
    assert Browser().get(USERS, headers=bearer)["Location"].startswith("/login?redirect=")


@pytest.mark.spec("OIDC Core", "2")
def test_tokens_do_not_call_the_new_passkey_an_authentication(admin: Person, client_app: App) -> None:
    browser = by_code(admin)
    signed_in_at = admin.user.sessions.get().auth_time
    with time_machine.travel(timedelta_from_now(minutes=5)):
        browser.add_passkey(device())
        tokens = client_app.tokens(browser, claims='{"id_token":{"acr":null}}')
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert (claims["amr"], claims["acr"], claims["auth_time"]) == (["otp"], "0", int(signed_in_at.timestamp()))
    admin.user.sessions.get().refresh_from_db()
    assert admin.user.sessions.get().proved_at is not None


def test_the_new_passkey_does_not_let_other_devices_in(admin: Person) -> None:
    """That asks for the passkey within the last minute: the one of a sign-in."""
    browser, waiting = by_code(admin), Browser()
    code = waiting.get("/login/alternative/device").context["code"]
    browser.add_passkey(device())
    answer = browser.press("device-allow", browser.get("/device", {"user_code": code}))
    assert answer["Location"].startswith("/login?reauthenticate&")


def test_whoever_deletes_a_passkey_can_end_the_session_that_it_opened(admin: Person) -> None:
    """A thief's, say: signed in with a stolen code, and let in by a passkey of their own."""
    thief, owner = by_code(admin), Browser()
    thief.add_passkey(device())
    owner.sign_in(admin)
    theirs = admin.user.passkeys.latest("created_at")
    page = owner.get(f"/settings/passkeys/{theirs.pk}/delete")
    owner.press("passkey-remove", page, end_sessions="on")
    assert not Passkey.objects.filter(pk=theirs.pk).exists()
    assert thief.get(USERS)["Location"].startswith("/login?redirect=")


# The way there and back


@pytest.mark.parametrize("evil", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_the_way_leads_to_no_other_site(admin: Person, evil: str) -> None:
    browser = by_code(admin)
    query = urlencode({"next": evil})
    assert is_led(browser, browser.get(f"/admin/login/?{query}"), to="/login", then="/admin/")
    assert Browser().get(f"/admin/login/?{query}")["Location"] == "/login?redirect=%2Fadmin%2F"
    for page in ("/login?reauthenticate&", "/signup/add-passkey?"):
        shown = browser.get(page + urlencode({"redirect": evil})).text
        assert 'data-next="/settings/account"' in shown
    assert browser.get(f"/admin/?{query}")["Location"].startswith("/login?reauthenticate&redirect=%2Fadmin%2F")


@pytest.mark.parametrize(
    ("referer", "then"),
    [
        (f"{settings.APP_URL}{ADDING}?_popup=1", f"{ADDING}?_popup=1"),
        (f"{settings.APP_URL}/settings/account", "/admin/"),
        (f"{settings.APP_URL}//evil.example/admin/", "/admin/"),
        ("https://evil.example/admin/accounts/group/", "/admin/"),
        (f"{settings.APP_URL}.evil.example/admin/", "/admin/"),
        ("http://[", "/admin/"),
        ("", "/admin/"),
    ],
)
def test_after_a_refused_form_the_way_leads_back_to_its_page(admin: Person, referer: str, then: str) -> None:
    browser = by_code(admin)
    token = browser.get("/settings/account").context["csrf_token"]
    form = {"name": "staff", "friendly_name": "Staff", "csrfmiddlewaretoken": token}
    refused = browser.post(ADDING, form, headers={"Referer": referer})
    assert refused.status_code == 403
    assert not Group.objects.exists()
    link = f"/login?reauthenticate&amp;{urlencode({'redirect': then})}"
    assert f'href="{link}"' in refused.text
    assert "Use your passkey" in refused.text


def test_a_form_of_an_administrator_without_a_passkey_is_answered_with_the_way_to_one(admin: Person) -> None:
    browser = by_code(admin)
    Passkey.objects.all().delete()
    token = browser.get("/settings/apps").context["csrf_token"]
    refused = browser.post(ADDING, {"name": "staff", "friendly_name": "Staff", "csrfmiddlewaretoken": token})
    assert f'href="/signup/add-passkey?{urlencode({"redirect": "/admin/"})}"' in refused.text
    assert not Group.objects.exists()


def test_a_form_of_another_site_is_refused_as_before(admin: Person) -> None:
    browser = by_code(admin)
    answer = browser.post(ADDING, {"name": "staff"}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert "passkey" not in answer.text


def test_a_lost_passkey_can_be_replaced_as_long_as_the_code_is_fresh(admin: Person) -> None:
    browser = by_code(admin)
    page = browser.get(browser.get(USERS)["Location"])
    assert f'href="/signup/add-passkey?redirect={USERS}" data-action="passkey-replace"' in page.text
    asked = browser.get(f"/signup/add-passkey?redirect={USERS}")
    assert "Then delete the lost one on your account page." in asked.text
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        page = browser.get(browser.get(USERS)["Location"])
        assert "passkey-replace" not in page.text
        assert f'href="/lc?redirect={USERS}"' in page.text
        assert "in the ten minutes after signing in with a login code" in page.text
        assert browser.get("/api/webauthn/register/start").json()["code"] == "reauthentication_required"


def test_nothing_of_it_is_said_where_it_does_not_matter(admin: Person, person: Person) -> None:
    words = "The console opens with a passkey"
    with_passkey, bobs = Browser(), by_code(person)
    with_passkey.sign_in(admin)
    for browser, page in (
        (with_passkey, f"/login?reauthenticate&redirect={USERS}"),
        (with_passkey, f"/signup/add-passkey?redirect={USERS}"),
        (bobs, f"/login?reauthenticate&redirect={USERS}"),
        (by_code(admin), "/login?reauthenticate&redirect=/settings/api-keys"),
        (by_code(admin), "/signup/add-passkey?redirect=/settings/account"),
        (Browser(), f"/login?reauthenticate&redirect={USERS}"),
    ):
        assert words not in browser.get(page).text, page


def test_whoever_is_not_let_in_can_sign_out(admin: Person, person: Person) -> None:
    for browser in (by_code(admin), by_code(person)):
        assert browser.get("/admin/logout/")["Location"] == "/logout"


# Elsewhere


@pytest.mark.spec("Pocket ID contract", "1.4")
def test_rest_takes_every_session_of_an_administrator(admin: Person) -> None:
    """As Pocket ID does; the console is ours to guard."""
    browser = by_code(admin)
    assert browser.get("/api/users").status_code == 200
    assert browser.get("/settings/account").status_code == 200


def test_it_costs_no_statement(admin: Person) -> None:
    browser = by_code(admin)
    browser.sign_in(admin)
    browser.get("/admin/jsi18n/")
    with CaptureQueriesContext(connection) as made:
        assert browser.get("/admin/jsi18n/").status_code == 200
    assert len(made) == 1, [each["sql"] for each in made]


def test_the_console_shows_when_a_passkey_was_shown(admin: Person) -> None:
    browser = by_code(admin)
    browser.add_passkey(device())
    page = browser.get(f"/admin/accounts/session/{admin.user.sessions.get().pk}/change/")
    assert "Passkey shown" in page.text


def test_whoever_was_signed_in_with_a_passkey_before_the_update_is_not_asked_again(transactional_db: None) -> None:
    from django.db.migrations.executor import MigrationExecutor

    alice = a_person("alice", is_admin=True)
    place, hour = sessions.Place(), timedelta(hours=1)
    with_passkey, _key = sessions.start(alice.user, methods=["phr"], place=place, lifetime=hour)
    with_code, _key = sessions.start(alice.user, methods=["otp"], place=place, lifetime=hour)
    before, after = [("accounts", "0006_users_in_their_order")], [("accounts", "0007_session_proved_at")]
    leaves = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        MigrationExecutor(connection).migrate(before)
        MigrationExecutor(connection).migrate(after)
    finally:
        MigrationExecutor(connection).migrate(leaves)
    with_passkey.refresh_from_db()
    with_code.refresh_from_db()
    assert (with_passkey.proved_at, with_code.proved_at) == (with_passkey.auth_time, None)
