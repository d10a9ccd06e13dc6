"""The authorization endpoint (OIDC Core section 3.1.2): every step of a request, in order.

Until the redirect URI is known good a refusal is a page of ours; from there on it is an answer to the app.
Whatever the person must do first is done at ``/interaction``, while the request waits in the database.
"""

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from accounts import setup
from accounts.authentication import session_of
from accounts.models import Session
from audit import log
from audit.models import Event
from core import ratelimit
from core.errors import UserDisabled
from core.http import client_ip
from oidc import (
    authorization_request,
    consent,
    parameters,
    pending,
    prompts,
    pushed_requests,
    signing_keys,
    store,
    tokens,
)
from oidc.authorization_request import AuthorizationRequest, ReplyTo
from oidc.errors import (
    AppDeniesAccess,
    InvalidAuthorizationRequest,
    InvalidRequestError,
    LoginRequired,
    OAuth2Error,
    UnknownClient,
    UnmetAuthenticationRequirements,
    describe,
)
from oidc.models.authorization import CODE_LIFETIME
from oidc.prompts import Progress
from oidc.store import AuthorizingClient

logger = logging.getLogger("pocketid.oidc")

TOUCHED = timedelta(minutes=1)  # when an app was last used is told to the minute


@dataclass(frozen=True)
class _Attempt:
    """A request on its way: what is asked, by which client, of whom, and how far it has come."""

    asked: AuthorizationRequest
    client: AuthorizingClient
    session: Session | None
    progress: Progress
    interaction: uuid.UUID | None = None
    pushed: str = ""


@csrf_exempt  # OIDC Core demands POST from other sites; nothing happens on its strength that GET would not do
def authorize(request: HttpRequest) -> HttpResponse:
    if request.method not in ("GET", "HEAD", "POST"):
        raise InvalidAuthorizationRequest
    given = _parameters(request)
    if (interaction := given.get("interaction")) and "client_id" not in given:  # else it is an unknown one of the app's
        return _resume(request, interaction)
    pushed, given = _pushed(given)
    session = _session(request)
    client = _client(given, session)
    reply_to = authorization_request.reply_to(given, client.row)
    try:
        authorization_request.check_pushed(client, pushed)
        asked = authorization_request.check(given, client.row, reply_to)
        return _go_on(request, _Attempt(asked, client, session, Progress(since=timezone.now()), pushed=pushed))
    except OAuth2Error as refused:
        return _refuse(request, refused, reply_to)


def _resume(request: HttpRequest, interaction: str) -> HttpResponse:
    """The person is back from ``/interaction``; what counts is what was asked then, and what they did since."""
    session = _session(request)
    waiting = pending.find(interaction)
    client = store.find_for_authorization(waiting.client.client_id, session.user.pk if session else None)
    if client is None:
        raise UnknownClient
    asked = AuthorizationRequest.from_json(waiting.parameters)
    # It waited for up to an hour: an address that was taken away meanwhile gets nothing.
    authorization_request.check_redirect_uri(asked.reply_to.redirect_uri, client.row)
    try:
        progress = pending.progress(waiting, session)
        return _go_on(request, _Attempt(asked, client, session, progress, waiting.pk, waiting.pushed_request))
    except OAuth2Error as refused:
        return _refuse(request, refused, asked.reply_to)


def _pushed(given: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    """The key of a pushed request and what was pushed, if the address names one; else what the address says."""
    request_uri = given.get("request_uri", "")
    if not request_uri.startswith(pushed_requests.PREFIX):
        return "", given
    return pushed_requests.find(request_uri, given.get("client_id", ""))


def _parameters(request: HttpRequest) -> Mapping[str, str]:
    if request.method == "POST" and not parameters.is_form(request):
        raise InvalidAuthorizationRequest(causes=[(_("Reason"), "a POST must be a form")])
    try:
        return parameters.in_form(request) if request.method == "POST" else parameters.in_query(request)
    except parameters.BadParameters as bad:
        raise InvalidAuthorizationRequest(causes=[(_("Reason"), str(bad))]) from None


def _session(request: HttpRequest) -> Session | None:
    session = session_of(request)
    if session is not None and not session.user.is_active:
        raise UserDisabled
    return session


def _client(given: Mapping[str, str], session: Session | None) -> AuthorizingClient:
    client = store.find_for_authorization(given.get("client_id", ""), session.user.pk if session else None)
    if client is None:
        raise UnknownClient(causes=[(_("Client ID"), given.get("client_id", "")[:128])])
    return client


def _go_on(request: HttpRequest, attempt: _Attempt) -> HttpResponse:
    """The steps that are left: a page for the person, or the code."""
    asked, client, session = attempt.asked, attempt.client, attempt.session
    if client.denied:
        # Shown here and not sent to the app, which could only say "error".
        mend = (_("Open the app's settings"), f"/admin/oidc/client/{client.row.id}/change/")
        raise AppDeniesAccess(app=client.row, mend=mend)
    _check_hint(asked, session)
    left = prompts.steps(asked, client, session, attempt.progress)
    if "none" in asked.prompts:
        prompts.refuse_silently(left)
    if left or session is None:
        if session is None and setup.is_open():
            return redirect("/setup")
        if session is None and attempt.interaction is None:
            ratelimit.waiting.check(client_ip(request))
        waiting = attempt.interaction or pending.park(asked, client.row.id, session, pushed=attempt.pushed).pk
        return redirect(f"/interaction?interaction={waiting}")
    if asked.claims.acr and tokens.acr_of(session.amr) not in asked.claims.acr:
        raise UnmetAuthenticationRequirements(description="The sign-in is not of the class that the app demands (acr).")
    if attempt.interaction is not None:
        pending.take(attempt.interaction)
    if attempt.pushed:
        pushed_requests.take(attempt.pushed)
    return _grant(request, asked, client, session)


def _check_hint(asked: AuthorizationRequest, session: Session | None) -> None:
    """``id_token_hint`` names whom the app expects, as the claim ``sub`` may; anybody else is as good as nobody
    (OIDC Core sections 3.1.2.2 and 5.5.1)."""
    if session is not None and asked.claims.subject not in ("", str(session.user.pk)):
        raise LoginRequired(description="Somebody else is signed in than the claims parameter says.")
    if not asked.id_token_hint:
        return
    try:
        header, claims = signing_keys.verify(asked.id_token_hint)
    except signing_keys.UnverifiableToken:
        header, claims = {}, {}
    if header.get("typ") != "JWT":  # nor is an access token one (attacks.md C10)
        raise InvalidRequestError(description="id_token_hint is not an ID token of this server.")
    if session is not None and claims.get("sub") != str(session.user.pk):
        raise LoginRequired(description="Somebody else is signed in than id_token_hint says.")


def _grant(
    request: HttpRequest, asked: AuthorizationRequest, client: AuthorizingClient, session: Session
) -> HttpResponse:
    code = tokens.new_code()
    with transaction.atomic():
        store.insert_grant(
            code=code,
            user_id=session.user.pk,
            client=client.row,
            expires=timezone.now() + CODE_LIFETIME,
            redirect_uri=asked.reply_to.redirect_uri,
            redirect_uri_given=asked.reply_to.redirect_uri_given,
            scope=asked.scope,
            code_challenge=asked.code_challenge,
            nonce=asked.nonce,
            claims=asked.claims.as_text(),
            resource=asked.resource,
            sid=session.pk,
            auth_time=session.auth_time,
            amr=session.amr,
        )
        if asked.code_challenge and not client.pkce_supported and not client.row.pkce_required:
            store.notice_pkce(client.row)
        # Also for an app that skips consent: the person sees it among theirs, and can take it back.
        consent_id = client.consent_id or consent.remember(session.user, client.row.id, asked.shared).pk
        if client.consent_used_at is None or timezone.now() - client.consent_used_at > TOUCHED:
            store.touch_consent(consent_id)
        log.record(
            Event.NEW_CLIENT_AUTHORIZATION if client.is_new else Event.CLIENT_AUTHORIZATION,
            user=session.user,
            request=request,
            clientName=client.row.name,
        )
    return _answer(request, asked.reply_to, {"code": code, "scope": asked.scope}, HttpResponse(status=303))


def _refuse(request: HttpRequest, error: OAuth2Error, reply_to: ReplyTo) -> HttpResponse:
    logger.warning("authorization request refused: %s (%s)", error.error, describe(error))
    return _answer(
        request, reply_to, {"error": error.error, "error_description": describe(error)}, HttpResponse(status=303)
    )


def deny(request: HttpRequest, error: OAuth2Error, reply_to: ReplyTo) -> HttpResponse:
    """The answer to the app when the person said no."""
    return _refuse(request, error, reply_to)


def _answer(request: HttpRequest, reply_to: ReplyTo, values: dict[str, str], response: HttpResponse) -> HttpResponse:
    """RFC 6749 section 4.1.2 with RFC 9207's ``iss``, in the response mode that was asked for."""
    if reply_to.state is not None:
        values["state"] = reply_to.state
    values["iss"] = settings.APP_URL
    if reply_to.response_mode == "form_post":
        response = _form_post(request, reply_to.redirect_uri, values)
    else:
        mark = "#" if reply_to.response_mode == "fragment" else "&" if urlsplit(reply_to.redirect_uri).query else "?"
        # Set by hand: Django's redirect refuses the schemes of apps on phones, and changes what was registered.
        response["Location"] = (
            reply_to.redirect_uri + mark + "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items())
        )
        del response["Content-Type"]  # there is no content
    response["Cache-Control"], response["Pragma"], response["Referrer-Policy"] = "no-store", "no-cache", "no-referrer"
    return response


def _form_post(request: HttpRequest, action: str, values: dict[str, str]) -> HttpResponse:
    """OAuth 2.0 Form Post Response Mode: a page that posts itself."""
    return leaves_by_form(
        render(request, "oidc/form_post.html", {"action": action, "fields": list(values.items())}), action
    )


def leaves_by_form(response: HttpResponse, redirect_uri: str) -> HttpResponse:
    """Let the forms of this page end at the app. Browsers hold ``form-action`` against every redirect that follows,
    and an app's callback may well send people on to another of its hosts."""
    response._csp_update = {"form-action": ["https:", "http:", f"{urlsplit(redirect_uri).scheme}:"]}  # type: ignore[attr-defined] # django-csp reads it
    return response
