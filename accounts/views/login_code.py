"""Signing in with a login code: the page to type one, and the link that holds one (contract section 6.2).

A link only fills the code in. It is used by the button, because mail programs and chats open links by themselves.
"""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import login_codes, new_devices, sessions
from accounts.api.login_codes import COOKIE, COOKIE_PATH
from accounts.authentication import place_of, set_session_cookie, sign_in
from accounts.errors import TokenInvalidOrExpired
from accounts.views.sign_in import where_to
from audit import log
from audit.models import Event
from core import ratelimit
from core.errors import AppError, RateLimited
from core.http import client_ip, with_headers


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, code: str = "") -> HttpResponse:
    """Type a code, or confirm the one of the link; then go on to ``redirect``, a path on this server."""
    given = request.POST if request.method == "POST" else request.GET
    target, code = where_to(given.get("redirect")), given.get("code", code).strip()
    context: dict[str, object] = {"code": code, "next": target, "is_sent": "sent" in given}
    if request.method != "POST":
        return render(request, "accounts/login_code.html", context)
    try:
        ratelimit.take(ratelimit.LOGIN_CODE, client_ip(request))
        person = login_codes.redeem(code, browser_key=request.COOKIES.get(COOKIE, ""))
    except AppError as refused:
        if not isinstance(refused, RateLimited):  # whoever is stopped by the limit must not fill the log instead
            log.record(Event.LOGIN_CODE_REJECTED, user=None, request=request, code=refused.code)
        is_wrong = isinstance(refused, TokenInvalidOrExpired)
        problem = _("This code is wrong, used or expired.") if is_wrong else refused.message
        answer = render(request, "accounts/login_code.html", context | {"problem": problem}, status=refused.status)
        return with_headers(answer, refused)
    session, key = sign_in(request, person, methods=[sessions.ONE_TIME_CODE])
    new_devices.notice(person, place_of(request))
    log.record(Event.TOKEN_SIGN_IN, user=person, request=request)
    # Somebody without a passkey came to add one.
    first_passkey = "/signup/add-passkey?" + urlencode({"redirect": target})
    response = redirect(target if person.passkeys.exists() else first_passkey)
    set_session_cookie(response, session, key)
    if COOKIE in request.COOKIES:
        response.delete_cookie(COOKIE, path=COOKIE_PATH, samesite="Lax")
    return response
