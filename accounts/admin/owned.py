"""What belongs to a person or a group on its page: claims, passkeys, sessions; each changed by its own verb."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import custom_claims, devices, passkeys, sessions
from accounts.models import CustomClaim, Group, Passkey, Session, User
from audit import log
from audit.models import Event
from core.console import ReadOnlyInline


class PasskeyInline(ReadOnlyInline):
    model = Passkey
    fields = ("name", "backup_state", "created_at", "last_used_at")
    readonly_fields = fields


class SessionInline(ReadOnlyInline):
    model = Session
    fields = ("device", "ip_address", "auth_time", "expires_at")
    readonly_fields = fields
    verbose_name_plural = _("sessions")

    def get_queryset(self, request: HttpRequest) -> Any:  # noqa: ANN401 - a queryset of sessions
        return super().get_queryset(request).live()  # type: ignore[attr-defined] # our queryset's

    @admin.display(description=_("device"))
    def device(self, session: Session) -> str:
        return devices.describe(session.user_agent)


class ClaimInline(admin.TabularInline):
    model = CustomClaim
    fields = ("key", "value")
    extra = 1  # one to fill in also without scripts


def save(formset: Any, request: HttpRequest) -> None:  # noqa: ANN401 - Django's formset
    """What an inline of this file was changed to, by the verbs that REST calls too."""
    if formset.model is CustomClaim:
        _save_claims(formset, request)
        return
    formset.save(commit=False)
    for gone in formset.deleted_objects:
        if isinstance(gone, Session):
            end_session(gone, request)
        elif isinstance(gone, Passkey):
            remove_passkey(gone, request)


def end_session(session: Session, request: HttpRequest) -> None:
    sessions.end(session)
    log.record(Event.SIGN_OUT, user=session.user, request=request, actor=person_of(request))


def remove_passkey(passkey: Passkey, request: HttpRequest, *, sign_out: bool = False) -> None:
    """The last one too: then a login code lets the person add another."""
    passkeys.remove(passkey, even_the_last=True, sign_out=sign_out)
    log.record(
        Event.PASSKEY_REMOVED,
        user=passkey.user,
        request=request,
        actor=person_of(request),
        passkeyName=passkey.name,
    )


def _save_claims(formset: Any, request: HttpRequest) -> None:  # noqa: ANN401 - Django's formset
    formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []  # which the history asks for
    if not formset.has_changed():
        return
    owner: User | Group = formset.instance
    kept = [form.cleaned_data for form in formset.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
    claims = custom_claims.replace(owner, [(row["key"], row["value"]) for row in kept])
    log.record(
        Event.CLAIMS_CHANGED,
        user=person_of(request),
        request=request,
        owner=owner.username if isinstance(owner, User) else owner.name,
        keys=", ".join(claim.key for claim in claims),
    )


def person_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - the console lets nobody else in
    return request.user
