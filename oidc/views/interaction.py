"""The pages between an authorization request and its answer: sign in, choose the account, agree."""

from contextlib import suppress

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.views.decorators.http import require_http_methods

from accounts import sessions
from accounts.authentication import clear_session_cookie, session_of
from accounts.models import Session
from core.errors import UserDisabled
from core.http import host_of
from oidc import consent, pending
from oidc.authorization_request import AuthorizationRequest, check_redirect_uri
from oidc.errors import AccessDeniedError
from oidc.models import PendingAuthorization
from oidc.prompts import Step
from oidc.views.authorize import deny, leaves_by_form


@require_http_methods(["GET", "HEAD", "POST"])
def interaction(request: HttpRequest) -> HttpResponse:
    """Show the next step, or take it."""
    data = request.POST if request.method == "POST" else request.GET
    waiting = pending.find(data.get("interaction", ""))
    session = session_of(request)
    if session is not None and not session.user.is_active:
        raise UserDisabled
    asked = AuthorizationRequest.from_json(waiting.parameters)
    if request.method == "POST" and data.get("decision") == "deny":
        check_redirect_uri(asked.reply_to.redirect_uri, waiting.client)
        pending.take(waiting.pk)
        return deny(request, AccessDeniedError(description="The person declined."), asked.reply_to)
    if request.method == "POST" and data.get("decision") == "switch":
        return _switch(request, session, waiting)
    left = pending.steps_left(waiting, session)
    if request.method == "POST" and session is not None and left:
        left = _take(data.get("decision", ""), left, waiting, session)
    if not left:
        return redirect(f"/authorize?interaction={waiting.pk}")
    with translation.override(_language(request, asked)):
        page = _page(request, left[0], asked, waiting, session)
        page["Content-Language"] = translation.get_language()
    return page


def _take(decision: str, left: list[Step], waiting: PendingAuthorization, session: Session) -> list[Step]:
    """Only the step that is shown can be taken."""
    if left[0] is Step.CONSENT and decision == "allow":
        pending.agree(waiting, session)
    elif left[0] is Step.SELECT_ACCOUNT and decision == "continue":
        pending.choose_account(waiting, session)
    else:
        return left
    return pending.steps_left(waiting, session)


def _switch(request: HttpRequest, session: Session | None, waiting: PendingAuthorization) -> HttpResponse:
    """Sign out here, so that somebody else can sign in and go on."""
    if session is not None:
        sessions.end(session)
    response = redirect(f"/interaction?interaction={waiting.pk}")
    clear_session_cookie(response)
    return response


def _language(request: HttpRequest, asked: AuthorizationRequest) -> str:
    """The first of ``ui_locales`` that there is (OIDC Core section 3.1.2.1), unless the person has chosen one here."""
    if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        for tag in asked.ui_locales.split():
            with suppress(LookupError, ValueError):
                return translation.get_supported_language_variant(tag)
    return translation.get_language()


def _page(
    request: HttpRequest,
    step: Step,
    asked: AuthorizationRequest,
    waiting: PendingAuthorization,
    session: Session | None,
) -> HttpResponse:
    context: dict[str, object] = {
        "client": waiting.client,
        "interaction": waiting.pk,
        "next": f"/interaction?interaction={waiting.pk}",
    }
    if session is None or step in (Step.AUTHENTICATE, Step.REAUTHENTICATE):
        mode = "reauthenticate" if session is not None else "sign-in"
        page = render(
            request,
            "accounts/sign_in.html",
            context
            | {
                "mode": mode,
                "person": session.user.username if session else "",
                "cancel": True,
                "login_hint": asked.login_hint[:100],
            },
        )
    elif step is Step.SELECT_ACCOUNT:
        page = render(request, "oidc/select_account.html", context)
    else:
        page = render(
            request,
            "oidc/consent.html",
            context
            | {"items": consent.items(session.user, asked.shared), "goes_to": host_of(asked.reply_to.redirect_uri)},
        )
    return leaves_by_form(page, asked.reply_to.redirect_uri)
