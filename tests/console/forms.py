"""Filling in the console's forms as a browser without scripts does."""

from typing import Any

from django.http import HttpResponse

from tests.accounts.browser import Browser
from tests.support.html_form import forms


def fill_in(console: Browser, address: str, *, having: str, **values: Any) -> HttpResponse:
    """Send the form of the page that has the field ``having``, with these values in it; ``None`` leaves one out."""
    page = console.get(address)
    assert page.status_code == 200, page.status_code
    form = next(form for form in forms(page.text, page_url="http://localhost:1411" + address) if having in form.fields)
    fields = {name: value for name, value in (form.fields | values).items() if value is not None}
    return console.post(form.url.removeprefix("http://localhost:1411"), fields)


def act(console: Browser, address: str, action: str, *objects: Any, **values: str) -> HttpResponse:
    """Choose these objects of a list, and an action."""
    token = console.get(address).context["csrf_token"]
    chosen = {"action": action, "_selected_action": [str(each.pk) for each in objects], "csrfmiddlewaretoken": token}
    return console.post(address, chosen | values)


def notes(console: Browser, address: str = "/admin/") -> str:
    """The messages that the next page shows."""
    return " ".join(str(message) for message in console.get(address).context["messages"])
