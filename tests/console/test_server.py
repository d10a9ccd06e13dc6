"""The settings and the audit log in the console."""

import pytest

from audit import log
from audit.models import Entry, Event
from siteconfig.models import current
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.console.forms import fill_in, notes
from tests.support.mailbox import Mailbox

pytestmark = pytest.mark.postgres

SETTINGS, LOG = "/admin/siteconfig/siteconfiguration/1/change/", "/admin/audit/entry/"


@pytest.fixture
def console(browser: Browser, admin: Person) -> Browser:
    browser.sign_in(admin)
    return browser


def change(console: Browser, **values: object):
    return fill_in(console, SETTINGS, having="app_name", **values)


def test_settings_are_kept_and_the_log_names_them(console: Browser) -> None:
    done = change(
        console, app_name="Home", allow_user_signups="open", synced_passkeys=None, kind_of_passkey="cross-platform"
    )
    assert done.status_code == 302, done.text
    found = current()
    assert (found.app_name, found.allow_user_signups) == ("Home", "open")
    assert (found.webauthn_allow_synced_passkeys, found.webauthn_authenticator_attachment) == (False, "cross-platform")
    named = Entry.objects.get(event=Event.SETTINGS_CHANGED).data["settings"]
    assert "app_name" in named
    assert "webauthn_allow_synced_passkeys" in named
    form = console.get(SETTINGS).context["adminform"].form
    assert (form["synced_passkeys"].value(), form["kind_of_passkey"].value()) == (False, "cross-platform")
    assert console.get("/api/webauthn/register/start").json()["authenticatorSelection"]["authenticatorAttachment"] == (
        "cross-platform"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"app_name": ""},
        {"session_duration": "0"},
        {"accent_color": "red"},
        {"home_page_url": "javascript:alert(1)"},
        {"smtp_port": "99999"},
        {"signup_default_user_group_ids": "{"},
        {"signup_default_custom_claims": '[{"key": 1}]'},
        {"email_verification_enabled": "on"},
        {"email_verification_enabled": "on", "smtp_host": "mail.example.org", "smtp_port": "25"},
    ],
    ids=str,
)
def test_wrong_settings_are_said_and_change_nothing(console: Browser, wrong: dict[str, str]) -> None:
    page = change(console, **{"app_name": "Home"} | wrong)
    assert page.status_code == 200
    assert "errorlist" in page.text
    assert current().app_name == "Pocket ID"


def test_a_password_stays_when_nothing_is_typed(console: Browser) -> None:
    mail = {"smtp_host": "mail.example.org", "smtp_port": "25", "smtp_from": "id@example.org"}
    change(console, smtp_password="secret words", **mail)
    assert current().smtp_password == "secret words"
    change(console, app_name="Home")
    assert current().smtp_password == "secret words"
    assert "secret words" not in console.get(SETTINGS).text


@pytest.mark.spec("attacks.md", "G1")
@pytest.mark.parametrize(
    "elsewhere",
    [
        {"smtp_host": "evil.example.org"},
        {"smtp_port": "26"},
        {"smtp_tls": "none"},
        {"smtp_skip_cert_verify": "on"},
        {"smtp_host": "evil.example.org", "smtp_password": ""},
    ],
    ids=str,
)
def test_another_server_is_not_told_the_password_of_the_first(console: Browser, elsewhere: dict[str, str]) -> None:
    """Nobody is shown it here, so nobody may send it to a server of their own and read it there."""
    mail = {"smtp_host": "mail.example.org", "smtp_port": "25", "smtp_from": "id@example.org", "smtp_tls": "tls"}
    assert change(console, smtp_password="secret words", **mail).status_code == 302
    refused = change(console, app_name="Home", **elsewhere)
    assert list(refused.context["adminform"].form.errors) == ["smtp_password"]
    assert "Type the password again" in refused.text
    before = current()
    assert (before.app_name, before.smtp_host, before.smtp_port) == ("Pocket ID", "mail.example.org", 25)
    assert change(console, **elsewhere | {"smtp_password": "other words"}).status_code == 302
    assert current().smtp_password == "other words"


def test_a_password_is_forgotten_on_request(console: Browser) -> None:
    mail = {"smtp_host": "mail.example.org", "smtp_port": "25", "smtp_from": "id@example.org"}
    assert "forget_smtp_password" not in console.get(SETTINGS).text
    change(console, smtp_password="secret words", **mail)
    assert change(console, smtp_host="other.example.org", forget_smtp_password="on").status_code == 302
    assert (current().smtp_host, current().smtp_password) == ("other.example.org", "")
    assert "smtp_password" in Entry.objects.filter(event=Event.SETTINGS_CHANGED).latest("pk").data["settings"]
    assert change(console, smtp_host="third.example.org").status_code == 302


def test_a_server_that_is_taken_away_or_checked_again_needs_no_password(console: Browser) -> None:
    mail = {"smtp_host": "mail.example.org", "smtp_port": "25", "smtp_from": "id@example.org"}
    change(console, smtp_password="secret words", smtp_skip_cert_verify="on", **mail)
    assert change(console, smtp_skip_cert_verify=None).status_code == 302
    assert change(console, smtp_host="", smtp_port="").status_code == 302
    assert change(console, smtp_host="evil.example.org", smtp_port="25").status_code == 200
    assert (current().smtp_host, current().smtp_password) == ("", "secret words")


def test_a_test_mail_arrives_or_says_why_not(console: Browser) -> None:
    console.press("test-mail", console.get(SETTINGS))
    assert "This server cannot send e-mail yet" in notes(console)
    with Mailbox() as mailbox:
        change(console, smtp_host="127.0.0.1", smtp_port=str(mailbox.port), smtp_from="id@example.org")
        console.press("test-mail", console.get(SETTINGS))
        assert mailbox.next()["To"] == "alice@example.org"
    assert "A mail was sent to alice@example.org." in notes(console)


def test_the_log_is_filtered_by_event_app_place_and_person(console: Browser, person: Person, admin: Person) -> None:
    log.record(Event.CLIENT_AUTHORIZATION, user=person.user, request=None, clientName="Wiki")
    log.record(Event.CLIENT_AUTHORIZATION, user=admin.user, request=None, clientName="Chat")
    log.record(Event.PASSKEY_REMOVED, user=person.user, request=None, actor=admin.user, passkeyName="Blue key")

    def found(query: str) -> list[str]:
        return [entry.event for entry in console.get(f"{LOG}?{query}").context["cl"].result_list]

    assert found("app=Wiki") == [Event.CLIENT_AUTHORIZATION]
    assert found("event__exact=PASSKEY_REMOVED") == [Event.PASSKEY_REMOVED]
    assert found("q=bob") == [Event.PASSKEY_REMOVED, Event.CLIENT_AUTHORIZATION]
    assert found("from=internal") == [Event.SIGN_IN]
    assert Event.SIGN_IN not in found("from=external")
    page = console.get(LOG).text
    for shown in ("bob (alice)", "passkey: Blue key", "app: Wiki", "127.0.0.1 (LAN)", "Firefox on Linux", ">Chat<"):
        assert shown in page


def test_the_one_configuration_opens_at_once(console: Browser) -> None:
    assert console.get("/admin/").text.count(f'href="{SETTINGS}"') == 2


def test_sessions_and_sign_up_links_are_named_for_what_people_know(console: Browser, admin: Person) -> None:
    session = admin.user.sessions.get()
    page = console.get(f"/admin/accounts/session/{session.pk}/change/").text
    assert "<h1>Firefox on Linux</h1>" in page


def test_the_page_of_the_api_says_in_its_readers_language_that_the_rest_is_english(console: Browser) -> None:
    english = console.get("/api/docs").text
    assert "The management API" in english
    assert "What follows is in English" not in english
    chinese = console.get("/api/docs", headers={"Accept-Language": "zh-Hans"}).text
    assert "管理 API" in chinese
    assert "以下内容是英文" in chinese


def test_every_cell_of_a_list_names_its_column_for_phones(console: Browser, person: Person) -> None:
    page = console.get("/admin/accounts/user/").text
    assert '<td data-label="E-mail address" class="field-email">' in page
    assert '<th data-label="Username" class="field-username">' in page
