"""Signing a browser in from another device, over REST (contract section 6.5)."""

from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import device_login, devices, sessions
from accounts.api.signing_in import signed_in
from accounts.authentication import place_of
from accounts.models import Session
from audit import log, places
from audit.models import Event
from core import ratelimit
from core.http import no_content
from core.rest import IsSignedInBySession
from core.rest_fields import Input, Text, read
from core.rest_view import PublicResource, Resource

COOKIE = "__Secure-device_login_token" if settings.IS_HTTPS else "device_login_token"
COOKIE_MAX_AGE = 900


class CodeInput(Input):
    code = Text(max_length=64)


class Decision(Text):
    def to_internal_value(self, data: object) -> str:
        text = super().to_internal_value(data)
        if text not in ("approve", "deny"):
            raise serializers.ValidationError("is invalid", code="oneof")
        return text


class DecisionInput(CodeInput):
    decision = Decision()


class Requests(PublicResource):
    limit = ratelimit.DEVICE_LOGIN_CREATE

    def post(self, request: Request) -> Response:
        begun = device_login.begin(place_of(request._request))
        page = f"{settings.APP_URL}/device"
        response = Response(
            {
                "id": begun.code,
                "userCode": begun.code,
                "verificationUri": page,
                "verificationUriComplete": f"{page}?{urlencode({'user_code': begun.code})}",
                "expiresAt": serializers.DateTimeField().to_representation(begun.request.expires_at),
                "interval": device_login.INTERVAL,
            },
            status=status.HTTP_201_CREATED,
        )
        response.set_cookie(
            COOKIE,
            begun.secret,
            max_age=COOKIE_MAX_AGE,
            secure=True,
            httponly=True,
            samesite="Lax",
            path=f"/api/device-login/requests/{begun.code}/exchange",
        )
        return response


class Exchange(PublicResource):
    """202 while nobody has decided, at once: the browser asks again after ``interval``."""

    limit = ratelimit.DEVICE_LOGIN_EXCHANGE

    def post(self, request: Request, code: str) -> HttpResponse:
        user = device_login.exchange(code, request._request.COOKIES.get(COOKIE, ""))
        if user is None:
            response = HttpResponse(status=status.HTTP_202_ACCEPTED)
            del response["Content-Type"]
            return response
        return signed_in(request, user, methods=[sessions.ONE_TIME_CODE], event=Event.REMOTE_SIGN_IN)


class Verification(Resource):
    """What asks, for the person who is to decide."""

    permission_classes = [IsSignedInBySession]
    limit = ratelimit.DEVICE_LOGIN_VERIFICATION

    def post(self, request: Request) -> Response:
        code = read(request, CodeInput)["code"].strip().upper()
        waiting = device_login.pending(code)
        country, city = places.of(waiting.ip_address)
        return Response(
            {
                "userCode": code,
                "device": devices.describe(waiting.user_agent),
                "ipAddress": waiting.ip_address or "",
                "country": country,
                "city": city,
                "expiresAt": serializers.DateTimeField().to_representation(waiting.expires_at),
            }
        )


class VerificationDecision(Resource):
    permission_classes = [IsSignedInBySession]
    limit = ratelimit.DEVICE_LOGIN_VERIFICATION

    def post(self, request: Request) -> HttpResponse:
        fields = read(request, DecisionInput)
        assert isinstance(request.auth, Session)  # noqa: S101 - the permission class let nobody else in
        if fields["decision"] == "approve":
            device_login.approve(fields["code"], request.auth)
        else:
            device_login.deny(fields["code"], request.auth)
            log.record(Event.DEVICE_LOGIN_DENIED, user=request.auth.user, request=request._request)
        return no_content()
