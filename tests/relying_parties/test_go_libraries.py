"""golang.org/x/oauth2 and go-oidc, with which most self-hosted apps in Go sign people in: Memos, Portainer, Miniflux, Grafana.

Optional: skipped where ``make test`` found no Go that could build the app in ``go/``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.relying_parties.process import app_process
from tests.relying_parties.registration import Registrar
from tests.relying_parties.sign_in import go_through, shown
from tests.support.server import ROOT, free_port
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser

PROGRAM = ROOT / ".venv/go-app"


@contextmanager
def go_app(
    registrar: Registrar, directory: Path, *, secret: str | None = None, userinfo: str = "/api/oidc/userinfo"
) -> Iterator[str]:
    """A running app; ``secret`` is what somebody typed instead of the right one."""
    if not PROGRAM.exists():
        pytest.skip("no app in Go: install golang and run make .venv/go-app")
    port = free_port()
    app = f"http://localhost:{port}"
    registered = registrar.register("App in Go", f"{app}/callback")
    environment = {
        "ISSUER": registrar.issuer,
        "CLIENT_ID": registered.client_id,
        "CLIENT_SECRET": registered.client_secret if secret is None else secret,
        "USERINFO": registrar.issuer + userinfo,
    }
    with app_process([str(PROGRAM)], port=port, environment=environment, log=directory / "log"):
        yield app


def test_an_app_in_go_signs_in_and_refreshes(registrar: Registrar, administrator: Visitor, tmp_path: Path) -> None:
    with go_app(registrar, tmp_path) as app:
        go_through(administrator, f"{app}/login", app)
        me = shown(administrator)
        assert me["userinfo"]["sub"] == me["subject"]
        assert me["userinfo"]["preferred_username"] == "alice"
        assert requests.get(f"{app}/refresh", timeout=30).json() == {"changed": True}


@pytest.mark.parametrize(
    ("secret", "words"),
    [("", "The client secret is missing"), ("of another app", "The client secret is wrong")],
)
def test_an_app_in_go_without_the_right_secret_shows_what_is_wrong(
    registrar: Registrar, administrator: Visitor, tmp_path: Path, secret: str, words: str
) -> None:
    # It tries twice, each way of authentication once, and shows what the second was told (Portainer, Memos).
    with go_app(registrar, tmp_path, secret=secret) as app:
        go_through(administrator, f"{app}/login", app)
        problem = shown(administrator)["problem"]
        assert problem.startswith('oauth2: "invalid_client" "')
        assert words in problem


def test_an_app_in_go_with_a_wrong_userinfo_address_shows_the_right_one(
    registrar: Registrar, administrator: Visitor, tmp_path: Path
) -> None:
    with go_app(registrar, tmp_path, userinfo="/api/oidc/user") as app:
        go_through(administrator, f"{app}/login", app)
        problem = shown(administrator)["problem"]
        assert f"The userinfo endpoint is {registrar.issuer}/api/oidc/userinfo" in problem
