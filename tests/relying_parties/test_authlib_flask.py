"""An Authlib app on Flask: code with PKCE, refreshed tokens, introspection, revocation, and tokens of its own."""

import json
import sys
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from tests.relying_parties.process import app_process
from tests.relying_parties.registration import Registrar
from tests.relying_parties.sign_in import go_through, shown
from tests.support.server import free_port
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("authentication", ["client_secret_basic", "private_key_jwt"])
def test_an_authlib_app_signs_in_refreshes_asks_about_its_token_and_ends_it(
    registrar: Registrar, administrator: Visitor, tmp_path: Path, authentication: str
) -> None:
    port = free_port()
    app = f"http://localhost:{port}"
    key = ECKey.generate_key("P-256", {"kid": "of the app"})
    keys = {"jwks": {"keys": [key.as_dict(private=False)]}} if authentication == "private_key_jwt" else {}
    registered = registrar.register(f"Authlib with {authentication}", f"{app}/callback", credentials=keys)
    proof = {"KEY": json.dumps(key.as_dict(private=True))} if keys else {"CLIENT_SECRET": registered.client_secret}
    environment = {"ISSUER": administrator.base_url, "CLIENT_ID": registered.client_id} | proof
    page = administrator.page
    command = [sys.executable, "-m", "tests.relying_parties.flask_app"]
    with app_process(command, port=port, environment=environment, log=tmp_path / "flask.log"):
        go_through(administrator, f"{app}/login", app)
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

        page.goto(f"{app}/end")
        assert shown(administrator) == {"before": True, "revoked": 200, "after": {"active": False}}

        page.goto(f"{app}/for-itself")
        assert json.loads(page.inner_text("body")) == [
            "access_token",
            "expires_at",
            "expires_in",
            "scope",
            "token_type",
        ]
