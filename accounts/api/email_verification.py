"""Verifying one's own e-mail address over REST (contract section 6.6)."""

from django.http import HttpResponse
from rest_framework.request import Request

from accounts import email_verification
from accounts.api.users import person_of
from audit import log
from audit.models import Event
from core import ratelimit
from core.http import no_content
from core.rest_fields import Input, Text, read
from core.rest_view import Resource


class TokenInput(Input):
    token = Text(max_length=256)


class Sending(Resource):
    scope = "users"
    limit = ratelimit.SEND_EMAIL_VERIFICATION

    def post(self, request: Request) -> HttpResponse:
        email_verification.send(person_of(request))
        return no_content()


class Verifying(Resource):
    scope = "users"
    limit = ratelimit.VERIFY_EMAIL

    def post(self, request: Request) -> HttpResponse:
        person = person_of(request)
        email_verification.verify(person, read(request, TokenInput)["token"])
        log.record(Event.EMAIL_VERIFIED, user=person, request=request._request)
        return no_content()
