"""A browser that is only HTTP: cookies, passkeys and forms, no JavaScript."""

import re
from http.cookiejar import Cookie
from typing import Any
from urllib.parse import urljoin

import requests
from requests.cookies import RequestsCookieJar

from tests.support.authenticator import Authenticator
from tests.support.html_form import form_with, forms

TIMEOUT = 10.0  # seconds


class HttpBrowser:
    """Keeps the cookies of one person at one server; redirects are for the caller to follow."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.session = requests.Session()
        self.session.cookies = _CookieJar()
        self.session.headers["User-Agent"] = (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
        )

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        return self.session.get(urljoin(self.base_url, path), allow_redirects=False, timeout=TIMEOUT, **kwargs)

    def post(self, path: str, **kwargs: Any) -> requests.Response:
        headers = {"Origin": self.base_url, "Sec-Fetch-Site": "same-origin"} | dict(kwargs.pop("headers", {}))
        return self.session.post(
            urljoin(self.base_url, path), allow_redirects=False, timeout=TIMEOUT, headers=headers, **kwargs
        )

    def press(self, action: str, page: requests.Response, **filled_in: str) -> requests.Response:
        """Send the form of ``page`` that has the button ``data-action``."""
        form = form_with(action, page.text, page_url=page.url)
        return self.post(form.url, data=form.press(action) | filled_in, headers={"Referer": page.url})

    def set_up(self, authenticator: Authenticator, *, username: str = "alice") -> None:
        """Become the first administrator, with a passkey."""
        body = {"username": username, "email": f"{username}@example.org", "firstName": "Alice", "lastName": "Example"}
        self.post("/api/signup/setup", json=body).raise_for_status()
        self.add_passkey(authenticator).raise_for_status()

    def add_passkey(self, authenticator: Authenticator) -> requests.Response:
        options = _json(self.get("/api/webauthn/register/start"))
        return self.post("/api/webauthn/register/finish", json=authenticator.create(options))

    def sign_in(self, authenticator: Authenticator) -> requests.Response:
        options = _json(self.get("/api/webauthn/login/start"))
        return self.post("/api/webauthn/login/finish", json=authenticator.get(options))

    def register_client(self, name: str, redirect_uri: str, *, client_type: str = "confidential") -> tuple[str, str]:
        """Add an app in the console, as its administrator: client id and secret (empty for a public one)."""
        page = self.get("/admin/oidc/client/add/")
        page.raise_for_status()
        form = next(form for form in forms(page.text, page_url=page.url) if "redirect_uris" in form.fields)
        filled_in = form.fields | {
            "name": name,
            "redirect_uris": redirect_uri,
            "client_type": client_type,
            "_save": "Save",
        }
        shown = self.post(form.url, data=filled_in, headers={"Referer": page.url})
        shown.raise_for_status()
        values = dict(re.findall(r'<code[^>]* id="(client-[a-z]+)"[^>]*>([^<]+)<', shown.text))
        return values["client-id"], values.get("client-secret", "")


class _CookieJar(RequestsCookieJar):
    """Sends ``Secure`` cookies to http://localhost too, as browsers do."""

    def set_cookie(self, cookie: Cookie, *args: object, **kwargs: object) -> None:
        cookie.secure = False
        super().set_cookie(cookie, *args, **kwargs)


def _json(response: requests.Response) -> dict[str, Any]:
    response.raise_for_status()
    body: dict[str, Any] = response.json()
    return body
