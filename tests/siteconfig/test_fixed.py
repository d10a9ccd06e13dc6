"""UI_CONFIG_DISABLED: variables say what the settings are, and nobody else does (contract sections 7.3 and 9.1)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.utils import translation

from pocketid import declared, env
from pocketid.declared.document import Refused
from siteconfig import configure, fixed
from siteconfig.api.configuration import FixedSerializer
from siteconfig.models import SiteConfiguration, current, stored
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.api.people.script import Script, refusal
from tests.console.forms import fill_in
from tests.support.server import ROOT

pytestmark = [pytest.mark.postgres, pytest.mark.spec("Pocket ID contract", "9.1")]

PAGE = "/admin/siteconfig/siteconfiguration/1/change/"
PASSWORD = "a password of the tests"
VARIABLES = {
    "UI_CONFIG_DISABLED": "true",
    "APP_NAME": "Fixed",
    "SESSION_DURATION": "90",
    "DISABLE_ANIMATIONS": "TRUE",
    "SIGNUP_DEFAULT_USER_GROUP_IDS": "[ ]",
    "ACCENT_COLOR": "#aa3300",
    "SMTP_HOST": "mail.example.org",
    "SMTP_PORT": "",
    "SMTP_PASSWORD": PASSWORD,
    "SIGNING_KEY_DAYS": "30",
}


@pytest.fixture
def fixing(settings, db: None):
    """Fix the settings by variables, as the start does."""

    def fix(variables: dict[str, str] = VARIABLES) -> None:
        assert env.load(variables).ui_config_disabled
        settings.FIXED_SETTINGS = env.fixed_settings(variables)

    return fix


@pytest.fixture
def script(admin: Person) -> Script:
    return Script(admin.user)


def shown(script: Script, address: str = "/all") -> dict[str, str]:
    return {each["key"]: each["value"] for each in script.read(f"/api/application-configuration{address}").json()}


def test_there_is_a_variable_for_every_setting() -> None:
    assert {fixed.variable(key) for key in FixedSerializer().fields} == set(env.SETTINGS)
    assert fixed.variable("signupDefaultUserGroupIDs") == "SIGNUP_DEFAULT_USER_GROUP_IDS"
    # None of them means something else as well.
    assert not set(env.SETTINGS) & {name.upper() for name in env.Environment.__dataclass_fields__}


def test_sign_up_that_a_variable_opened_waits_for_the_first_administrator(fixing) -> None:
    """Or a stranger is quicker, and after that nobody could become one."""
    fixing({"UI_CONFIG_DISABLED": "true", "ALLOW_USER_SIGNUPS": "open", "REQUIRE_USER_EMAIL": "false"})
    stranger = Script()
    assert refusal(stranger.make("/api/signup", {"username": "quick"})) == (403, "open_signup_disabled")
    assert Script().make("/api/signup/setup", {"username": "boss"}).status_code == 200
    assert stranger.make("/api/signup", {"username": "quick"}).status_code == 201


def test_variables_are_in_force_and_the_rest_is_the_default(fixing) -> None:
    configure.change({"app_name": "Stored", "home_page_url": "/stored", "smtp_user": "stored", "signing_key_days": 5})
    fixing()
    found = current()
    assert (found.app_name, found.session_duration, found.animations) == ("Fixed", 90, False)
    assert (found.signup_default_user_group_ids, found.accent_color) == ("[ ]", "#aa3300")
    assert (found.home_page_url, found.smtp_user, found.smtp_port) == ("/settings/account", "", None)
    assert (found.smtp_password, found.signing_key_days) == (PASSWORD, 30)
    assert (stored().app_name, stored().home_page_url) == ("Stored", "/stored")


def test_without_the_switch_they_are_ignored(db: None) -> None:
    assert not env.load({"APP_NAME": "Ignored"}).ui_config_disabled
    assert current().app_name == "Pocket ID"


def test_what_has_happened_is_still_the_databases(fixing, admin: Person) -> None:
    SiteConfiguration.objects.update(setup_completed_at="2026-01-01T00:00:00Z")
    fixing()
    assert current().setup_completed_at is not None


# REST


def test_rest_shows_them_and_masks_the_passwords(fixing, script: Script) -> None:
    fixing()
    everything = shown(script)
    assert (everything["appName"], everything["smtpPassword"], everything["smtpTls"]) == ("Fixed", "XXXXXXXXXX", "none")
    public = shown(Script(), "")
    assert (public["appName"], public["uiConfigDisabled"]) == ("Fixed", "true")


def test_rest_changes_nothing_after_it_has_looked_at_the_body(fixing, script: Script) -> None:
    fixing()
    body = shown(script) | {"appName": "Changed"}
    refused = script.change("/api/application-configuration", body)
    assert refusal(refused) == (403, "ui_config_disabled")
    # The Ansible collection looks for these words.
    assert "UI configuration is disabled" in refused.json()["error"]
    assert refusal(script.change("/api/application-configuration", {})) == (400, "validation_failed")
    assert (current().app_name, stored().app_name) == ("Fixed", "Pocket ID")


def test_a_declared_server_may_say_the_same_and_nothing_else(fixing, tmp_path: Path) -> None:
    fixing()
    file = tmp_path / "server.yaml"
    file.write_text("configuration: {appName: Fixed, sessionDuration: 90}")
    assert list(declared.apply(file)) == []
    file.write_text("configuration: {appName: Other}")
    with translation.override("en"), pytest.raises(Refused, match="UI configuration is disabled"):
        declared.apply(file)


# The console


def test_the_console_shows_them_says_why_and_has_nothing_to_fill_in(fixing, browser: Browser, admin: Person) -> None:
    browser.sign_in(admin)
    form = fill_in(browser, PAGE, having="app_name", app_name="Stored")
    assert (form.status_code, stored().app_name) == (302, "Stored")
    browser.get(PAGE)  # says that it was kept
    fixing()
    page = browser.get(PAGE)
    assert page.status_code == 200
    assert "UI_CONFIG_DISABLED" in page.text
    assert "Fixed" in page.text
    assert "Stored" not in page.text
    assert PASSWORD not in page.text
    for name in ('name="app_name"', 'name="smtp_password"', 'name="_save"'):
        assert name not in page.text
    assert "Synced passkeys" in page.text
    refused = browser.post(PAGE, {"app_name": "Changed"})
    assert (refused.status_code, stored().app_name) == (403, "Stored")


# The start


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"SESSION_DURATION": "long"}, "SESSION_DURATION is 'long'; it must be an integer."),
        ({"SMTP_TLS": "ssl"}, "SMTP_TLS is 'ssl'; it must be one of none, starttls, tls."),
        ({"REQUIRE_USER_EMAIL": "maybe"}, "REQUIRE_USER_EMAIL is 'maybe'; it must be either true or false."),
        ({"SIGNUP_DEFAULT_CUSTOM_CLAIMS": "{"}, "SIGNUP_DEFAULT_CUSTOM_CLAIMS is '{'; it "),
        ({"SMTP_PASSWORD": "x" * 9000}, "SMTP_PASSWORD has a value that is not shown; it must be at most"),
        ({"LDAP_ENABLED": "true"}, "LDAP_ENABLED is 'true', but this version has no LDAP"),
    ],
    ids=str,
)
def test_a_wrong_value_is_named(fixing, variables: dict[str, str], words: str) -> None:
    fixing({"UI_CONFIG_DISABLED": "true", **variables})
    with pytest.raises(fixed.InvalidSetting) as refused:
        current()
    assert str(refused.value).startswith(words)
    assert "xxx" not in str(refused.value)


def test_a_wrong_value_stops_the_start(tmp_path: Path) -> None:
    environment = {**os.environ, "DATA_PATH": str(tmp_path), "UI_CONFIG_DISABLED": "true", "APP_NAME": "x" * 31}
    done = subprocess.run(
        [sys.executable, "-m", "pocketid.cli", "serve"], capture_output=True, text=True, cwd=ROOT, env=environment
    )
    assert done.returncode == 1
    assert done.stderr.strip().splitlines() == [
        f"pocketid cannot start: APP_NAME is {'x' * 31!r}; it must be at most 30 characters long."
    ]


def test_passwords_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    found = env.fixed_settings({"SMTP_PASSWORD_FILE": str(tmp_path / "password"), "APP_NAME_FILE": "/nowhere"})
    assert dict(found) == {"SMTP_PASSWORD": PASSWORD}
