"""The first administrator: the page of ``/setup``, and the same over REST (contract section 6.3)."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from accounts import sessions, setup
from accounts.api.login_codes import Redemption
from accounts.api.users import UserSerializer
from accounts.authentication import set_session_cookie, sign_in
from accounts.errors import SetupAlreadyCompleted, SetupNotAvailable, SetupTokenRequired
from accounts.forms import SetupForm
from accounts.models import User
from audit import log
from audit.models import Event
from core import ratelimit
from core.errors import CrossSiteRequest, InvalidRequestBody, ValidationFailed
from core.http import client_ip, endpoint, is_cross_site, json_body, json_response, no_content

SETUP_TOKEN_HEADER = "X-Setup-Token"
_AT_ANOTHER_ADDRESS = _(
    "This server's address is %(url)s, and passkeys work only there. Open it at that address, or start it with the right APP_URL."
)


def page(request: HttpRequest) -> HttpResponse:
    if not setup.is_open():
        return redirect("/login")
    form = SetupForm(request.POST or None)
    if request.method == "POST":
        _count_attempt(request)
    if request.method == "POST" and is_cross_site(request):
        # An administrator made here could add no passkey, and would be locked out of a server that is set up for ever.
        form.add_error(None, _AT_ANOTHER_ADDRESS % {"url": settings.APP_URL})
    if request.method == "POST" and form.is_valid():
        try:
            response = redirect("/signup/add-passkey?redirect=/settings/account")
            _complete(request, response, form.instance, token=form.cleaned_data.get("setup_token", ""))
        except SetupAlreadyCompleted:
            return redirect("/login")
        return response
    if form.has_error("setup_token"):
        log.record(Event.SETUP_REFUSED, user=None, request=request)
    return render(request, "accounts/setup.html", {"form": form}, status=200 if request.method == "GET" else 422)


@endpoint("GET", "POST")
def api(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        if not setup.is_open():
            raise SetupNotAvailable
        return no_content()
    if not setup.is_open():
        raise SetupAlreadyCompleted
    _count_attempt(request)
    body = json_body(request)
    user = User(
        username=body.get("username") or "",
        email=body.get("email") or None,
        first_name=body.get("firstName") or "",
        last_name=body.get("lastName") or "",
    )
    _validate(user, body)
    user.display_name = f"{user.first_name} {user.last_name}".strip()
    response = HttpResponse()
    _complete(
        request, response, user, token=request.headers.get(SETUP_TOKEN_HEADER, "") or str(body.get("setupToken") or "")
    )
    answer = json_response(UserSerializer(user).data)
    answer.cookies = response.cookies
    return answer


@endpoint("POST")
def one_time_access(request: HttpRequest) -> HttpResponseBase:
    """A session of the first administrator for a program, as Pocket ID gave it up to 1.4 (contract section 13)."""
    if not setup.is_unfinished():
        return Redemption.as_view()(request, code="setup")  # a login code like any other, and a wrong one
    if is_cross_site(request):  # a page of another site would shut out whoever is about to set the server up
        raise CrossSiteRequest
    token = request.headers.get(SETUP_TOKEN_HEADER, "") or request.POST.get("setup_token", "")
    _count_attempt(request)
    with _refusal_noted(request), transaction.atomic():
        user, is_new = setup.begin(token=token)
        session, key = sign_in(request, user, methods=[sessions.ONE_TIME_CODE])
        event = Event.SETUP_COMPLETED if is_new else Event.SETUP_SIGN_IN
        log.record(event, user=user, request=request, method="one-time-access-token")
    answer = json_response(UserSerializer(user).data)
    set_session_cookie(answer, session, key)
    return answer


def _count_attempt(request: HttpRequest) -> None:
    """SETUP_TOKEN can be guessed at: not often."""
    if setup.is_token_required():
        ratelimit.take(ratelimit.SETUP, client_ip(request))


@contextmanager
def _refusal_noted(request: HttpRequest) -> Iterator[None]:
    try:
        yield
    except SetupTokenRequired:
        log.record(Event.SETUP_REFUSED, user=None, request=request)
        raise


def _complete(request: HttpRequest, response: HttpResponse, user: User, *, token: str) -> None:
    user.display_name = user.display_name or f"{user.first_name} {user.last_name}".strip()
    with _refusal_noted(request):
        setup.complete(user, token=token)
    session, key = sign_in(request, user, methods=[sessions.ONE_TIME_CODE])
    log.record(Event.SETUP_COMPLETED, user=user, request=request)
    set_session_cookie(response, session, key)


NAMES = {"first_name": "firstName", "last_name": "lastName", "display_name": "displayName"}


def _validate(user: User, body: dict[str, object]) -> None:
    """Raise ``ValidationFailed`` in the words of the contract."""
    if not all(isinstance(body.get(name), str | None) for name in ("username", "email", "firstName", "lastName")):
        raise InvalidRequestBody
    if not user.username:
        raise ValidationFailed([("username", "required", "is required")])
    try:
        user.full_clean()
    except ValidationError as problem:
        fields = [
            (NAMES.get(name, name), *_words(name, error))
            for name, errors in problem.error_dict.items()
            for error in errors
        ]
        raise ValidationFailed(fields) from None


def _words(name: str, error: ValidationError) -> tuple[str, str]:
    if error.code == "max_length":
        return "too_long", f"must be at most {(error.params or {})['limit_value']} characters long"
    if name == "email":
        return "invalid_format", "must be a valid email address"
    return "invalid_format", str(error.message)
