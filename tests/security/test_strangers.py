"""Every address there is, asked by somebody who is nobody: what is not on the list answers nothing (attacks.md G1)."""

import dataclasses

import pytest

import pocketid
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.security.test_fuzz_routes import routes

# What strangers may see, and why. Everything else sends them to sign in, or says 401, 403 or 404.
OPEN = {
    "/login": "signing in",
    "/login/alternative": "signing in",
    "/login/alternative/code": "signing in",
    "/login/alternative/device": "signing in",
    "/login/alternative/device/state": "signing in",
    "/login/alternative/email": "signing in",
    "/lc": "signing in",
    "/lc/{0}": "signing in",
    "/logout": "asks for confirmation, and says so when nobody is signed in",
    "/signed-out": "says so",
    "/signup": "signing up, where the settings allow it",
    "/st/{0}": "signing up with a token",
    "/device/done": "says so",
    "/i18n/setlang/": "the language of this browser",
    "/authorize": "the start of a sign-in: an error page, or the way to /login",
    "/interaction": "the same",
    "/healthz": "monitoring",
    "/readyz": "monitoring",
    "/.well-known/jwks.json": "OpenID Connect Discovery",
    "/.well-known/openid-configuration": "OpenID Connect Discovery",
    "/.well-known/oauth-authorization-server": "RFC 8414",
    "/admin": "/admin/, which is where strangers are sent to sign in",
    "/api/oidc/end-session": "asks for confirmation",
    "/api/oidc/token": "apps, with credentials of their own",
    "/api/oidc/introspect": "apps, with credentials of their own",
    "/api/oidc/revoke": "apps, with credentials of their own",
    "/api/oidc/par": "apps, with credentials of their own",
    "/api/oidc/userinfo": "apps, with a token",
    "/api/oidc/device/authorize": "apps, with credentials of their own",
    "/api/webauthn/login/start": "signing in",
    "/api/webauthn/login/finish": "signing in",
    "/api/signup": "signing up, where the settings allow it",
    "/api/signup/setup": "whether there is an administrator",
    "/api/one-time-access-email": "signing in",
    "/api/one-time-access-token/{0}": "signing in",
    "/api/one-time-access-token/setup": "setting up",
    "/api/device-login/requests": "signing in",
    "/api/device-login/requests/{0}/exchange": "signing in",
    "/api/application-configuration": "what every page shows",
    "/api/application-configuration/logo": "what every page shows",
    "/api/application-configuration/background-image": "what every page shows",
    "/api/application-configuration/favicon": "what every page shows",
    "/api/application-images/logo": "what every page shows",
    "/api/application-images/background": "what every page shows",
    "/api/application-images/email": "what every mail shows",
    "/api/application-images/favicon": "what every page shows",
    "/api/oidc/clients/{0}/meta": "whom one is about to sign in to",
    "/api/oidc/clients/{0}/logo": "whom one is about to sign in to",
    "/api/users/{0}/profile-picture.png": "apps show it",
    "/api/version/latest": "nothing that is ours",
    "/api/schema": "how the API is made, which the source tells too (attacks.md G4, docs/decisions/0006)",
    "/api/docs": "the same",
}
REFUSALS = {401, 403, 404, 405}
WAYS_IN = ("/login", "/admin/login", "/settings/account", "/lc/")


@pytest.mark.parametrize("route", sorted(set(routes())))
def test_a_stranger_gets_nothing(browser: Browser, admin: Person, route: str) -> None:
    """``admin`` is there, so that the server is not one that waits to be set up."""
    if route in OPEN:
        return
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        answer = browser.generic(method, route.format(admin.subject), b"{}", content_type="application/json")
        is_sent_on = answer.status_code in (301, 302, 307) and answer["Location"].startswith(WAYS_IN)
        assert answer.status_code in REFUSALS or is_sent_on, (
            method,
            answer.status_code,
            answer.headers,
            answer.content[:99],
        )
        assert b"alice" not in answer.content


def test_the_list_names_no_address_that_is_gone() -> None:
    assert set(OPEN) - set(routes()) == set()


DOCUMENTATION = ("/api/docs", "/api/schema", "/api/schema?format=yaml")


@pytest.mark.spec("attacks.md", "G4")
def test_g4_documentation_tells_strangers_nothing_of_this_installation(browser: Browser, admin: Person) -> None:
    """Open by decision (docs/decisions/0006): the same text on every server but its address, and not which release it is."""
    for address in DOCUMENTATION:
        answer = browser.get(address)
        assert answer.status_code == 200
        assert b"alice" not in answer.content
    assert browser.get("/api/schema").json()["info"]["version"] == "2.18.0" != pocketid.__version__


@pytest.mark.spec("attacks.md", "G4")
def test_g4_the_operator_closes_documentation(browser: Browser, admin: Person, settings) -> None:
    settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, api_docs_disabled=True)
    browser.sign_in(admin)
    for address in DOCUMENTATION:
        assert browser.get(address).status_code == 404
    assert browser.get("/api/schema").json() == {"error": "API endpoint not found"}


@pytest.mark.spec("attacks.md", "G4")
@pytest.mark.parametrize(
    "address", ["/metrics", "/debug", "/debug/pprof/", "/__debug__/", "/api/metrics", "/server-status"]
)
def test_g4_there_is_nothing_to_debug_or_measure_with(browser: Browser, address: str) -> None:
    assert browser.get(address, headers={"Accept": "text/html"}).status_code in (301, 404)
