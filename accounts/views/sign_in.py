"""The sign-in page, and the page that adds a passkey."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts import setup
from core.http import safe_path

HOME = "/settings/account"


def home(request: HttpRequest) -> HttpResponse:
    return redirect(HOME)


def login(request: HttpRequest) -> HttpResponse:
    """Sign in, then go on to ``redirect``, a path on this server."""
    if setup.is_open():
        return redirect("/setup")
    target = safe_path(request.GET.get("redirect") or request.GET.get("next"), HOME)
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
    target = safe_path(request.GET.get("redirect"), HOME)
    if request.user.is_authenticated:
        return redirect(target)
    return render(request, "accounts/alternative.html", {"next": target})


def add_passkey(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return to_login(request)
    return render(
        request,
        "accounts/add_passkey.html",
        {"next": safe_path(request.GET.get("redirect"), HOME), "first": not request.user.passkeys.exists()},
    )


def to_login(request: HttpRequest) -> HttpResponse:
    """The sign-in page, which will bring the person back here."""
    return redirect("/login?" + urlencode({"redirect": request.get_full_path()}))
