"""The sign-in page, and where it leads: nowhere but here."""

import pytest

from accounts import login_codes
from siteconfig import configure
from tests.accounts.browser import Browser
from tests.accounts.people import Person

pytestmark = pytest.mark.postgres

ELSEWHERE = [
    "//evil.example",
    "https://evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "http:evil.example",
    "javascript:alert(1)",
    "/\tevil",
    "/\n//evil.example",
    "evil.example",
    "",
    " //evil.example",
    "///evil.example",
    "/\x00",
]


@pytest.mark.parametrize("target", ELSEWHERE)
@pytest.mark.parametrize("name", ["redirect", "next"])
def test_a_path_elsewhere_leads_to_the_account(browser: Browser, person: Person, target: str, name: str) -> None:
    assert 'data-next="/settings/account"' in browser.get("/login", {name: target}).text
    browser.sign_in(person)
    assert browser.get("/login", {name: target})["Location"] == "/settings/account"


@pytest.mark.parametrize("target", ["/authorize?interaction=1", "/settings/account?a=b&c=d", "/admin/oidc/client/"])
def test_a_path_here_is_kept(browser: Browser, person: Person, target: str) -> None:
    assert f'data-next="{target.replace("&", "&amp;")}"' in browser.get("/login", {"redirect": target}).text
    browser.sign_in(person)
    assert browser.get("/login", {"redirect": target})["Location"] == target


def test_somebody_signed_in_is_asked_again_when_it_is_about_reauthentication(browser: Browser, person: Person) -> None:
    browser.sign_in(person)
    page = browser.get("/login?reauthenticate&redirect=/settings/account")
    assert 'data-page="reauthenticate"' in page.text
    assert "bob" in page.text


def test_what_is_typed_into_the_address_is_escaped(browser: Browser, person: Person) -> None:
    page = browser.get("/login", {"redirect": '/"><script>alert(1)</script>'})
    assert "<script>alert" not in page.text


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_choosing_a_language_leads_nowhere_else(browser: Browser, person: Person, target: str) -> None:
    token = browser.get("/login").context["csrf_token"]
    answer = browser.post("/i18n/setlang/", {"language": "zh-hans", "next": target, "csrfmiddlewaretoken": token})
    assert answer.status_code in (204, 302)
    assert "evil" not in answer.headers.get("Location", "")
    assert "javascript" not in answer.headers.get("Location", "")


def test_the_home_page_of_the_settings_is_where_people_go(browser: Browser, person: Person) -> None:
    assert browser.get("/")["Location"] == "/login"
    for page in ("/settings/apps", "https://start.example.org/"):
        configure.change({"home_page_url": page})
        visitor = Browser()
        assert f'data-next="{page}"' in visitor.get("/login").text
        assert 'data-next="/device"' in visitor.get("/login?redirect=/device").text
        assert f'data-next="{page}"' in visitor.get("/login?redirect=//evil.example").text
        visitor.sign_in(person)
        for start in ("/", "/login"):
            assert visitor.get(start)["Location"] == page
        other = Browser()
        code = login_codes.create(person.user).code
        assert other.press("login-code-submit", other.get(f"/lc/{code}"))["Location"] == page
