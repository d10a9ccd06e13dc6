"""What people change about themselves on their page."""

import pytest

from audit.models import Entry, Event
from siteconfig import configure
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.console.forms import fill_in

pytestmark = pytest.mark.postgres

EDIT = "/settings/account/edit"


@pytest.fixture
def bobs(browser: Browser, person: Person) -> Browser:
    browser.sign_in(person)
    return browser


def test_names_are_changed_and_the_log_says_which(bobs: Browser, person: Person) -> None:
    assert f'href="{EDIT}"' in bobs.get("/settings/account").text
    done = bobs.press("account-save", bobs.get(EDIT), display_name="Bobby", first_name="Robert")
    assert (done.status_code, done["Location"]) == (302, "/settings/account")
    person.user.refresh_from_db()
    assert (person.user.display_name, person.user.first_name, person.user.username) == ("Bobby", "Robert", "bob")
    assert person.user.email_verified  # the address is the same
    assert "Your account was changed." in bobs.get("/settings/account").text
    assert Entry.objects.get(event=Event.ACCOUNT_CHANGED).data == {"fields": "display_name, first_name"}


@pytest.mark.spec("attacks", "D20")
def test_a_new_address_is_not_verified(bobs: Browser, person: Person) -> None:
    bobs.press("account-save", bobs.get(EDIT), email="boss@example.org")
    person.user.refresh_from_db()
    assert (person.user.email, person.user.email_verified) == ("boss@example.org", False)


def test_nobody_makes_themselves_more_than_they_are(bobs: Browser, person: Person) -> None:
    bobs.press("account-save", bobs.get(EDIT), is_admin="on", email_verified="on", disabled="on", groups="1")
    person.user.refresh_from_db()
    assert (person.user.is_admin, person.user.disabled) == (False, False)


@pytest.mark.parametrize("wrong", [{"username": "ALICE"}, {"username": ""}, {"email": "alice@example.org"}], ids=str)
def test_a_wrong_form_says_so_and_keeps_what_was_typed(
    bobs: Browser, person: Person, admin: Person, wrong: dict[str, str]
) -> None:
    page = bobs.press("account-save", bobs.get(EDIT), **{"first_name": "Robert"} | wrong)
    assert page.status_code == 422
    assert 'value="Robert"' in page.text
    person.user.refresh_from_db()
    assert (person.user.username, person.user.first_name) == ("bob", "Bob")


def test_a_username_that_cannot_be_one_is_refused_in_a_sentence(bobs: Browser, admin: Person) -> None:
    page = bobs.press("account-save", bobs.get(EDIT), username="_bob")
    assert "<span>A username has letters, numbers," in page.text
    console = Browser()
    console.sign_in(admin)
    assert (
        ">A username has letters, numbers,"
        in fill_in(console, "/admin/accounts/user/add/", having="username", username="a b").text
    )
    told = console.send("/api/users", {"username": "a b", "firstName": "A", "lastName": "B", "email": "a@example.org"})
    assert told.json()["error"].startswith("Username must only contain letters")


def test_where_people_may_not_the_page_is_closed(bobs: Browser, person: Person) -> None:
    page = bobs.get(EDIT)
    configure.change({"allow_own_account_edit": False})
    assert EDIT not in bobs.get("/settings/account").text
    assert bobs.press("account-save", page, first_name="Robert")["Location"] == "/settings/account"
    assert "Only the person who runs this server" in bobs.get("/settings/account").text
    person.user.refresh_from_db()
    assert person.user.first_name == "Bob"
