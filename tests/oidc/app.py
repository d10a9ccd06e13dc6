"""An app that people sign in to, inside this process: each OpenID Connect step is one call."""

import base64
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.test import Client as Http

from oidc import client_secrets
from oidc.models import Client
from tests.accounts.browser import Browser
from tests.support.oidc import s256

CALLBACK = "https://app.example.org/callback"


@dataclass
class App:
    """``verifier`` is the PKCE code verifier of its requests, or empty: then it uses no PKCE."""

    client: Client
    secret: str
    redirect_uri: str = CALLBACK
    verifier: str = ""

    # The front channel

    def request(self, **parameters: str | None) -> dict[str, str]:
        """The parameters of an authorization request; ``None`` leaves a usual one out."""
        usual: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid profile email",
            "state": "some state",
            "nonce": "some nonce",
        }
        if self.verifier:
            usual |= {"code_challenge": s256(self.verifier), "code_challenge_method": "S256"}
        return {name: value for name, value in (usual | parameters).items() if value is not None}

    def ask(self, browser: Browser, **parameters: str | None) -> HttpResponse:
        """The answer of the authorization endpoint."""
        return browser.get("/authorize?" + urlencode(self.request(**parameters)))

    def sent_back(self, browser: Browser, **parameters: str | None) -> HttpResponse:
        """What the browser carries to the app, after the person agreed to everything; they must be signed in."""
        return agree(browser, self.ask(browser, **parameters))

    def code(self, browser: Browser, **parameters: str | None) -> str:
        return answer(self.sent_back(browser, **parameters))["code"]

    # The back channel

    def token(self, *, authentication: str | None = None, **form: str | None) -> HttpResponse:
        """A call of the token endpoint, authenticated as the app does (``basic``, ``post`` or ``none``)."""
        headers = {}
        kind = authentication or ("none" if self.client.is_public else "basic")
        if kind == "basic":
            headers["Authorization"] = basic(self.client.client_id, self.secret)
        else:
            form = (
                {"client_id": self.client.client_id} | ({"client_secret": self.secret} if kind == "post" else {}) | form
            )
        return post_form("/api/oidc/token", form, headers=headers)

    def redeem(self, code: str, **form: str | None) -> HttpResponse:
        usual = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier or None,
        }
        return self.token(**usual | form)

    def refresh(self, refresh_token: str, **form: str | None) -> HttpResponse:
        return self.token(**{"grant_type": "refresh_token", "refresh_token": refresh_token} | form)

    def tokens(self, browser: Browser, **parameters: str | None) -> dict[str, Any]:
        """What the app holds after a whole sign-in."""
        response = self.redeem(self.code(browser, **parameters))
        assert response.status_code == 200, response.content
        return response.json()


def an_app(name: str, **fields: Any) -> App:
    client = Client(
        name=name,
        **{"redirect_uris": CALLBACK, "post_logout_redirect_uris": "https://app.example.org/goodbye"} | fields,
    )
    client.full_clean()
    client.save()
    if client.is_public:
        return App(client, "", verifier=secrets.token_urlsafe(48))
    return App(client, client_secrets.create(client)[1])


def agree(browser: Browser, response: HttpResponse) -> HttpResponse:
    """Press the filled button of each page until the answer leaves for the app, or a page has none."""
    for _page in range(10):
        if response.headers.get("Location", "").startswith("/"):
            response = browser.get(response["Location"])
        elif pressed := [
            action for action in ("consent-allow", "account-continue") if f'data-action="{action}"' in response.text
        ]:
            response = browser.press(pressed[0], response)
        else:
            return response
    raise AssertionError("asked for ever")


def answer(response: HttpResponse) -> dict[str, str]:
    """The parameters in the address that the browser is sent to (RFC 6749 section 4.1.2)."""
    assert response.status_code == 303, (response.status_code, response.headers, response.content[:500])
    parts = urlsplit(response["Location"])
    return dict(parse_qsl(parts.query or parts.fragment, keep_blank_values=True, strict_parsing=True))


def basic(client_id: str, secret: str) -> str:
    """RFC 6749 section 2.3.1: both parts are form-encoded first."""
    return "Basic " + base64.b64encode(f"{quote(client_id, safe='')}:{quote(secret, safe='')}".encode()).decode()


def http() -> Http:
    """A program without cookies."""
    return Http(enforce_csrf_checks=True, SERVER_NAME="localhost", SERVER_PORT="1411")


def post_form(path: str, form: dict[str, str | None], **kwargs: Any) -> HttpResponse:
    body = urlencode({name: value for name, value in form.items() if value is not None})
    return http().post(path, body, content_type="application/x-www-form-urlencoded", **kwargs)


def userinfo(access_token: str) -> HttpResponse:
    return http().get("/api/oidc/userinfo", headers={"Authorization": f"Bearer {access_token}"})


def is_error_page(response: HttpResponse) -> bool:
    """A page of ours for the person, and no way to anywhere else."""
    return (
        response.status_code in (400, 403, 404)
        and 'data-page="error"' in response.text
        and "Location" not in response.headers
        and settings.APP_URL not in response.headers.get("Refresh", "")
    )
