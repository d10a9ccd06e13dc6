"""An app with idpyoidc, which checks every answer against the specification's message definitions."""

import sys
from collections.abc import Iterator

import pytest
import requests

from tests.relying_parties.process import app_process
from tests.relying_parties.registration import Registrar
from tests.relying_parties.sign_in import go_through, shown
from tests.support.server import free_port
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser


@pytest.fixture
def app(registrar: Registrar, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    base = f"http://localhost:{port}"
    registered = registrar.register("idpyoidc", f"{base}/callback", logoutCallbackURLs=[f"{base}/goodbye"])
    environment = {
        "ISSUER": registrar.issuer,
        "CLIENT_ID": registered.client_id,
        "CLIENT_SECRET": registered.client_secret,
    }
    command = [sys.executable, "-m", "tests.relying_parties.idpyoidc_app"]
    log = tmp_path_factory.mktemp("idpyoidc") / "log"
    with app_process(command, port=port, environment=environment, log=log):
        yield base


def test_an_idpyoidc_app_signs_in_refreshes_asks_about_its_token_ends_it_and_signs_out(
    app: str, administrator: Visitor
) -> None:
    go_through(administrator, f"{app}/login", app)
    me = shown(administrator)
    assert me["id_token"]["iss"] == administrator.base_url
    assert (me["userinfo"]["preferred_username"], me["userinfo"]["email"]) == ("alice", "alice@example.org")

    refreshed = answer(f"{app}/refresh")
    assert {"access_token", "refresh_token", "id_token"} <= set(refreshed["tokens"])
    assert refreshed["userinfo"]["sub"] == me["userinfo"]["sub"]

    assert answer(f"{app}/introspect")["active"] is True
    answer(f"{app}/revoke")
    assert answer(f"{app}/introspect") == {"active": False}

    administrator.page.goto(f"{app}/logout")
    administrator.page.wait_for_url(f"{app}/goodbye**")
    administrator.page.goto("/settings/account")
    administrator.wait_for("/login")


def answer(url: str) -> dict:
    response = requests.get(url, timeout=30)
    assert response.ok, response.text
    return response.json()
