"""The settings over REST (contract section 7.3), and the version routes."""

import pytest

from audit.models import Entry
from siteconfig.models import SiteConfiguration, current
from tests.accounts.people import Person
from tests.api.people.script import Script, refusal, wrong_fields
from tests.support.html_form import forms

pytestmark = pytest.mark.postgres

ALL, PUT = "/api/application-configuration/all", "/api/application-configuration"
SENSITIVE = {"smtpPassword": "hunter2 ë", "ldapBindPassword": "bind"}


def read_all(script: Script) -> dict[str, str]:
    found = script.read(ALL).json()
    assert all(each.keys() == {"key", "type", "value", "isPublic"} and isinstance(each["value"], str) for each in found)
    return {each["key"]: each["value"] for each in found}


def test_every_setting_is_there_with_its_default(script: Script) -> None:
    values = read_all(script)
    assert len(values) == 48
    assert {
        name: values[name]
        for name in (
            "appName",
            "sessionDuration",
            "homePageUrl",
            "accentColor",
            "smtpTls",
            "smtpPort",
            "requireUserEmail",
            "allowUserSignups",
            "autoCreateOidcClientSecret",
            "ldapAttributeUserDisplayName",
            "cimdUrlAllowlist",
        )
    } == {
        "appName": "Pocket ID",
        "sessionDuration": "60",
        "homePageUrl": "/settings/account",
        "accentColor": "default",
        "smtpTls": "none",
        "smtpPort": "",
        "requireUserEmail": "true",
        "allowUserSignups": "disabled",
        "autoCreateOidcClientSecret": "true",
        "ldapAttributeUserDisplayName": "cn",
        "cimdUrlAllowlist": "[]",
    }


def test_strangers_see_what_pages_show(stranger: Script) -> None:
    shown = {each["key"]: each["value"] for each in stranger.read(PUT).json()}
    assert len(shown) == 13
    assert (shown["appName"], shown["uiConfigDisabled"], shown["tracingEnabled"]) == ("Pocket ID", "false", "false")
    assert not any("smtp" in name or "Password" in name for name in shown)
    assert refusal(stranger.read(ALL)) == (401, "not_signed_in")
    assert refusal(stranger.change(PUT, {})) == (401, "not_signed_in")


def test_what_was_read_can_be_sent_back(script: Script) -> None:
    values = read_all(script)
    answer = script.change(PUT, values | {"nonsense": "x", "instanceId": "y"})
    assert answer.status_code == 200
    assert {each["key"]: each["value"] for each in answer.json()} == values
    assert not Entry.objects.filter(event="SETTINGS_CHANGED").exists()


def test_every_setting_can_be_changed_and_comes_back_letter_by_letter(script: Script) -> None:
    """As Terraform does it: all keys, compared with what was sent."""
    changed = (
        read_all(script)
        | SENSITIVE
        | {
            "appName": "Ünïcode",
            "sessionDuration": "90",
            "homePageUrl": "https://home.example/x",
            "disableAnimations": "true",
            "accentColor": "hsl(200, 50%, 40%)",
            "allowUserSignups": "withToken",
            "signupDefaultUserGroupIDs": '[ "a" ]',
            "signupDefaultCustomClaims": '[{"key":"a", "value":"b"}]',
            "smtpHost": "mail.example",
            "smtpPort": "587",
            "smtpFrom": "id@example.org",
            "smtpTls": "starttls",
            "ldapEnabled": "true",
            "ldapUrl": "ldap://x",
            "ldapUserSearchFilter": "(uid=*)",
            "webauthnUserVerification": "preferred",
            "webauthnAuthenticatorAttachment": "platform",
            "cimdUrlAllowlist": '["https://*.example"]',
            "autoCreateOidcClientSecret": "false",
        }
    )
    assert script.change(PUT, changed).status_code == 200
    assert read_all(script) == changed
    row = current()
    assert (row.app_name, row.animations, row.accent_color, row.smtp_port, row.session_duration) == (
        "Ünïcode",
        False,
        "#337799",
        587,
        90,
    )
    assert script.read(PUT).json()[0] == {"key": "appName", "type": "", "value": "Ünïcode"}


def test_empty_is_the_default_and_left_out_is_as_it_was(script: Script) -> None:
    before = read_all(script)
    script.change(
        PUT,
        before
        | {
            "ldapAttributeGroupMember": "x",
            "accentColor": "#123456",
            "smtpHost": "x",
            "webauthnAllowSyncedPasskeys": "false",
            "autoCreateOidcClientSecret": "false",
        },
    )
    newer = (
        "webauthnUserVerification",
        "webauthnAllowSyncedPasskeys",
        "webauthnAuthenticatorAttachment",
        "cimdUrlAllowlist",
        "autoCreateOidcClientSecret",
    )
    without = {name: value for name, value in before.items() if name not in newer}
    assert (
        script.change(PUT, without | {"ldapAttributeGroupMember": "", "accentColor": "", "smtpHost": ""}).status_code
        == 200
    )
    after = read_all(script)
    assert (after["ldapAttributeGroupMember"], after["accentColor"], after["smtpHost"]) == ("member", "default", "")
    assert (after["webauthnAllowSyncedPasskeys"], after["autoCreateOidcClientSecret"]) == ("false", "false")


def test_an_empty_body_names_all_that_is_missing(script: Script) -> None:
    missing = wrong_fields(script.change(PUT, {}))
    assert len(missing) == 18
    assert missing[0] == ("appName", "required")
    assert all(code == "required" for _name, code in missing)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"disableAnimations": "yes"}, ("disableAnimations", "invalid_format")),
        ({"sessionDuration": "soon"}, ("sessionDuration", "invalid_format")),
        ({"sessionDuration": "0"}, ("sessionDuration", "invalid_value")),
        ({"sessionDuration": "²"}, ("sessionDuration", "invalid_format")),
        ({"allowUserSignups": "maybe"}, ("allowUserSignups", "oneof")),
        ({"appName": ""}, ("appName", "required")),
        ({"appName": "x" * 31}, ("appName", "too_long")),
        ({"smtpFrom": "nobody"}, ("smtpFrom", "invalid_format")),
        ({"smtpPort": "70000"}, ("smtpPort", "invalid_value")),
        ({"signupDefaultUserGroupIDs": "x"}, ("signupDefaultUserGroupIDs", "invalid_format")),
        ({"signupDefaultCustomClaims": '["a"]'}, ("signupDefaultCustomClaims", "invalid_format")),
        # Each of these would let nobody make an account any more (attacks.md C22).
        (
            {"signupDefaultCustomClaims": '[{"key":"sub","value":"b"}]'},
            ("signupDefaultCustomClaims", "reserved"),
        ),
        (
            {"signupDefaultCustomClaims": '[{"key":"a","value":"b"},{"key":"a","value":"c"}]'},
            ("signupDefaultCustomClaims", "duplicate"),
        ),
        ({"homePageUrl": "javascript:alert(1)"}, ("homePageUrl", "invalid_format")),
        ({"homePageUrl": "//evil.example"}, ("homePageUrl", "invalid_format")),
        ({"accentColor": "url(https://evil.example)"}, ("accentColor", "invalid_format")),
        ({"accentColor": "red;}body{display:none"}, ("accentColor", "invalid_format")),
    ],
)
def test_a_wrong_value_is_named_and_nothing_is_changed(script: Script, change: dict, field: tuple) -> None:
    before = read_all(script)
    assert wrong_fields(script.change(PUT, before | {"smtpUser": "x"} | change)) == [field]
    assert read_all(script) == before


def test_values_are_text(script: Script) -> None:
    assert refusal(script.change(PUT, read_all(script) | {"disableAnimations": True})) == (400, "invalid_request_body")


# Passwords


@pytest.mark.spec("attacks.md", "G1")
def test_passwords_are_read_by_a_key_with_full_rights_alone(script: Script, admin: Person, browser) -> None:
    script.change(PUT, read_all(script) | SENSITIVE)
    assert {name: read_all(script)[name] for name in SENSITIVE} == SENSITIVE
    limited = Script(admin.user, scopes=("application-configuration:write",))
    browser.sign_in(admin)
    in_the_browser = {each["key"]: each["value"] for each in browser.get(ALL).json()}
    for values in (read_all(limited), in_the_browser):
        assert {name: values[name] for name in SENSITIVE} == dict.fromkeys(SENSITIVE, "XXXXXXXXXX")
    for column in ("smtp_password_encrypted", "ldap_bind_password_encrypted"):
        assert SENSITIVE["smtpPassword"] not in SiteConfiguration.objects.values_list(column, flat=True).get()


def test_a_mask_that_is_sent_back_changes_nothing_and_empty_forgets(script: Script) -> None:
    script.change(PUT, read_all(script) | SENSITIVE)
    script.change(PUT, read_all(script) | dict.fromkeys(SENSITIVE, "XXXXXXXXXX"))
    assert {name: read_all(script)[name] for name in SENSITIVE} == SENSITIVE
    script.change(PUT, read_all(script) | dict.fromkeys(SENSITIVE, ""))
    assert {name: read_all(script)[name] for name in SENSITIVE} == dict.fromkeys(SENSITIVE, "")


@pytest.mark.spec("attacks.md", "G1")
def test_a_password_that_is_not_shown_is_told_to_no_other_server(script: Script, admin: Person) -> None:
    home = {"smtpHost": "mail.example.com", "smtpPort": "25", "ldapUrl": "ldaps://ldap.example.com"}
    home |= {"smtpTls": "tls", "smtpSkipCertVerify": "false", "ldapSkipCertVerify": "false"}
    script.change(PUT, read_all(script) | SENSITIVE | home)
    limited = Script(admin.user, scopes=("application-configuration:write",))
    for change, field in (
        ({"smtpHost": "evil.example.com"}, "smtpPassword"),
        ({"smtpPort": "26"}, "smtpPassword"),
        ({"smtpTls": "none"}, "smtpPassword"),
        ({"smtpSkipCertVerify": "true"}, "smtpPassword"),
        ({"ldapUrl": "ldaps://evil.example.com"}, "ldapBindPassword"),
        ({"ldapSkipCertVerify": "true"}, "ldapBindPassword"),
    ):
        assert wrong_fields(limited.change(PUT, read_all(limited) | change)) == [(field, "required")]
        left_out = {name: value for name, value in read_all(limited).items() if name not in SENSITIVE}
        assert wrong_fields(limited.change(PUT, left_out | change)) == [(field, "required")]
        assert read_all(script).items() >= (home | SENSITIVE).items()
        assert limited.change(PUT, read_all(limited) | change | {field: "another"}).status_code == 200
        assert script.change(PUT, read_all(script) | home | SENSITIVE).status_code == 200
    assert limited.change(PUT, read_all(limited) | {"appName": "Else"}).status_code == 200
    # No server is told anything, and the next one is another.
    assert limited.change(PUT, read_all(limited) | {"smtpHost": ""}).status_code == 200
    assert limited.change(PUT, read_all(limited) | {"smtpHost": "evil.example.com"}).status_code == 400
    assert script.change(PUT, read_all(limited) | {"smtpHost": "new.example.com"}).status_code == 200
    assert read_all(script)["smtpPassword"] == SENSITIVE["smtpPassword"]


def test_the_log_says_which_settings_and_never_their_values(script: Script) -> None:
    script.change(PUT, read_all(script) | SENSITIVE | {"appName": "New"})
    entry = Entry.objects.get(event="SETTINGS_CHANGED")
    assert (entry.username, entry.data) == ("alice", {"settings": "app_name, ldap_bind_password, smtp_password"})


def test_the_console_keeps_a_password_it_does_not_show(admin: Person, browser, configured) -> None:
    configured(smtp_password="hunter2")
    browser.sign_in(admin)
    page = browser.get("/admin/siteconfig/siteconfiguration/1/change/")
    assert page.status_code == 200
    assert "hunter2" not in page.text
    answer = browser.post("/admin/siteconfig/siteconfiguration/1/change/", _fields(page.text) | {"app_name": "Renamed"})
    assert answer.status_code == 302, answer.text
    assert (current().app_name, current().smtp_password) == ("Renamed", "hunter2")


def _fields(html: str) -> dict[str, str]:
    return next(form.fields for form in forms(html, page_url="http://localhost:1411/") if "app_name" in form.fields)


# What stands apart


def test_ldap_is_switched_off(script: Script) -> None:
    answer = script.make("/api/application-configuration/sync-ldap")
    assert (refusal(answer), answer.json()["error"]) == ((409, "ldap_disabled"), "LDAP is not enabled")


def test_the_version_is_the_one_whose_routes_are_served(person: Person, stranger: Script) -> None:
    assert Script(person.user).read("/api/version/current").json() == {
        "currentVersion": "2.18.0",
        "pocketidVersion": "0.1.0",
    }
    assert refusal(stranger.read("/api/version/current")) == (401, "not_signed_in")
    latest = stranger.read("/api/version/latest")
    assert latest.json() == {"latestVersion": "2.18.0"}
    assert latest["Cache-Control"] == "public, max-age=300, stale-while-revalidate=900"


def test_a_database_on_this_machine_needs_no_warning(person: Person, stranger: Script) -> None:
    assert Script(person.user).read("/api/storage/sqlite-warning").json() == {"showWarning": False}
    assert refusal(stranger.read("/api/storage/sqlite-warning")) == (401, "not_signed_in")
