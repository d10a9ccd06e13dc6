"""An administrator's own keys: listed, made, renewed and revoked; a key itself is shown once."""

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import passkeys
from accounts.errors import ReauthenticationRequired
from accounts.models import Session
from accounts.views.account import for_people
from apikeys import keys
from apikeys.emails import KEYS
from apikeys.errors import ApiKeyNotExpired
from apikeys.forms import NewKeyForm, RenewalForm
from apikeys.models import ApiKey
from audit import log
from audit.models import Event


def for_administrators(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Over REST anybody may have keys; the pages are for administrators alone, as Pocket ID's are (contract section 7.1)."""

    @for_people
    @wraps(view)
    def call(request: HttpRequest, session: Session, **kwargs: str) -> HttpResponse:
        if not session.user.is_staff:
            raise PermissionDenied
        return view(request, session, **kwargs)

    return call


@require_safe
@for_administrators
def page(request: HttpRequest, session: Session) -> HttpResponse:
    own = ApiKey.objects.filter(user=session.user).order_by("-created_at")
    listed = [{"key": key, "ask": question(key), "renewal": RenewalForm(auto_id=f"{key.pk}-%s")} for key in own]
    return render(request, "apikeys/keys.html", {"keys": listed})


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def new(request: HttpRequest, session: Session) -> HttpResponse:
    """Ask for a name and what it may do, and show the key. What was filled in survives a re-authentication."""
    form = NewKeyForm(request.POST) if request.method == "POST" else NewKeyForm(initial=_given(request))
    if request.method == "POST" and form.is_valid():
        try:
            passkeys.require_fresh(session)
        except ReauthenticationRequired:
            return _confirm(f"{KEYS}/new?{_kept(request)}")
        fields = form.cleaned_data
        key, secret = keys.create(
            session.user,
            name=fields["name"],
            description=fields["description"] or None,
            expires_at=fields["expires_at"],
            scopes=fields["scopes"],
            session=session,
        )
        log.record(Event.API_KEY_CREATED, user=session.user, request=request, keyName=key.name)
        return _shown(request, key, secret)
    if request.method == "GET":
        try:
            passkeys.require_fresh(session)
        except ReauthenticationRequired:
            return _confirm(request.get_full_path())
    return render(request, "apikeys/new.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@for_administrators
def renew(request: HttpRequest, session: Session, key_id: str) -> HttpResponse:
    key = keys.owned(session.user, key_id)
    form = RenewalForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for error in form.errors["expires_at"]))
        return redirect(KEYS)
    try:
        passkeys.require_fresh(session)
        key, secret = keys.renew(key, expires_at=form.cleaned_data["expires_at"])
    except ReauthenticationRequired:
        return _confirm(KEYS)
    except ApiKeyNotExpired as refused:
        messages.error(request, str(refused.message))
        return redirect(KEYS)
    log.record(Event.API_KEY_RENEWED, user=session.user, request=request, keyName=key.name)
    return _shown(request, key, secret)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def revoke(request: HttpRequest, session: Session, key_id: str) -> HttpResponse:
    """Ask, then end the key."""
    key = keys.owned(session.user, key_id)
    if request.method != "POST":
        return render(request, "accounts/ask.html", question(key) | {"back": KEYS})
    keys.revoke(key)
    log.record(Event.API_KEY_DELETED, user=key.user, request=request, keyName=key.name)
    messages.success(request, _("The key “%(name)s” does not work any more.") % {"name": key.name})
    return redirect(KEYS)


def question(key: ApiKey) -> dict[str, str]:
    """What is asked before a key is revoked."""
    return {
        "id": f"revoke-{key.pk}",
        "url": f"{KEYS}/{key.pk}/revoke",
        "label": _("Revoke %(name)s") % {"name": key.name},
        "title": _("Revoke the key “%(name)s”?") % {"name": key.name},
        "text": _("Scripts that use it are refused at once. This cannot be undone."),
        "yes": _("Revoke"),
        "no": _("Keep it"),
        "action": "api-key-revoke",
    }


def _shown(request: HttpRequest, key: ApiKey, secret: str) -> HttpResponse:
    return render(request, "apikeys/secret.html", {"key": key, "secret": secret})


def _confirm(path: str) -> HttpResponse:
    return redirect("/login?reauthenticate&" + urlencode({"redirect": path}))


def _given(request: HttpRequest) -> dict[str, object]:
    """What the person had filled in before they were asked who they are."""
    found: dict[str, object] = {
        name: request.GET[name] for name in ("name", "description", "expires_at") if name in request.GET
    }
    return found | ({"scopes": request.GET.getlist("scopes")} if "scopes" in request.GET else {})


def _kept(request: HttpRequest) -> str:
    names = ("name", "description", "expires_at", "scopes")
    return urlencode([(name, value) for name in names for value in request.POST.getlist(name)])
