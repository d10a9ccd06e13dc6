"""A site with Auth.js, the library behind NextAuth."""

from pathlib import Path

import pytest

from tests.relying_parties.node_app import DIRECTORY, FLAGS, node
from tests.relying_parties.process import app_process
from tests.relying_parties.registration import Registrar
from tests.relying_parties.sign_in import answer_questions, shown
from tests.support.server import free_port
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser


def test_an_auth_js_site_signs_in_with_pkce_state_and_nonce(
    registrar: Registrar, administrator: Visitor, tmp_path: Path
) -> None:
    program = [node(), *FLAGS, str(DIRECTORY / "auth_js.mjs")]
    port = free_port()
    site = f"http://localhost:{port}"
    registered = registrar.register("Auth.js", f"{site}/auth/callback/pocketid")
    environment = {
        "ISSUER": registrar.issuer,
        "CLIENT_ID": registered.client_id,
        "CLIENT_SECRET": registered.client_secret,
    }
    page = administrator.page
    with app_process(program, port=port, environment=environment, log=tmp_path / "log"):
        page.goto(f"{site}/auth/signin")
        page.click("button[type=submit]")
        administrator.wait_for("/interaction")
        answer_questions(administrator, site)
        page.goto(f"{site}/auth/session")
        session = shown(administrator)
        assert session["user"]["name"] == "Alice Example"
        assert (session["user"]["email"], session["username"]) == ("alice@example.org", "alice")
        assert set(session["scope"].split()) == {"openid", "profile", "email"}
