"""The sign-in page, and the page that adds a passkey."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts import setup
from core.http import safe_path
from siteconfig.models import current

HOME = "/settings/account"


def where_to(wanted: str | None) -> str:
    """Where somebody goes on to: ``wanted`` if it is a path on this server, else the home page of the settings."""
    return safe_path(wanted, "") or current().home_page_url


def home(request: HttpRequest) -> HttpResponse:
    """The start page: where people go after signing in, once they have."""
    return redirect(where_to(None) if request.user.is_authenticated else "/login")


def settings_home(request: HttpRequest) -> HttpResponse:
    return redirect(HOME)


def login(request: HttpRequest) -> HttpResponse:
    """Sign in, then go on to ``redirect``, a path on this server."""
    if setup.is_open():
        return redirect("/setup")
    target = where_to(request.GET.get("redirect") or request.GET.get("next"))
    again = request.GET.get("reauthenticate") is not None and request.user.is_authenticated
    if request.user.is_authenticated and not again:
        return redirect(target)
    return render(
        request,
        "accounts/sign_in.html",
        {
            "next": target,
            "client": None,
            "mode": "reauthenticate" if again else "sign-in",
            "person": getattr(request.user, "username", ""),
        },
    )


def alternative(request: HttpRequest) -> HttpResponse:
    """What there is beside the passkey; ways that are switched off are not shown."""
    target = where_to(request.GET.get("redirect"))
    if request.user.is_authenticated:
        return redirect(target)
    return render(request, "accounts/alternative.html", {"next": target})


def add_passkey(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return to_login(request)
    return render(
        request,
        "accounts/add_passkey.html",
        {"next": where_to(request.GET.get("redirect")), "first": not request.user.passkeys.exists()},
    )


def to_login(request: HttpRequest) -> HttpResponse:
    """The sign-in page, which will bring the person back here."""
    return redirect("/login?" + urlencode({"redirect": request.get_full_path()}))
