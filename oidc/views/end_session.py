"""The end-session endpoint (OIDC RP-Initiated Logout 1.0 section 2), and the page that asks."""

from urllib.parse import quote, urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts import sessions
from accounts.authentication import clear_session_cookie, session_of
from accounts.views.account import sign_out
from audit import log
from audit.models import Event
from core.http import endpoint
from oidc import logout, parameters


@endpoint("GET", "POST", cors=True)
def end_session(request: HttpRequest) -> HttpResponse:
    """Sign out at once and go back to the app, if its hint is good; else ask the person, at ``/logout``."""
    try:
        given = parameters.single(request.POST if request.method == "POST" else request.GET)
    except parameters.BadParameters:
        given = {}
    session = session_of(request)
    allowed = logout.accepted(given, session)
    if allowed is None:
        return redirect(f"{settings.APP_URL}/logout")
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
    """``/logout``: a question for whoever is signed in; a sign-out is only ever done by the form it shows."""
    if request.method == "POST":
        return sign_out(request)
    if session_of(request) is None:
        return redirect("/signed-out")
    return render(request, "accounts/sign_out.html", {"client": None, "fields": []})


def _with_state(uri: str, state: str | None) -> str:
    if state is None:
        return uri
    return uri + ("&" if urlsplit(uri).query else "?") + urlencode({"state": state}, quote_via=quote)
