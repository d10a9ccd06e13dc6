"""The sign-in page, and the page that adds a passkey."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts import passkeys, setup
from accounts.authentication import has_shown_passkey, session_of
from core.http import safe_path
from siteconfig.models import current

HOME = "/settings/account"
CONSOLE = "/admin/"


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
    context = {
        "next": target,
        "client": None,
        "mode": "reauthenticate" if again else "sign-in",
        "person": getattr(request.user, "username", ""),
    }
    if again and _is_kept_from_the_console(request, target):
        session = session_of(request)
        context["for_console"] = True
        context["may_add"] = session is not None and passkeys.is_fresh(session)
    return render(request, "accounts/sign_in.html", context)


def alternative(request: HttpRequest) -> HttpResponse:
    """What there is beside the passkey; ways that are switched off are not shown."""
    target = where_to(request.GET.get("redirect"))
    if request.user.is_authenticated:
        return redirect(target)
    return render(request, "accounts/alternative.html", {"next": target})


def add_passkey(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return to_login(request)
    target = where_to(request.GET.get("redirect"))
    return render(
        request,
        "accounts/add_passkey.html",
        {
            "next": target,
            "first": not request.user.passkeys.exists(),
            "for_console": _is_kept_from_the_console(request, target),
        },
    )


def _is_kept_from_the_console(request: HttpRequest, target: str) -> bool:
    """Whether ``target`` is a page of the console that only wants this administrator's passkey."""
    return target.startswith(CONSOLE) and getattr(request.user, "is_staff", False) and not has_shown_passkey(request)


def to_login(request: HttpRequest) -> HttpResponse:
    """The sign-in page, which will bring the person back here."""
    return redirect("/login?" + urlencode({"redirect": request.get_full_path()}))
