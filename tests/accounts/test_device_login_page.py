"""Signing in with the help of another device, by pages alone (contract section 6.5)."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
import segno
from django.utils import timezone

from accounts import device_login
from accounts.models import DeviceLogin, Session
from audit.models import Entry, Event
from tests.accounts.browser import Browser
from tests.accounts.people import Person

PAGE = "/login/alternative/device"


@pytest.fixture
def waiting(db: None) -> Browser:
    """A browser that shows a code."""
    browser = Browser()
    assert browser.get(PAGE).status_code == 200
    return browser


def code_of(waiting: Browser) -> str:
    return waiting.get(PAGE).context["code"]


def open_device(person: Person) -> Browser:
    """Where the person has just used their passkey."""
    browser = Browser()
    browser.sign_in(person)
    return browser


def test_the_page_shows_a_code_and_keeps_it_when_it_is_loaded_again(waiting: Browser) -> None:
    first = waiting.get(PAGE)
    assert first.context["code"] == code_of(waiting)
    assert (len(first.context["code"]), first.context["code"][0]) == (9, "P")
    assert "localhost:1411/device" in first.text
    code = first.context["code"].replace("-", "")
    picture = segno.make_qr(f"http://localhost:1411/device?user_code={code}", error="m")
    assert picture.svg_inline(svgclass="qr", lineclass=None, omitsize=True) in first.text
    assert DeviceLogin.objects.count() == 1
    assert "no-store" in first["Cache-Control"]


def test_the_browser_is_signed_in_once_the_other_device_says_yes(waiting: Browser, person: Person) -> None:
    phone = open_device(person)
    asked = phone.get("/device", {"user_code": code_of(waiting).lower()})
    assert 'data-page="device-decide"' in asked.text
    assert "Firefox on Linux" in asked.text
    assert waiting.get(f"{PAGE}/state").json() == {"waiting": True}
    assert phone.press("device-allow", asked)["Location"] == "/device/done?allowed"

    assert waiting.get(f"{PAGE}/state").json() == {"waiting": False}
    done = waiting.get(f"{PAGE}?redirect=/settings/apps")
    assert done["Location"] == "/settings/apps"
    assert Session.objects.filter(user=person.user).count() == 2
    assert Session.objects.latest("auth_time").methods == ("otp",)
    assert Entry.objects.filter(event=Event.REMOTE_SIGN_IN, username="bob").count() == 1
    assert waiting.get(PAGE).status_code == 302
    assert not DeviceLogin.objects.exists()


def test_the_answer_no_is_told_and_a_new_code_can_be_shown(waiting: Browser, person: Person) -> None:
    phone = open_device(person)
    before = code_of(waiting)
    phone.press("device-deny", phone.get("/device", {"user_code": before}))
    told = waiting.get(PAGE)
    assert (told.status_code, 'data-page="device-login-over"' in told.text) == (403, True)
    assert "The other device said no" in told.text
    assert code_of(waiting) != before
    assert Entry.objects.filter(event=Event.DEVICE_LOGIN_DENIED).count() == 1
    assert not waiting.session_key


def test_a_code_that_has_expired_is_told(waiting: Browser) -> None:
    DeviceLogin.objects.update(expires_at=timezone.now())
    told = waiting.get(PAGE)
    assert told.status_code == 401
    assert "The code has expired" in told.text
    assert waiting.get(PAGE).status_code == 200


def test_an_unlocked_device_alone_does_not_say_yes(waiting: Browser, person: Person) -> None:
    phone = open_device(person)
    asked = phone.get("/device", {"user_code": code_of(waiting)})
    Session.objects.update(auth_time=timezone.now() - timedelta(minutes=2))
    answer = phone.press("device-allow", asked)
    assert answer["Location"].startswith("/login?reauthenticate&redirect=%2Fdevice%3Fuser_code%3D")
    assert waiting.get(f"{PAGE}/state").json() == {"waiting": True}


def test_somebody_elses_browser_gets_nothing(waiting: Browser, person: Person) -> None:
    code = code_of(waiting)
    thief = Browser()
    for cookie in (code.replace("-", "") + ".x" * 16, code, ".", "x.y"):
        thief.cookies["device_login_page"] = cookie
        thief.get(PAGE)
        thief.cookies["device_login_page"] = cookie
        assert thief.get(f"{PAGE}/state").json() == {"waiting": False}
    phone = open_device(person)
    phone.press("device-allow", phone.get("/device", {"user_code": code}))
    thief.cookies["device_login_page"] = code.replace("-", "") + ".wrong"
    thief.get(PAGE)
    assert not thief.session_key
    assert waiting.get(PAGE).status_code == 302


@pytest.fixture
def limits(settings: Any) -> None:
    """As they are for people: tests may ask as often as they like."""
    settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, disable_rate_limiting=False)


@pytest.mark.usefixtures("db", "limits")
@pytest.mark.parametrize("code", ["P" * 4000, "P", "PABC-DEF", "Pabcdefg", "XABCDEFG", "<b>"])
def test_a_cookie_with_anything_is_never_drawn_however_often_it_is_sent(code: str) -> None:
    browser = Browser()
    answers = []
    for _again in range(15):  # more than may be asked at once
        browser.cookies["device_login_page"] = f"{code}.x"
        answers.append(browser.get(PAGE))
    assert {answer.status_code for answer in answers} == {401, 429}
    assert not any('class="qr"' in answer.text for answer in answers)


@pytest.mark.usefixtures("limits")
def test_who_asks_too_often_keeps_the_code(waiting: Browser) -> None:
    assert len({code_of(waiting) for _again in range(15)}) == 1


def test_a_disabled_person_is_not_let_in(waiting: Browser, person: Person) -> None:
    phone = open_device(person)
    phone.press("device-allow", phone.get("/device", {"user_code": code_of(waiting)}))
    person.user.disabled = True
    person.user.save()
    told = waiting.get(PAGE)
    assert told.status_code in (401, 403)
    assert not waiting.session_key


@pytest.mark.parametrize("code", ["PXXXXXXX", "P", "P<b>", "P" * 500, "p000-0000"])
def test_a_wrong_code_is_said_where_it_was_typed(person: Person, code: str) -> None:
    page = open_device(person).get("/device", {"user_code": code})
    assert page.status_code == 401
    assert "This code is wrong or has expired." in page.text
    assert "<b>" not in page.text.partition("<form")[2].partition("</form>")[0]


def test_a_code_is_found_as_people_type_it(waiting: Browser) -> None:
    code = code_of(waiting).replace("-", "")
    for typed in (
        f" {code[:4]} {code[4:]} ",
        code.lower(),
        f"{code[:4]}-{code[4:]}",
        code.replace("0", "o").replace("1", "i"),
    ):
        assert device_login.pending(typed)


def test_looking_alone_makes_no_code(db: None, person: Person) -> None:
    assert Browser().head(PAGE).status_code == 200
    assert Browser().post(PAGE).status_code in (403, 405)
    assert open_device(person).get(PAGE).status_code == 302
    assert not DeviceLogin.objects.exists()


def test_the_other_ways_to_sign_in_lead_to_it(person: Person) -> None:
    for page in ("/login", "/login/alternative"):
        assert f'href="{PAGE}?redirect=' in Browser().get(page).text
