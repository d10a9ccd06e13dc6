"""A person's own page: their passkeys, and where they are signed in."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import devices, lifecycle, passkeys, sessions
from accounts.authentication import clear_session_cookie, require_session, session_of
from accounts.errors import ReauthenticationRequired
from accounts.forms import OwnAccountForm
from accounts.models import Passkey, Session
from accounts.views.sign_in import HOME, to_login
from audit import log
from audit.models import Event
from core.errors import AppError, NotFound, NotSignedIn
from siteconfig.models import current

PageOfAPerson = Callable[..., HttpResponse]


def for_people(view: PageOfAPerson) -> PageOfAPerson:
    """A page for whoever is signed in; others are sent to sign in, and back."""

    @wraps(view)
    def call(request: HttpRequest, **kwargs: str) -> HttpResponse:
        try:
            session = require_session(request)
        except NotSignedIn:
            return to_login(request) if request.method == "GET" else redirect("/login")
        return view(request, session, **kwargs)

    return call


@for_people
def account(request: HttpRequest, session: Session) -> HttpResponse:
    own = session.user.passkeys.all()
    if not own:
        return redirect("/signup/add-passkey")
    open_sessions = [
        {
            "id": each.pk,
            "device": devices.describe(each.user_agent),
            "ip_address": each.ip_address,
            "auth_time": each.auth_time,
            "is_current": each.pk == session.pk,
        }
        for each in session.user.sessions.live()
    ]
    user = session.user
    configuration = current()
    may_verify = bool(user.email) and not user.email_verified and configuration.email_verification_enabled
    listed = [{"passkey": passkey, "ask": _question(passkey, session) if len(own) > 1 else None} for passkey in own]
    context = {"passkeys": listed, "sessions": open_sessions, "may_verify": may_verify}
    context["may_edit"] = configuration.allow_own_account_edit
    return render(request, "accounts/account.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
def edit(request: HttpRequest, session: Session) -> HttpResponse:
    """Change one's names and address, where the settings let people do so."""
    if not current().allow_own_account_edit:
        messages.info(request, _("Only the person who runs this server can change your account."))
        return redirect(HOME)
    # A person of its own for the form, which writes into it: the verb compares with the one of the session.
    own = lifecycle.find(str(session.user.pk))
    form = OwnAccountForm(request.POST or None, instance=own)
    if request.method == "POST" and form.is_valid():
        changed = [name for name, value in form.columns.items() if getattr(session.user, name) != value]
        try:
            lifecycle.update_own(session.user, {name: form.columns[name] for name in changed})
        except AppError as refused:
            form.add_error(None, str(refused.message))
        else:
            if changed:
                log.record(Event.ACCOUNT_CHANGED, user=session.user, request=request, fields=", ".join(sorted(changed)))
                messages.success(request, _("Your account was changed."))
            return redirect(HOME)
    return render(request, "accounts/edit.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@for_people
def rename_passkey(request: HttpRequest, session: Session, passkey_id: str) -> HttpResponse:
    name = request.POST.get("name", "").strip()
    if name and len(name) <= 50 and name.isprintable():
        passkeys.rename(passkeys.owned(session.user, passkey_id), name)
    else:
        messages.error(request, _("A name has 1 to 50 characters."))
    return redirect(HOME)


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
def delete_passkey(request: HttpRequest, session: Session, passkey_id: str) -> HttpResponse:
    """Ask, then remove it and, when asked, end the other sessions that it began."""
    passkey = passkeys.owned(session.user, passkey_id)
    if request.method != "POST":
        return render(request, "accounts/ask.html", _question(passkey, session) | {"back": HOME})
    try:
        passkeys.require_fresh(session)
        removed = passkeys.remove(passkey, sign_out="end_sessions" in request.POST, but=session)
    except ReauthenticationRequired:
        return redirect(f"/login?reauthenticate&redirect={HOME}")
    except AppError as refused:
        messages.error(request, str(refused.message))
    else:
        log.record(Event.PASSKEY_REMOVED, user=session.user, request=request, passkeyName=removed.name)
        messages.success(
            request,
            _("The passkey was removed. Remove it from your device too, so that it is not offered there any more."),
        )
    return redirect(HOME)


def _question(passkey: Passkey, session: Session) -> dict[str, str]:
    """What is asked before a passkey is removed."""
    elsewhere = passkey.sessions.live().exclude(pk=session.pk).order_by("-auth_time")
    places = ", ".join(dict.fromkeys(devices.describe(each.user_agent) for each in elsewhere[:5]))
    return {
        "id": f"delete-{passkey.pk}",
        "url": f"/settings/passkeys/{passkey.pk}/delete",
        "label": _("Delete %(name)s") % {"name": passkey.name},
        "title": _("Delete the passkey “%(name)s”?") % {"name": passkey.name},
        "text": _(
            "It will no longer sign you in here. Delete it on your device as well, so that it is not offered any more."
        ),
        "yes": _("Delete"),
        "no": _("Keep it"),
        "action": "passkey-remove",
        "choice": "end_sessions" if places else "",
        "choice_label": _("Also sign out where it signed you in: %(places)s") % {"places": places},
    }


@require_POST
@for_people
def end_session(request: HttpRequest, session: Session, session_id: str) -> HttpResponse:
    found = session.user.sessions.filter(pk=session_id).first()
    if found is None:
        raise NotFound("Session")
    sessions.end(found)
    log.record(Event.SIGN_OUT, user=session.user, request=request)
    return redirect(HOME)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    session = session_of(request)
    if session is not None:
        sessions.end(session)
        log.record(Event.SIGN_OUT, user=session.user, request=request)
    response = redirect("/signed-out")
    clear_session_cookie(response)
    return response


def signed_out(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/signed_out.html")
