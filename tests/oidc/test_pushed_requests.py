"""Authorization requests that the app pushed beforehand (RFC 9126)."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from oidc.models import PushedRequest
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, agree, an_app, answer, basic, is_error_page, post_form

pytestmark = pytest.mark.postgres


@pytest.fixture
def at_home(browser: Browser, person: Person) -> Browser:
    browser.sign_in(person)
    return browser


def push(app: App, **parameters: str | None):
    headers = {"Authorization": basic(app.client.client_id, app.secret)}
    return post_form("/api/oidc/par", app.request(**parameters), headers=headers)


def opened(browser: Browser, app: App, request_uri: str, **more: str):
    query = {"client_id": app.client.client_id, "request_uri": request_uri, **more}
    return browser.get("/authorize", query)


@pytest.mark.spec("RFC 9126", "2.2")
def test_a_pushed_request_is_answered_as_it_was_pushed(at_home: Browser, client_app: App) -> None:
    pushed = push(client_app, state="pushed")
    assert (pushed.status_code, pushed.json()["expires_in"], pushed["Cache-Control"]) == (201, 90, "no-store")
    page = opened(at_home, client_app, pushed.json()["request_uri"], state="from the address", scope="openid groups")
    got = answer(agree(at_home, page))
    assert (got["state"], got["scope"]) == ("pushed", "openid profile email")
    assert client_app.redeem(got["code"]).status_code == 200


@pytest.mark.spec("RFC 9126", "7.3")
def test_a_request_uri_is_used_once_but_its_page_may_be_opened_again(at_home: Browser, client_app: App) -> None:
    request_uri = push(client_app).json()["request_uri"]
    first = opened(at_home, client_app, request_uri)
    second = opened(at_home, client_app, request_uri)
    assert "code" in answer(agree(at_home, second))
    assert is_error_page(agree(at_home, first))
    assert is_error_page(opened(at_home, client_app, request_uri))


@pytest.mark.spec("RFC 9126", "2.2")
def test_a_request_uri_of_another_app_or_of_long_ago_is_refused(at_home: Browser, client_app: App) -> None:
    request_uri = push(client_app).json()["request_uri"]
    assert is_error_page(opened(at_home, an_app("Thief"), request_uri))
    with time_machine.travel(timezone.now() + timedelta(seconds=91)):
        assert is_error_page(opened(at_home, client_app, request_uri))


@pytest.mark.spec("RFC 9126", "2.1")
def test_what_means_nothing_is_not_kept(at_home: Browser, client_app: App) -> None:
    """Names too can hold what PostgreSQL takes for no text, and anybody can push for a public client."""
    pushed = push(client_app, **{"no\0text": "1", "unknown": "x" * 8000, "ui_locales": "de", "client_secret": ""})
    assert pushed.status_code == 201, pushed.content
    assert PushedRequest.objects.get().parameters == client_app.request(ui_locales="de")
    assert "code" in answer(agree(at_home, opened(at_home, client_app, pushed.json()["request_uri"])))


@pytest.mark.spec("RFC 9126", "2.3")
@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"redirect_uri": "https://evil.example/cb"}, "invalid_request"),
        ({"request_uri": "urn:x"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
def test_what_cannot_be_granted_is_refused_when_it_is_pushed(
    client_app: App, parameters: dict[str, str], error: str
) -> None:
    refused = push(client_app, **parameters)
    assert (refused.status_code, refused.json()["error"]) == (400, error)


@pytest.mark.spec("RFC 9126", "2.1")
def test_only_the_app_itself_can_push(client_app: App) -> None:
    client_app.secret = "a wrong secret, long enough"
    assert (push(client_app).status_code, push(client_app).json()["error"]) == (401, "invalid_client")


@pytest.mark.spec("RFC 9126", "6")
def test_an_app_that_must_push_is_refused_in_the_open(at_home: Browser) -> None:
    app = an_app("Strict", par_required=True)
    assert answer(app.ask(at_home))["error"] == "invalid_request"
    assert "code" in answer(agree(at_home, opened(at_home, app, push(app).json()["request_uri"])))
