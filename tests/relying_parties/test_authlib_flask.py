"""An Authlib app on Flask: code with PKCE, then a refreshed access token."""

import sys
from pathlib import Path

import pytest

from tests.relying_parties.process import app_process
from tests.relying_parties.sign_in import shown
from tests.support.console import register_client
from tests.support.server import free_port
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser


def test_an_authlib_app_signs_in_and_refreshes(administrator: Visitor, tmp_path: Path) -> None:
    port = free_port()
    app = f"http://localhost:{port}"
    administrator.sign_in("/admin/")
    registered = register_client(administrator, "Authlib", redirect_uris=[f"{app}/callback"])
    page = administrator.page
    environment = {
        "ISSUER": administrator.base_url,
        "CLIENT_ID": registered.client_id,
        "CLIENT_SECRET": registered.client_secret,
    }
    command = [sys.executable, "-m", "tests.relying_parties.flask_app"]
    with app_process(command, port=port, environment=environment, log=tmp_path / "flask.log"):
        administrator.sign_out()
        page.goto(f"{app}/login")
        administrator.press("passkey-sign-in")
        administrator.press("consent-allow")
        page.wait_for_url(f"{app}/me")
        me = shown(administrator)
        assert me["id_token"]["iss"] == administrator.base_url
        assert me["id_token"]["aud"] in (registered.client_id, [registered.client_id])
        assert me["userinfo"]["sub"] == me["id_token"]["sub"]
        assert (me["userinfo"]["preferred_username"], me["userinfo"]["email"]) == ("alice", "alice@example.org")
        assert set(me["scope"].split()) == {"openid", "profile", "email", "offline_access"}

        page.goto(f"{app}/expire")
        refreshed = shown(administrator)
        assert refreshed == {"userinfo": me["userinfo"], "changed": ["access_token", "refresh_token"]}
