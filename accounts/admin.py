"""People in the console: users, their passkeys and sessions, groups."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.auth.models import Group as DjangoGroup
from django.db.models import Count, Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import devices, lifecycle, sessions
from accounts.errors import LastAdministrator
from accounts.models import CustomClaim, Group, Passkey, Session, User
from audit import log
from audit.models import Event

admin.site.unregister(DjangoGroup)  # permissions by group: there are administrators and people, nothing else


class _ReadOnlyInline(admin.TabularInline):
    """Shown and deleted, never written by hand."""

    extra = 0
    can_delete = True

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class PasskeyInline(_ReadOnlyInline):
    model = Passkey
    fields = ("name", "backup_state", "created_at", "last_used_at")
    readonly_fields = fields


class SessionInline(_ReadOnlyInline):
    model = Session
    fields = ("device", "ip_address", "auth_time", "expires_at")
    readonly_fields = fields

    @admin.display(description=_("device"))
    def device(self, session: Session) -> str:
        return devices.describe(session.user_agent)


class ClaimInline(admin.TabularInline):
    model = CustomClaim
    fields = ("key", "value")
    extra = 0


@admin.register(User)
class UserAdmin(admin.ModelAdmin):
    list_display = ("username", "full_name", "email", "is_admin", "disabled")
    list_filter = ("is_admin", "disabled", "groups")
    search_fields = ("username", "email", "first_name", "last_name")
    fieldsets: ClassVar[Any] = [
        (
            None,
            {
                "fields": (
                    "username",
                    ("first_name", "last_name"),
                    "display_name",
                    ("email", "email_verified"),
                    "locale",
                )
            },
        ),
        (_("Access"), {"fields": ("is_admin", "disabled", "groups")}),
    ]
    filter_horizontal = ("groups",)
    inlines = (PasskeyInline, SessionInline, ClaimInline)

    @admin.display(description=_("name"))
    def full_name(self, user: User) -> str:
        return user.name

    def save_model(self, request: HttpRequest, obj: User, form: "ModelForm[User]", change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            log.record(Event.ACCOUNT_CREATED, user=obj, request=request, actor=_actor(request))
            return
        changed = {name: form.cleaned_data[name] for name in form.changed_data if name != "groups"}
        try:
            lifecycle.update(obj, changed)
        except LastAdministrator as refused:
            messages.error(request, str(refused.message))

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        try:
            lifecycle.delete(obj)
        except LastAdministrator as refused:
            messages.error(request, str(refused.message))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            self.delete_model(request, user)


@admin.register(Passkey)
class PasskeyAdmin(admin.ModelAdmin):
    """Read and deleted; only a browser with its authenticator can make one."""

    list_display = ("name", "user", "backup_state", "created_at", "last_used_at")
    search_fields = ("name", "user__username")
    fields = (
        "user",
        "name",
        "credential_id",
        "aaguid",
        "transports",
        "sign_count",
        "backup_eligible",
        "backup_state",
        "created_at",
        "last_used_at",
    )
    list_select_related = ("user",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Passkey | None = None) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: Passkey) -> None:
        log.record(Event.PASSKEY_REMOVED, user=obj.user, request=request, actor=_actor(request), passkeyName=obj.name)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Passkey]) -> None:
        for passkey in queryset.select_related("user"):
            self.delete_model(request, passkey)


@admin.register(Session)
class SessionAdmin(admin.ModelAdmin):
    """Where people are signed in; deleting one signs that browser out."""

    list_display = ("user", "device", "ip_address", "auth_time", "expires_at")
    search_fields = ("user__username", "ip_address")
    fields = ("user", "device", "user_agent", "ip_address", "amr", "auth_time", "expires_at")
    list_select_related = ("user",)

    @admin.display(description=_("device"))
    def device(self, session: Session) -> str:
        return devices.describe(session.user_agent)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Session | None = None) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: Session) -> None:
        sessions.end(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        for session in queryset:
            sessions.end(session)


@admin.register(Group)
class GroupAdmin(admin.ModelAdmin):
    list_display = ("friendly_name", "name", "people")
    search_fields = ("friendly_name", "name")
    fields = ("friendly_name", "name")
    inlines = (ClaimInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        groups: QuerySet[Group] = super().get_queryset(request)
        return groups.annotate(people=Count("members"))

    @admin.display(description=_("people"), ordering="people")
    def people(self, group: Group) -> int:
        count: int = getattr(group, "people", 0)
        return count


def _actor(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
