"""Signing in with the help of another device: the page that waits, and the one on which somebody decides (contract section 6.5).

The browser that waits is known by a cookie, so that loading the page again shows the same code.
"""

from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import device_login, devices, new_devices, sessions
from accounts.authentication import place_of, set_session_cookie, sign_in
from accounts.errors import DeviceLoginDenied, DeviceLoginExpired, ReauthenticationRequired
from accounts.models import Session, User
from accounts.views.sign_in import where_to
from audit import log, places
from audit.models import Event
from core import ratelimit
from core.errors import AppError, RateLimited
from core.http import client_ip, host_of, json_response, with_headers

PATH = "/login/alternative/device"
# Not REST's cookie, which is sent to REST's address alone.
COOKIE = "__Secure-device_login_page" if settings.IS_HTTPS else "device_login_page"
COOKIE_MAX_AGE = 900  # seconds


@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    """Show a code until somebody has decided; then go on to ``redirect``, a path on this server, or say why not."""
    target = where_to(request.GET.get("redirect"))
    if request.user.is_authenticated:
        return redirect(target)
    if request.method == "HEAD":  # of somebody who only looks; a code would be wasted on them
        return HttpResponse()
    code, _dot, secret = request.COOKIES.get(COOKIE, "").partition(".")
    if not secret:
        return _begin(request, target)
    try:
        ratelimit.take(ratelimit.DEVICE_LOGIN_EXCHANGE, client_ip(request))
        person = device_login.exchange(code, secret)
    except RateLimited as refused:
        if not device_login.is_code(code):
            return _over(request, target, refused)
        person = None  # asked too often; nothing was decided by that
    except AppError as refused:
        return _over(request, target, refused)
    return _shown(request, target, code) if person is None else _signed_in(request, target, person)


@require_safe
def state(request: HttpRequest) -> HttpResponse:
    """Whether the code of this browser still waits, for the page's script; it loads the page again when not."""
    ratelimit.take(ratelimit.DEVICE_LOGIN_EXCHANGE, client_ip(request))
    code, _dot, secret = request.COOKIES.get(COOKIE, "").partition(".")
    return json_response({"waiting": device_login.is_waiting(code, secret)})


def decide(request: HttpRequest, session: Session, code: str) -> HttpResponse:
    """For ``/device``, with a code of ours: see who asks and from where, say yes or no."""
    decision = request.POST.get("decision", "")
    try:
        ratelimit.take(ratelimit.DEVICE_LOGIN_VERIFICATION, client_ip(request))
        asking = device_login.pending(code)
        if decision == "allow":
            device_login.approve(code, session)
        elif decision == "deny":
            device_login.deny(code, session)
            log.record(Event.DEVICE_LOGIN_DENIED, user=session.user, request=request)
    except ReauthenticationRequired:
        back = urlencode({"redirect": f"/device?{urlencode({'user_code': code})}"})
        return redirect(f"/login?reauthenticate&{back}")
    except AppError as refused:
        is_wrong = isinstance(refused, DeviceLoginExpired)
        problem = _("This code is wrong or has expired.") if is_wrong else refused.message
        answer = render(request, "oidc/device.html", {"code": code, "problem": problem}, status=refused.status)
        return with_headers(answer, refused)
    if decision:
        return redirect(f"/device/done?{'allowed' if decision == 'allow' else 'denied'}")
    country, city = places.of(asking.ip_address)
    return render(
        request,
        "accounts/device_decide.html",
        {
            "code": device_login.grouped(code),
            "device": devices.describe(asking.user_agent),
            "ip_address": asking.ip_address or "",
            "place": ", ".join(word for word in (city, country) if word),
        },
    )


def _begin(request: HttpRequest, target: str) -> HttpResponse:
    try:
        ratelimit.take(ratelimit.DEVICE_LOGIN_CREATE, client_ip(request))
    except RateLimited as refused:
        return _over(request, target, refused)
    begun = device_login.begin(place_of(request))
    response = _shown(request, target, begun.code)
    response.set_cookie(
        COOKIE,
        f"{begun.code}.{begun.secret}",
        max_age=COOKIE_MAX_AGE,
        secure=True,
        httponly=True,
        samesite="Lax",
        path=PATH,
    )
    return response


def _shown(request: HttpRequest, target: str, code: str) -> HttpResponse:
    import segno  # takes long to load, and few people ask for this page

    page = f"{settings.APP_URL}/device"
    picture = segno.make_qr(f"{page}?{urlencode({'user_code': code})}", error="m")
    context = {
        "code": device_login.grouped(code),
        "qr": mark_safe(picture.svg_inline(svgclass="qr", lineclass=None, omitsize=True)),  # noqa: S308 - numbers only; nothing of the text appears in it
        "address": f"{host_of(page)}/device",
        "interval": device_login.INTERVAL,
        "next": target,
    }
    return render(request, "accounts/device_waiting.html", context)


def _over(request: HttpRequest, target: str, refused: AppError) -> HttpResponse:
    """The page without a code, and a link to a new one."""
    context = {
        "next": target,
        "is_denied": isinstance(refused, DeviceLoginDenied),
        "is_expired": isinstance(refused, DeviceLoginExpired),
        "problem": refused.message,
    }
    response = render(request, "accounts/device_over.html", context, status=refused.status)
    response.delete_cookie(COOKIE, path=PATH, samesite="Lax")
    return with_headers(response, refused)


def _signed_in(request: HttpRequest, target: str, person: User) -> HttpResponse:
    session, key = sign_in(request, person, methods=[sessions.ONE_TIME_CODE])
    new_devices.notice(person, place_of(request))
    log.record(Event.REMOTE_SIGN_IN, user=person, request=request)
    response = redirect(target)
    set_session_cookie(response, session, key)
    response.delete_cookie(COOKIE, path=PATH, samesite="Lax")
    return response
