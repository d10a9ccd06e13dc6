"""openid-client and oauth4webapi, certified JavaScript libraries: every endpoint that an app's server calls."""

from collections.abc import Iterator

import pytest
from joserfc.jwk import ECKey

from tests.relying_parties.node_app import NodeApp, node_apps
from tests.relying_parties.registration import Registrar
from tests.relying_parties.sign_in import go_through, shown
from tests.support.server import free_port
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser

SCOPE = "openid profile email offline_access"
KEY = ECKey.generate_key("P-256", {"kid": "the app's", "alg": "ES256", "use": "sig"})
# How each registration proves to be itself, and what else is special about it.
KINDS: dict[str, dict[str, object]] = {
    "basic": {"authentication": "client_secret_basic"},
    "pushed": {"authentication": "client_secret_post", "par": True},
    "public": {"authentication": "none"},
    "signed": {"authentication": "private_key_jwt", "key": KEY.as_dict(private=True)},
    "mistyped-basic": {"authentication": "client_secret_basic", "client_secret": "of another app"},
    "mistyped-post": {"authentication": "client_secret_post", "client_secret": "of another app"},
}
SETTINGS: dict[str, dict[str, object]] = {
    "pushed": {"requiresPushedAuthorizationRequests": True, "pkceEnabled": True},
    "public": {"isPublic": True},
    "signed": {"credentials": {"jwks": {"keys": [KEY.as_dict(private=False)]}}},
}


@pytest.fixture(scope="module", params=["openid_client.mjs", "oauth4webapi.mjs"])
def apps(
    request: pytest.FixtureRequest, registrar: Registrar, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, NodeApp]]:
    port = free_port()
    registrations = {}
    for name, kind in KINDS.items():
        base = f"http://localhost:{port}/{name}"
        registered = registrar.register(
            f"{request.param} {name}",
            f"{base}/callback",
            logoutCallbackURLs=[f"{base}/goodbye"],
            **SETTINGS.get(name, {}),
        )
        own = {"client_id": registered.client_id, "client_secret": registered.client_secret, "scope": SCOPE}
        registrations[name] = own | kind
    log = tmp_path_factory.mktemp("node") / "log"
    with node_apps(request.param, registrations, issuer=registrar.issuer, port=port, log=log) as running:
        yield running


@pytest.mark.parametrize("name", ["basic", "pushed", "public", "signed"])
def test_an_app_signs_in_refreshes_asks_about_its_tokens_and_ends_them(
    apps: dict[str, NodeApp], name: str, administrator: Visitor
) -> None:
    app = apps[name]
    go_through(administrator, app.url("login"), app.base_url)
    me = shown(administrator)
    assert me["claims"]["iss"] == administrator.base_url
    assert me["userinfo"]["sub"] == me["claims"]["sub"]
    assert (me["userinfo"]["preferred_username"], me["userinfo"]["email"]) == ("alice", "alice@example.org")
    assert set(me["scope"].split()) == set(SCOPE.split())

    refreshed = app.get("refresh")
    assert refreshed["changed"] == ["access_token", "refresh_token", "id_token"]
    assert refreshed["userinfo"] == me["userinfo"]
    assert refreshed["claims"]["auth_time"] == me["claims"]["auth_time"]

    if name == "public":
        # Whoever knows the id of a public client could ask about tokens that were stolen from it.
        assert app.problem("introspect")["error"] == "invalid_client"
    else:
        access, refresh = app.get("introspect", token="access_token"), app.get("introspect", token="refresh_token")
        assert (access["active"], access["sub"], access["token_type"]) == (True, me["claims"]["sub"], "Bearer")
        assert (refresh["active"], refresh["client_id"]) == (True, access["client_id"])
        app.get("revoke", token="access_token")
        assert app.get("introspect", token="access_token") == {"active": False}
        app.get("refresh")
    app.get("revoke", token="refresh_token")
    assert app.problem("refresh")["error"] == "invalid_grant"
    assert app.problem("userinfo")["status"] == 401


def test_signing_out_of_the_app_signs_out_here_and_leads_back(apps: dict[str, NodeApp], administrator: Visitor) -> None:
    app = apps["basic"]
    go_through(administrator, app.url("login"), app.base_url)
    administrator.page.goto(app.url("logout"))
    administrator.page.wait_for_url(app.url("goodbye**"))
    assert shown(administrator) == {"goodbye": True, "state": "a & b"}
    administrator.page.goto("/settings/account")
    administrator.wait_for("/login")


def test_an_app_acts_for_itself(apps: dict[str, NodeApp]) -> None:
    tokens = apps["basic"].get("client-credentials")
    assert (tokens["token_type"], tokens.get("id_token"), tokens.get("refresh_token")) == ("bearer", None, None)
    assert apps["basic"].get("introspect")["sub"] == f"client-{apps['basic'].get('introspect')['client_id']}"


def test_a_device_signs_in_once_somebody_agrees(apps: dict[str, NodeApp], administrator: Visitor) -> None:
    administrator.sign_in()
    app = apps["public"]
    device = app.get("device")
    administrator.page.goto(device["page"])
    administrator.press("device-allow")
    administrator.wait_for("/device/done")
    tokens = app.get("device-tokens")
    assert tokens["userinfo"]["preferred_username"] == "alice"
    assert tokens["claims"]["sub"] == tokens["userinfo"]["sub"]


@pytest.mark.parametrize("name", ["mistyped-basic", "mistyped-post"])
def test_a_mistyped_secret_is_called_by_its_name(apps: dict[str, NodeApp], name: str) -> None:
    refused = apps[name].problem("client-credentials")
    assert (refused["error"], refused["status"]) == ("invalid_client", 401)
    assert refused["error_description"] == "The client secret is wrong."
