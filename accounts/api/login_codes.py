"""Login codes over REST (contract section 6.2)."""

from django.conf import settings
from django.http import HttpResponse
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import lifecycle, login_codes, sessions
from accounts.api.signing_in import signed_in
from accounts.api.users import person_of, writable
from audit import log
from audit.models import Event
from core import ratelimit
from core.errors import AppError
from core.http import no_content
from core.rest import IsAdministrator, path_id
from core.rest_fields import Duration, EmailText, Input, Text, read
from core.rest_view import PublicResource, Resource

COOKIE = "__Secure-device_token" if settings.IS_HTTPS else "device_token"
COOKIE_PATH = "/"  # the page that takes codes needs it too


class CodeInput(Input):
    ttl = Duration(required=False, default=login_codes.TTL)


class EmailInput(Input):
    email = EmailText(max_length=254)
    redirectPath = Text(required=False, default="", allow_blank=True, max_length=2048)


class CodesOfUser(Resource):
    scope = "users"
    permission_classes = [IsAdministrator]

    def post(self, request: Request, user_id: str) -> Response:
        ttl = read(request, CodeInput)["ttl"]
        user = writable(request, lifecycle.find(path_id(user_id)))
        new = login_codes.create(user, ttl=ttl)
        log.record(Event.LOGIN_CODE_CREATED, user=person_of(request), request=request._request, person=user.username)
        return Response({"token": new.code}, status=status.HTTP_201_CREATED)


class CodeMailToUser(Resource):
    scope = "users"
    permission_classes = [IsAdministrator]

    def post(self, request: Request, user_id: str) -> HttpResponse:
        ttl = read(request, CodeInput)["ttl"]
        user = writable(request, lifecycle.find(path_id(user_id)))
        login_codes.send(user, ttl=ttl)
        log.record(Event.LOGIN_CODE_CREATED, user=person_of(request), request=request._request, person=user.username)
        return no_content()


class Redemption(PublicResource):
    """Signs this browser in."""

    limit = ratelimit.LOGIN_CODE

    def post(self, request: Request, code: str) -> HttpResponse:
        try:
            user = login_codes.redeem(code, browser_key=request._request.COOKIES.get(COOKIE, ""))
        except AppError as refused:
            log.record(Event.LOGIN_CODE_REJECTED, user=None, request=request._request, code=refused.code)
            raise
        response = signed_in(request, user, methods=[sessions.ONE_TIME_CODE], event=Event.TOKEN_SIGN_IN)
        if COOKIE in request._request.COOKIES:
            response.delete_cookie(COOKIE, path=COOKIE_PATH, samesite="Lax")
        return response


class CodeByMail(PublicResource):
    """The same answer and the same cookie for an address that nobody has (attacks.md D14)."""

    limit = ratelimit.LOGIN_CODE_EMAIL

    def post(self, request: Request) -> HttpResponse:
        fields = read(request, EmailInput)
        browser_key = login_codes.request_by_mail(fields["email"], path=fields["redirectPath"])
        response = no_content()
        set_browser_cookie(response, browser_key)
        return response


def set_browser_cookie(response: HttpResponse, browser_key: str) -> None:
    """What ties a mailed code to the browser that asked for it."""
    response.set_cookie(
        COOKIE,
        browser_key,
        max_age=int(login_codes.TTL.total_seconds()),
        secure=True,
        httponly=True,
        samesite="Lax",
        path=COOKIE_PATH,
    )
