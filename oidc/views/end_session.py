"""The end-session endpoint (OIDC RP-Initiated Logout 1.0 section 2), and the page that asks."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts import sessions
from accounts.authentication import clear_session_cookie, session_of
from accounts.views.account import sign_out
from audit import log
from audit.models import Event
from core.http import endpoint, is_cross_site
from oidc import logout, parameters
from oidc.errors import UnusableLogout
from oidc.logout import LogoutRefused, Problem

ADDRESS = "/api/oidc/end-session"


@endpoint("GET", "POST", cors=True)
def end_session(request: HttpRequest) -> HttpResponse:
    """Sign out at once and go back to the app, if its hint is good; else ask the person, at ``/logout``."""
    session = session_of(request)
    try:
        given = parameters.in_form(request) if request.method == "POST" else parameters.in_query(request)
        if request.method == "POST" and session is None and is_cross_site(request):
            return _again_with_cookies(given)
        allowed = logout.accepted(given, session)
    except parameters.BadParameters:
        return _ask(Problem.REPEATED)
    except LogoutRefused as refused:
        return _ask(refused.problem)
    revoked = logout.revoke_tokens(allowed)
    if session is not None:
        sessions.end(session)
        log.record(
            Event.SIGN_OUT, user=session.user, request=request, clientName=allowed.client.name, grants=str(revoked)
        )
    response = HttpResponse(status=302)
    response["Location"] = (
        _with_state(allowed.redirect_uri, given.get("state"))
        if allowed.redirect_uri
        else f"{settings.APP_URL}/signed-out"
    )
    clear_session_cookie(response)
    return response


def page(request: HttpRequest) -> HttpResponse:
    """``/logout``: a question for whoever is signed in; a sign-out is only ever done by the form it shows.

    ``problem`` says why the app's own request was not enough.
    """
    if request.method == "POST":
        return sign_out(request)
    problem = logout.EXPLANATIONS.get(request.GET.get("problem", ""))
    if session_of(request) is not None:
        return render(request, "accounts/sign_out.html", {"client": None, "fields": [], "problem": problem})
    if problem is None:
        return redirect("/signed-out")
    raise UnusableLogout(problem)


def _again_with_cookies(given: Mapping[str, str]) -> HttpResponse:
    """Browsers send no session cookie with a form of another site, but do when it leads them on: without this the
    session would live on, and no other app would hear of its end."""
    response = HttpResponse(status=303)
    response["Location"] = f"{settings.APP_URL}{ADDRESS}?{urlencode(given, quote_via=quote)}"
    return response


def _ask(problem: Problem | None) -> HttpResponse:
    return redirect(f"{settings.APP_URL}/logout" + (f"?problem={problem}" if problem else ""))


def _with_state(uri: str, state: str | None) -> str:
    if state is None:
        return uri
    return uri + ("&" if urlsplit(uri).query else "?") + urlencode({"state": state}, quote_via=quote)
