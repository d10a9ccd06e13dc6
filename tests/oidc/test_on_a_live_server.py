"""What only the real server can show: its processes, its log, and what it remembers over a restart."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.oidc.assertions import a_key, assertion, proof, public
from tests.support.authenticator import Authenticator
from tests.support.http_browser import HttpBrowser
from tests.support.server import Server

pytestmark = pytest.mark.postgres
CALLBACK = "https://portainer.example.org/"
API_KEY = {"X-API-Key": "the static key of these tests"}


@pytest.fixture
def server(live_database: str) -> Iterator[Server]:
    settings = {"STATIC_API_KEY": API_KEY["X-API-Key"], "DISABLE_RATE_LIMITING": "true", "WORKERS": "2"}
    with Server(database_url=live_database, environment=settings) as running:
        yield running


def register(server: Server, name: str, **settings: object) -> tuple[str, str]:
    """Client id and secret of an app."""
    body = {"name": name, "callbackURLs": [CALLBACK]} | settings
    made = requests.post(f"{server.base_url}/api/oidc/clients", json=body, headers=API_KEY, timeout=10)
    assert made.status_code == 201, made.text
    return made.json()["id"], made.json()["createdSecret"]["secret"]


def ask(server: Server, form: dict[str, str], **kwargs: object) -> requests.Response:
    return requests.post(f"{server.base_url}/api/oidc/token", data=form, timeout=10, **kwargs)


@pytest.mark.spec("OIDC Core", "3.1.2.1")
def test_a_request_posted_by_another_site_waits_over_a_restart(server: Server) -> None:
    device = Authenticator(server.base_url)
    HttpBrowser(server.base_url).set_up(device)
    client_id, secret = register(server, "Portainer")
    visitor = HttpBrowser(server.base_url)
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": CALLBACK,
        "scope": "openid profile",
        "state": "a state",
    }
    elsewhere = {"Origin": "https://portainer.example.org", "Sec-Fetch-Site": "cross-site"}
    parked = visitor.post("/authorize", data=asked, headers=elsewhere).headers["Location"]
    assert parked.startswith("/interaction?")
    assert server.stop() == 0
    server.start()
    assert 'data-page="sign-in"' in visitor.get(parked).text
    assert visitor.sign_in(device).ok
    page = visitor.get(parked)
    if page.status_code == 200:
        page = visitor.press("consent-allow", page)
    while page.headers["Location"].startswith("/"):
        page = visitor.get(page.headers["Location"])
    callback = urlsplit(page.headers["Location"])
    answer = parse_qs(callback.query)
    assert answer["state"] == ["a state"]
    form = {"grant_type": "authorization_code", "code": answer["code"][0], "redirect_uri": CALLBACK}
    assert ask(server, form, auth=(client_id, secret)).status_code == 200


@pytest.mark.spec("RFC 7523", "3")
def test_an_assertion_counts_once_for_all_processes(server: Server) -> None:
    key = a_key()
    client_id, _secret = register(server, "Robot", credentials={"jwks": public(key)})
    sent = assertion(client_id, key, aud=server.base_url)
    with ThreadPoolExecutor(12) as pool:
        form = {"grant_type": "client_credentials"} | proof(sent)
        answers = [each.status_code for each in pool.map(lambda _n: ask(server, form), range(24))]
    assert sorted(answers) == [200] + [401] * 23


@pytest.mark.spec("relying-parties.md", "4, the secret was never entered")
def test_each_wrong_secret_is_named_to_the_app_and_in_the_log(server: Server) -> None:
    client_id, secret = register(server, "Portainer")
    _other, others = register(server, "Other")
    form = {"grant_type": "authorization_code", "code": "x"}
    tried = [
        ({}, (client_id, ""), "secret is empty"),
        ({"client_id": client_id}, None, "secret is missing"),
        ({"client_id": client_id, "client_secret": ""}, None, "secret is empty"),
        ({}, (client_id, secret + "%20"), "blank before or after"),
        ({}, (client_id, others), "that of another client"),
        ({}, (client_id, "something else"), "secret is wrong"),
        ({}, ("nobody", secret), "client is unknown"),
    ]
    for more, auth, said in tried:
        answer = ask(server, form | more, auth=auth)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert said in answer.json()["error_description"]
        [line] = [
            line
            for line in server.log.splitlines()
            if answer.headers["X-Request-ID"] in line and "client authentication refused" in line
        ]
        assert said in line
    assert ask(server, form, auth=(client_id, secret)).json()["error"] == "invalid_grant"
    assert secret not in server.log
    assert others not in server.log
