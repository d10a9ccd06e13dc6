"""Making one's own account: openly, or with the link of an administrator (contract sections 3.8 and 6.4)."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts import new_devices, setup, signup
from accounts.authentication import place_of, set_session_cookie, sign_in
from accounts.errors import OpenSignupDisabled, TokenInvalidOrExpired
from accounts.forms import SignupForm
from accounts.models import User
from accounts.views.sign_in import where_to
from audit import log
from audit.models import Event
from core import ratelimit
from core.errors import AppError
from core.http import client_ip
from siteconfig.models import SiteConfiguration, current


@require_safe
def link(request: HttpRequest, token: str) -> HttpResponse:
    """The short address that administrators pass on."""
    return redirect("/signup?" + urlencode({"token": token}))


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Ask who it is, make the account and go on to the first passkey, then to ``redirect``."""
    if setup.is_open():
        return redirect("/setup")
    given = request.POST if request.method == "POST" else request.GET
    token, target = given.get("token", "").strip(), where_to(given.get("redirect"))
    if request.user.is_authenticated:
        return redirect(target)
    if (reason := _closed(token)) and request.method != "POST":
        return _refused(request, reason)
    form = SignupForm(request.POST or None)
    if request.method == "POST":
        try:
            # Before anything is said about the form: it tells which usernames there are.
            ratelimit.take(ratelimit.SIGNUP, client_ip(request))
            if form.is_valid():
                user = signup.sign_up(form.columns, token=token)
                return _signed_up(request, user, token=token, target=target)
        except OpenSignupDisabled:
            return _refused(request, reason or "closed")
        except TokenInvalidOrExpired:
            return _refused(request, "token")
        except AppError as refused:
            form.add_error(None, str(refused.message))
    context = {"form": form, "token": token, "next": target}
    return render(request, "accounts/signup.html", context, status=422 if form.errors else 200)


def _closed(token: str) -> str:
    """Why nobody can sign up this way, or nothing. A link works whatever the settings say (contract section 6.4)."""
    if token:
        return "" if signup.is_open_with(token) else "token"
    mode = current().allow_user_signups
    if mode == SiteConfiguration.Signups.OPEN:
        return ""
    return "needs-link" if mode == SiteConfiguration.Signups.WITH_TOKEN else "closed"


def _refused(request: HttpRequest, reason: str) -> HttpResponse:
    return render(request, "accounts/signup_closed.html", {"reason": reason}, status=403)


def _signed_up(request: HttpRequest, user: User, *, token: str, target: str) -> HttpResponse:
    """Nobody has proved anything yet: the session has no authentication method."""
    session, key = sign_in(request, user, methods=[])
    new_devices.notice(user, place_of(request))
    how = {"signupToken": token[:4] + "…"} if token else {"method": "open_signup"}
    log.record(Event.ACCOUNT_CREATED, user=user, request=request, actor=None, **how)
    response = redirect("/signup/add-passkey?" + urlencode({"redirect": target}))
    set_session_cookie(response, session, key)
    return response
