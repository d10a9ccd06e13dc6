"""Django sites with mozilla-django-oidc and with social-auth-app-django, each a process of its own."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.relying_parties.process import app_process
from tests.relying_parties.registration import Registrar
from tests.relying_parties.sign_in import answer_questions, go_through, shown
from tests.support.server import free_port
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser


@contextmanager
def django_site(
    module: str, registrar: Registrar, directory: Path, *, callback: str, **environment: str
) -> Iterator[str]:
    """The base address of a running site, registered with its callback and with /goodbye."""
    port = free_port()
    base = f"http://localhost:{port}"
    registered = registrar.register(module, base + callback, logoutCallbackURLs=[f"{base}/goodbye"])
    own = {
        "ISSUER": registrar.issuer,
        "CLIENT_ID": registered.client_id,
        "CLIENT_SECRET": registered.client_secret,
        "DATABASE": str(directory / "site.sqlite3"),
    }
    command = [sys.executable, "-m", f"tests.relying_parties.{module}"]
    with app_process(command, port=port, environment=own | environment, log=directory / "log"):
        yield base


def test_a_mozilla_django_oidc_site_signs_in_asks_again_unseen_and_signs_out(
    registrar: Registrar, administrator: Visitor, tmp_path: Path
) -> None:
    page = administrator.page
    with django_site("mozilla_site", registrar, tmp_path, callback="/oidc/callback/") as site:
        go_through(administrator, f"{site}/oidc/authenticate/", site)
        first = shown(administrator)
        assert first["person"]["email"] == "alice@example.org"

        time.sleep(1)
        page.goto(site)
        page.wait_for_url(f"{site}/")
        again = shown(administrator)
        assert (again["person"], again["until"] > first["until"]) == (first["person"], True)

        page.goto(f"{site}/oidc/logout/")
        page.wait_for_url(f"{site}/goodbye")
        page.goto(administrator.base_url + "/settings/account")
        administrator.wait_for("/login")


def test_a_mozilla_django_oidc_site_lets_go_of_who_signed_out_here(
    registrar: Registrar, administrator: Visitor, tmp_path: Path
) -> None:
    with django_site("mozilla_site", registrar, tmp_path, callback="/oidc/callback/") as site:
        go_through(administrator, f"{site}/oidc/authenticate/", site)
        administrator.sign_out()
        time.sleep(1)
        administrator.page.goto(site)
        administrator.page.wait_for_url(f"{site}/")
        assert shown(administrator)["person"] is None


def test_a_social_auth_site_signs_in_refreshes_and_links_the_same_person_again(
    registrar: Registrar, administrator: Visitor, tmp_path: Path
) -> None:
    page = administrator.page
    with django_site("social_site", registrar, tmp_path, callback="/complete/oidc/") as site:
        page.goto(f"{site}/sign-in")
        page.click("#sign-in")
        administrator.wait_for("/interaction")
        answer_questions(administrator, site)
        first = shown(administrator)
        assert first["person"] == {"username": "alice", "email": "alice@example.org", "name": "Alice Example"}

        page.goto(f"{site}/refresh")
        assert shown(administrator) == {"changed": ["access_token", "refresh_token"]}

        page.goto(f"{site}/sign-out")
        assert shown(administrator) == {"person": None}
        page.goto(f"{site}/sign-in")
        page.click("#sign-in")
        page.wait_for_url(f"{site}/")
        assert shown(administrator) == first
