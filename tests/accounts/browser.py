"""A browser that is only HTTP, inside this process: cookies, forms with their CSRF tokens, the headers browsers send."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from tests.accounts.people import Person
from tests.support.authenticator import Authenticator
from tests.support.html_form import form_with

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class Browser(Client):
    """Redirects are for the caller to follow. An exception in a view is raised here, as no test may cause one."""

    def __init__(self) -> None:
        super().__init__(
            enforce_csrf_checks=True,
            SERVER_NAME="localhost",
            SERVER_PORT="1411",
            HTTP_USER_AGENT=FIREFOX,
            HTTP_ACCEPT=PAGE,
        )

    def post(self, path: str, data: Any = None, **kwargs: Any) -> HttpResponse:
        """As a page of ours sends it; other ``Origin`` and ``Sec-Fetch-Site`` come as ``headers``, ``None`` leaves one out."""
        headers = {"Origin": settings.APP_URL, "Sec-Fetch-Site": "same-origin"} | dict(
            kwargs.pop("headers", None) or {}
        )
        if data is None:  # Django's test client would send an empty multipart form
            data, kwargs = b"", {"content_type": ""} | kwargs
        return super().post(
            path, data, headers={name: value for name, value in headers.items() if value is not None}, **kwargs
        )

    def send(self, path: str, body: object = None, **kwargs: Any) -> HttpResponse:
        """JSON, as a script of ours posts it."""
        return self.post(path, body, content_type="application/json", **kwargs)

    def press(self, action: str, page: HttpResponse, **filled_in: str) -> HttpResponse:
        """Send the form of ``page`` that has the button ``data-action``."""
        form = form_with(action, page.text, page_url=page.wsgi_request.build_absolute_uri())
        return self.post(form.url.removeprefix(settings.APP_URL), form.press(action) | filled_in)

    def sign_in(self, person: Person) -> HttpResponse:
        response = self.try_to_sign_in(person.device)
        assert response.status_code == 200, response.content
        return response

    def try_to_sign_in(self, device: Authenticator) -> HttpResponse:
        return self.send("/api/webauthn/login/finish", device.get(self.login_options()))

    def login_options(self) -> dict[str, Any]:
        return self.get("/api/webauthn/login/start").json()

    def registration_options(self) -> dict[str, Any]:
        return self.get("/api/webauthn/register/start").json()

    def add_passkey(self, device: Authenticator) -> HttpResponse:
        return self.send("/api/webauthn/register/finish", device.create(self.registration_options()))

    @property
    def session_key(self) -> str:
        found = self.cookies.get(settings.SESSION_COOKIE_NAME)
        return found.value if found else ""

    def copy(self) -> "Browser":
        """Somebody who stole the cookies."""
        thief = Browser()
        for name, morsel in self.cookies.items():
            thief.cookies[name] = morsel.value
        return thief
