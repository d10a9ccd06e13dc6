"""Against the real server, with its processes and threads: Terraform writes ten objects at a time (automation-clients.md)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.support.fixtures import Site
from tests.support.http_browser import HttpBrowser

Ask = Callable[..., requests.Response]


@pytest.fixture
def ask(site: Site) -> Ask:
    """``ask("POST", "/oidc/clients", {...})`` as the administrator of the site."""
    browser = HttpBrowser(site.server.base_url)
    browser.sign_in(site.authenticator).raise_for_status()

    def call(method: str, path: str, body: object = None) -> requests.Response:
        return browser.session.request(method, f"{site.server.base_url}/api{path}", json=body, timeout=30)

    return call


def test_ten_writers_at_once_all_succeed(ask: Ask) -> None:
    def work(number: int) -> list[int]:
        client = {"name": f"Parallel {number}", "callbackURLs": ["https://a.example.com/cb"]}
        made = ask("POST", "/oidc/clients", client)
        path = f"/oidc/clients/{made.json()['id']}"
        others = (
            ask("POST", f"{path}/secrets"),
            ask("PUT", path, client | {"skipConsent": True}),
            ask("GET", path),
            ask("DELETE", path),
        )
        return [answer.status_code for answer in (made, *others)]

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(work, range(20))) == [[201, 201, 200, 200, 204]] * 20


def test_of_ten_who_want_the_same_id_one_gets_it(ask: Ask) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(
            pool.map(lambda _number: ask("POST", "/oidc/clients", {"name": "Same", "id": "the-same-id"}), range(10))
        )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
    assert ask("DELETE", "/oidc/clients/the-same-id").status_code == 204
