"""Accounts in the console, and login codes for people who have lost their passkey."""

from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import groups, lifecycle, login_codes
from accounts.admin import owned
from accounts.admin.owned import ClaimInline, PasskeyInline, SessionInline, person_of
from accounts.forms import USERNAME_WORDS
from accounts.models import User
from audit import log
from audit.models import Event
from core.console import ByVerb, adopt
from core.errors import AppError
from siteconfig.models import current

LIFETIMES = (
    ("15", gettext_lazy("a quarter of an hour")),
    ("60", gettext_lazy("an hour")),
    ("1440", gettext_lazy("a day")),
    ("10080", gettext_lazy("a week")),
)


class UserForm(forms.ModelForm):
    class Meta:
        model = User
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets name them
        error_messages: ClassVar[dict[str, dict[str, Any]]] = {"username": USERNAME_WORDS}


class CodeForm(forms.Form):
    minutes = forms.TypedChoiceField(label=gettext_lazy("Valid for"), choices=LIFETIMES, coerce=int)


@admin.register(User)
class UserAdmin(ByVerb):
    form = UserForm
    list_display = ("username", "full_name", "email", "is_admin", "disabled")
    list_filter = ("is_admin", "disabled", "email_verified", "groups")
    search_fields = ("search_text", "display_name")
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
        (gettext_lazy("Access"), {"fields": ("is_admin", "disabled", "groups")}),
    ]
    filter_horizontal = ("groups",)
    inlines = (PasskeyInline, SessionInline, ClaimInline)
    change_form_template = "admin/accounts/user/change_form.html"

    @admin.display(description=gettext_lazy("name"))
    def full_name(self, user: User) -> str:
        return user.name

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:  # noqa: ANN401 - Django's own type is private
        return self.inlines if obj else (ClaimInline,)

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.login_code)
        return [path("<path:object_id>/login-code/", page, name="accounts_user_login_code"), *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: User, form: "forms.ModelForm[User]", change: bool) -> None:
        actor = person_of(request)
        if not change:
            chosen = list(form.cleaned_data["groups"])
            columns = {name: value for name, value in form.cleaned_data.items() if name != "groups"}
            made = lifecycle.create(columns, groups=chosen or None)
            adopt(obj, made)
            log.record(Event.ACCOUNT_CREATED, user=made, request=request, actor=actor)
            return
        changed = {name: form.cleaned_data[name] for name in form.changed_data if name != "groups"}
        if changed:
            lifecycle.update(obj, changed)
            fields = ", ".join(sorted(changed))
            log.record(Event.ACCOUNT_CHANGED, user=obj, request=request, actor=actor, fields=fields)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: ANN401 - Django's own
        chosen = form.cleaned_data.pop("groups")
        if change and "groups" in form.changed_data:
            groups.set_groups(form.instance, [str(group.pk) for group in chosen])
            log.record(
                Event.ACCOUNT_CHANGED, user=form.instance, request=request, actor=person_of(request), fields="groups"
            )
        super().save_related(request, form, formsets, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: ANN401 - Django's own
        owned.save(formset, request)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        lifecycle.delete(obj)
        log.record(Event.ACCOUNT_DELETED, user=None, request=request, actor=person_of(request), username=obj.username)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            self.delete_model(request, user)

    def login_code(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask how long it shall live; then show the code once, or mail it."""
        user = self.get_object(request, object_id)
        if user is None or not self.has_change_permission(request, user):
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return] # Django's own
        form = CodeForm(request.POST or None)
        context: dict[str, Any] = {
            "title": _("Login code"),
            "person": user,
            "form": form,
            "may_mail": bool(user.email) and current().email_one_time_access_as_admin_enabled,
            "change_url": reverse("admin:accounts_user_change", args=[user.pk]),
            "opts": self.opts,
        }
        if request.method == "POST" and form.is_valid():
            ttl = timedelta(minutes=form.cleaned_data["minutes"])
            if "mail" in request.POST:
                return self._mail_code(request, user, ttl)
            code = login_codes.create(user, ttl=ttl).code
            _record_code(request, user)
            link = f"{settings.APP_URL}/lc/{code}"
            context |= {"code": code, "link": link, "expires_at": timezone.now() + ttl}
        return TemplateResponse(
            request, "admin/accounts/user/login_code.html", self.admin_site.each_context(request) | context
        )

    def _mail_code(self, request: HttpRequest, user: User, ttl: timedelta) -> HttpResponse:
        try:
            login_codes.send(user, ttl=ttl)
        except AppError as refused:
            return self.deny(request, refused, user.pk)
        _record_code(request, user)
        messages.success(request, _("A login code is on its way to %(address)s.") % {"address": user.email})
        return redirect(reverse("admin:accounts_user_change", args=[user.pk]))


def _record_code(request: HttpRequest, user: User) -> None:
    log.record(Event.LOGIN_CODE_CREATED, user=person_of(request), request=request, person=user.username)
