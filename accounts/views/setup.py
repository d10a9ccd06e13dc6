"""The first administrator: the page of ``/setup``, and the same over REST (contract section 6.3)."""

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts import sessions, setup
from accounts.api.users import UserSerializer
from accounts.authentication import set_session_cookie, sign_in
from accounts.errors import SetupAlreadyCompleted, SetupNotAvailable
from accounts.forms import SetupForm
from accounts.models import User
from audit import log
from audit.models import Event
from core.errors import InvalidRequestBody, ValidationFailed
from core.http import endpoint, json_body, json_response, no_content

SETUP_TOKEN_HEADER = "X-Setup-Token"


def page(request: HttpRequest) -> HttpResponse:
    if not setup.is_open():
        return redirect("/login")
    form = SetupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            response = redirect("/signup/add-passkey?redirect=/settings/account")
            _complete(request, response, form.instance, token=form.cleaned_data.get("setup_token", ""))
        except SetupAlreadyCompleted:
            return redirect("/login")
        return response
    return render(request, "accounts/setup.html", {"form": form}, status=200 if request.method == "GET" else 422)


@endpoint("GET", "POST")
def api(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        if not setup.is_open():
            raise SetupNotAvailable
        return no_content()
    if not setup.is_open():
        raise SetupAlreadyCompleted
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


def _complete(request: HttpRequest, response: HttpResponse, user: User, *, token: str) -> None:
    user.display_name = user.display_name or f"{user.first_name} {user.last_name}".strip()
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
