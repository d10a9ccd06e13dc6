"""The device flow over HTTP (RFC 8628): the device's endpoint, the person's page, and the same for programs."""

from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts import device_login
from accounts import devices as browsers
from accounts.authentication import require_session
from accounts.errors import ReauthenticationRequired
from accounts.models import Session
from accounts.views import device_login as browser_logins
from accounts.views.account import for_people
from audit import log, places
from audit.models import Event
from core import ratelimit
from core.errors import AppError, ValidationFailed
from core.http import client_ip, endpoint, json_response, no_content, user_agent, with_headers
from oidc import client_authentication, consent, devices, parameters, resource_indicators, store
from oidc.api.clients import ClientMetaSerializer
from oidc.errors import InvalidRequestError
from oidc.models import DeviceGrant
from oidc.views.backend import backend_endpoint

LONGEST_NONCE = 1024  # characters; kept for a day, and no specification has it here


@backend_endpoint()
def authorize(request: HttpRequest) -> HttpResponse:
    """The device authorization endpoint (section 3.1)."""
    form = parameters.form_of(request)
    credentials = client_authentication.read(form, request.META.get("HTTP_AUTHORIZATION", ""))
    found = client_authentication.check(credentials, store.find_client(credentials.client_id))
    if found.client.is_public:  # then anybody can ask in its name
        ratelimit.waiting.check(client_ip(request))
    if len(form.get("nonce", "")) > LONGEST_NONCE:
        raise InvalidRequestError(description=f"nonce is longer than {LONGEST_NONCE} characters.")
    resource = resource_indicators.resource_of(form)
    scopes = resource_indicators.scopes_for_person(found.client, resource, parameters.scopes_of(form))
    device_code, user_code = devices.begin(
        found.client,
        scopes=scopes,
        resource=resource,
        nonce=form.get("nonce", ""),
        ip_address=client_ip(request),
        user_agent=user_agent(request),
    )
    page = f"{settings.APP_URL}/device"
    body = {
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?user_code={user_code}",
        "expires_in": int(devices.LIFETIME.total_seconds()),
        "interval": devices.INTERVAL,
    }
    return json_response(body)


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
def page(request: HttpRequest, session: Session) -> HttpResponse:
    """Type the code, see what asks and from where, say yes or no. A code in the address is never sent off by itself."""
    code = (request.POST if request.method == "POST" else request.GET).get("user_code", "")
    decision = request.POST.get("decision", "")
    if not code:
        return render(request, "oidc/device.html", {"code": ""})
    if code.strip().upper().startswith(device_login.PREFIX):  # a browser that waits, not a device of an app
        return browser_logins.decide(request, session, code)
    try:
        device = _find(request, code)
        if decision == "allow":
            _approve(request, device, session)
        elif decision == "deny":
            devices.deny(device, session)
    except ReauthenticationRequired:
        back = urlencode({"redirect": f"/device?{urlencode({'user_code': code})}"})
        return redirect(f"/login?reauthenticate&{back}")
    except AppError as refused:
        answer = render(request, "oidc/device.html", {"code": code, "problem": refused.message}, status=refused.status)
        return with_headers(answer, refused)
    if decision:
        return redirect(f"/device/done?{'allowed' if decision == 'allow' else 'denied'}")
    country, city = places.of(device.ip_address)
    return render(
        request,
        "oidc/device_approve.html",
        {
            "client": device.application,
            "code": code,
            "items": consent.items(session.user, devices.shared(device)),
            "device": browsers.describe(device.user_agent),
            "ip_address": device.ip_address,
            "place": ", ".join(word for word in (city, country) if word),
            "started": device.created,
        },
    )


def done(request: HttpRequest) -> HttpResponse:
    return render(request, "oidc/device_done.html", {"allowed": "allowed" in request.GET})


@endpoint("GET")
def info(request: HttpRequest) -> HttpResponse:
    """What a code asks for (contract section 3.7)."""
    session = require_session(request)
    device = _find(request, _code(request))
    client = store.find_for_authorization(device.application.client_id, session.user.pk)
    scopes = device.scope.split()
    known = (
        client is not None
        and client.consented_scope is not None
        and set(devices.shared(device)) <= set(client.consented_scope.split(" "))
    )
    return json_response(
        {
            "scope": scopes,
            "scopeInfo": consent.scope_info(devices.shared(device)),
            "authorizationRequired": not known,
            "reauthenticationRequired": device.application.reauthentication_required,
            "client": {**ClientMetaSerializer(device.application).data, "description": ""},
        }
    )


@endpoint("POST")
def verify(request: HttpRequest) -> HttpResponse:
    """Approve a code (contract section 3.7)."""
    session = require_session(request)
    _approve(request, _find(request, _code(request)), session)
    return no_content()


def _find(request: HttpRequest, code: str) -> DeviceGrant:
    """The device of this code. Each look costs, also a good one: else guesses would be free until one is right."""
    ratelimit.take(ratelimit.USER_CODE, client_ip(request))
    return devices.find(code)


def _code(request: HttpRequest) -> str:
    code: str = request.GET.get("code", "")
    if not code:
        raise ValidationFailed([("code", "required", "is required")])
    return code


def _approve(request: HttpRequest, device: DeviceGrant, session: Session) -> None:
    is_new = devices.approve(device, session)
    event = Event.NEW_DEVICE_CODE_AUTHORIZATION if is_new else Event.DEVICE_CODE_AUTHORIZATION
    log.record(event, user=session.user, request=request, clientName=device.application.name)
