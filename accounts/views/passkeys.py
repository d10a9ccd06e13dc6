"""Passkey ceremonies for browsers (contract section 6.1): bare options out, the browser's own JSON in."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts import new_devices, passkeys, sessions
from accounts.api.passkeys import PasskeySerializer
from accounts.api.users import UserSerializer
from accounts.authentication import (
    clear_session_cookie,
    place_of,
    require_session,
    session_of,
    set_session_cookie,
    sign_in,
)
from accounts.errors import ReauthenticationRequired
from accounts.models import Passkey
from accounts.models.ceremony import CEREMONY_LIFETIME
from audit import log
from audit.models import Event
from core import ratelimit
from core.errors import AppError, NotSignedIn
from core.http import client_ip, endpoint, json_body, json_response, no_content
from siteconfig.models import current

REAUTHENTICATE_WITHOUT_CEREMONY = timedelta(minutes=1)


@endpoint("GET")
def register_start(request: HttpRequest) -> HttpResponse:
    session = require_session(request)
    passkeys.require_fresh(session)
    started = passkeys.begin_registration(session.user, session=session, rp_name=current().app_name)
    return _with_ceremony(started)


@endpoint("POST")
def register_finish(request: HttpRequest) -> HttpResponse:
    session = require_session(request)
    passkey = passkeys.finish_registration(
        session.user, json_body(request), key=_ceremony_key(request), session=session
    )
    log.record(Event.PASSKEY_ADDED, user=session.user, request=request, passkeyName=passkey.name)
    response = _without_ceremony(json_response(PasskeySerializer(passkey).data))
    if session.proved_at is None:
        set_session_cookie(response, session, sessions.prove(session, passkey))
    return response


@endpoint("GET")
def login_start(request: HttpRequest) -> HttpResponse:
    return _with_ceremony(passkeys.begin_authentication())


@endpoint("POST")
def login_finish(request: HttpRequest) -> HttpResponse:
    ratelimit.take(ratelimit.WEBAUTHN_LOGIN, client_ip(request))
    passkey = _asserted(request)
    session, key = sign_in(request, passkey.user, methods=[sessions.PASSKEY], passkey=passkey)
    new_devices.notice(passkey.user, place_of(request))
    log.record(Event.SIGN_IN, user=passkey.user, request=request, passkeyName=passkey.name)
    response = _without_ceremony(json_response(UserSerializer(passkey.user).data))
    set_session_cookie(response, session, key)
    return response


@endpoint("POST")
def reauthenticate(request: HttpRequest) -> HttpResponse:
    """A new assertion; or no body within a minute of signing in with a passkey (contract section 6.1)."""
    session = require_session(request)
    ratelimit.take(ratelimit.WEBAUTHN_REAUTHENTICATE, client_ip(request))
    if request.body:
        passkey = _asserted(request)
        if passkey.user != session.user:
            raise ReauthenticationRequired
    elif sessions.PASSKEY not in session.methods or not sessions.is_fresh(
        session, max_age=REAUTHENTICATE_WITHOUT_CEREMONY
    ):
        raise ReauthenticationRequired
    else:
        return no_content()
    response = _without_ceremony(no_content())
    try:
        key = sessions.renew(session, methods=[sessions.PASSKEY], lifetime=current().session_lifetime, passkey=passkey)
    except sessions.SessionOver:
        raise NotSignedIn from None
    set_session_cookie(response, session, key)
    return response


@endpoint("POST")
def logout(request: HttpRequest) -> HttpResponse:
    session = require_session(request)
    sessions.end(session)
    log.record(Event.SIGN_OUT, user=session.user, request=request)
    response = no_content()
    clear_session_cookie(response)
    return response


def _asserted(request: HttpRequest) -> Passkey:
    key = _ceremony_key(request)
    try:
        return passkeys.finish_authentication(json_body(request), key=key)
    except AppError as refused:
        known = session_of(request)
        log.record(Event.PASSKEY_REJECTED, user=known.user if known else None, request=request, code=refused.code)
        raise


def _ceremony_key(request: HttpRequest) -> str:
    key: str = request.COOKIES.get(settings.CEREMONY_COOKIE_NAME, "")
    return key


def _with_ceremony(started: passkeys.Started) -> HttpResponse:
    response = json_response(started.options)
    # A name and a path of its own: "session" on localhost belongs to whatever app somebody develops there.
    response.set_cookie(
        settings.CEREMONY_COOKIE_NAME,
        started.key,
        max_age=int(CEREMONY_LIFETIME.total_seconds()),
        secure=True,
        httponly=True,
        samesite="Lax",
        path="/api/webauthn",
    )
    return response


def _without_ceremony(response: HttpResponse) -> HttpResponse:
    response.delete_cookie(settings.CEREMONY_COOKIE_NAME, path="/api/webauthn", samesite="Lax")
    return response
