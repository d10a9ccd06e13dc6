"""APIs in the console: their permissions, and which app may use which of them (RFC 8707), by the verbs that REST calls too."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Model, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.models import Event
from core.console import ByVerb, adopt
from oidc import administration, api_access
from oidc.api_access import Access, Permission
from oidc.models import ApiAccess, ApiPermission, ApiResource, Client

MAX_PERMISSIONS = 500


class ApiForm(forms.ModelForm):
    class Meta:
        model = ApiResource
        fields = ("name", "audience", "introspection_client")
        help_texts: ClassVar[dict[str, Any]] = {
            "audience": gettext_lazy(
                "What apps name as resource and tokens carry as aud, such as https://api.example.org. It cannot be changed later."
            )
        }
        error_messages: ClassVar[dict[str, dict[str, Any]]] = {
            "audience": {"unique": gettext_lazy("Another API has this address.")}
        }
        widgets: ClassVar[dict[str, Any]] = {
            "audience": forms.TextInput(
                attrs={"class": "vURLField", "spellcheck": "false", "autocapitalize": "none", "inputmode": "url"}
            )
        }

    def clean_audience(self) -> str:
        try:
            return api_access.audience(self.cleaned_data["audience"])
        except api_access.UnusableAudience as wrong:
            raise forms.ValidationError(_("The address %(reason)s."), params={"reason": wrong}) from None


class PermissionForm(forms.ModelForm):
    """The scope of a permission that exists is fixed: whoever has it would lose it with its old name."""

    class Meta:
        model = ApiPermission
        fields = ("key", "name", "description")
        widgets: ClassVar[dict[str, Any]] = {
            "key": forms.TextInput(attrs={"class": "mono", "spellcheck": "false", "autocapitalize": "none"}),
            "description": forms.TextInput(attrs={"class": "vTextField"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - whatever a form takes
        super().__init__(*args, **kwargs)
        self.fields["key"].disabled = not self.instance._state.adding

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        if key in api_access.RESERVED_KEYS:
            raise forms.ValidationError(_("This scope tells something about the person, and cannot be a permission."))
        if not api_access.SCOPE_TOKEN.match(key):
            raise forms.ValidationError(_("Letters, digits and signs such as : . _ - alone, without spaces or quotes."))
        return key


class PermissionInline(admin.TabularInline):
    model = ApiPermission
    form = PermissionForm
    extra = 1  # one to fill in also without scripts
    max_num = MAX_PERMISSIONS

    def get_formset(self, request: HttpRequest, obj: ApiResource | None = None, **kwargs: Any) -> Any:  # noqa: ANN401 - Django's own
        return super().get_formset(request, obj, validate_max=True, **kwargs)


class AccessForm(forms.Form):
    """What one app may do at one API, for people and for itself."""

    for_users = forms.BooleanField(label=gettext_lazy("May use the API for people"), required=False)
    user_permissions = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    for_itself = forms.BooleanField(label=gettext_lazy("May use the API for itself"), required=False)
    own_permissions = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, api: ApiResource, client: Client, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - whatever a form takes
        super().__init__(*args, **kwargs)
        choices = [(str(each.pk), each) for each in api.permissions.all()]
        for name in ("user_permissions", "own_permissions"):
            self.fields[name].choices = choices  # type: ignore[attr-defined] # of a choice field
        if client.is_public:
            del self.fields["for_itself"], self.fields["own_permissions"]

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = self.cleaned_data
        if not self.errors and not any(found.values()):
            raise forms.ValidationError(_("Choose what the app may do, or take its access away."))
        return found

    def access(self) -> Access:
        found = self.cleaned_data
        return Access(
            for_users=found["for_users"],
            for_itself=found.get("for_itself", False),
            user_permissions=tuple(UUID(each) for each in found["user_permissions"]),
            own_permissions=tuple(UUID(each) for each in found.get("own_permissions", ())),
        )


@dataclass(frozen=True)
class Given:
    """What an app has at an API, for a line of a list; ``None`` is no access."""

    api: ApiResource
    client: Client
    for_users: list[str] | None
    for_itself: list[str] | None

    @property
    def url(self) -> str:
        return reverse("admin:oidc_apiresource_access", args=[self.api.pk, self.client.pk])

    @property
    def is_none(self) -> bool:
        return self.for_users is None and self.for_itself is None


@admin.register(ApiResource)
class ApiResourceAdmin(ByVerb):
    form = ApiForm
    list_display = ("name", "audience", "permitted", "used_by")
    search_fields = ("name", "audience")
    fields = ("name", "audience", "introspection_client")
    inlines = (PermissionInline,)
    change_form_template = "admin/oidc/apiresource/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiResource]:
        found: QuerySet[ApiResource] = super().get_queryset(request)
        effective = Q(access__is_explicit=True) | Q(access__permissions__isnull=False)
        return found.annotate(
            permitted=Count("permissions", distinct=True),
            used_by=Count("access__client", distinct=True, filter=effective),
        )

    @admin.display(description=gettext_lazy("permissions"), ordering="permitted")
    def permitted(self, api: ApiResource) -> int:
        count: int = getattr(api, "permitted", 0)
        return count

    @admin.display(description=gettext_lazy("apps"), ordering="used_by")
    def used_by(self, api: ApiResource) -> int:
        count: int = getattr(api, "used_by", 0)
        return count

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: ANN401 - Django's own
        form = super().get_form(request, obj, change, **kwargs)
        widget = form.base_fields["introspection_client"].widget
        widget.can_add_related = widget.can_change_related = widget.can_delete_related = widget.can_view_related = False
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: ApiResource | None = None) -> tuple[str, ...]:
        return ("audience",) if obj else ()  # tokens carry it

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:api_id>/apps/", wrap(self.choose_app), name="oidc_apiresource_choose"),
            path("<uuid:api_id>/apps/<int:client_pk>/", wrap(self.access_view), name="oidc_apiresource_access"),
            path("of/<int:client_pk>/", wrap(self.of_client), name="oidc_apiresource_of"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        api = self.get_object(request, object_id)
        given = of_api(api) if api is not None else []
        return super().change_view(request, object_id, form_url, (extra_context or {}) | {"given": given})

    def save_model(self, request: HttpRequest, obj: ApiResource, form: "forms.ModelForm[Any]", change: bool) -> None:
        wanted = form.cleaned_data
        if not change:
            adopt(obj, api_access.create(name=wanted["name"], audience=wanted["audience"]))
        elif "name" in form.changed_data:
            api_access.rename(str(obj.pk), wanted["name"])
        if "introspection_client" in form.changed_data:
            api_access.set_introspection_client(str(obj.pk), wanted["introspection_client"])
            obj.introspection_client = wanted["introspection_client"]
        if not change:
            administration.note_api(Event.API_CREATED, obj, request=request)
        elif form.changed_data:
            administration.note_api(Event.API_CHANGED, obj, request=request, what="settings")

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: ANN401 - Django's own
        """By what is there now: a permission that somebody else has added meanwhile stays."""
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []  # which the history asks for
        if not formset.has_changed():
            return
        filled_in = [each for each in formset.forms if each.cleaned_data and each.has_changed()]
        gone = {each.cleaned_data["key"] for each in filled_in if each.cleaned_data.get("DELETE")}
        wanted = {row.key: _permission(row) for row in formset.instance.permissions.all() if row.key not in gone}
        kept = (each.instance for each in filled_in if not each.cleaned_data.get("DELETE"))
        wanted |= {row.key: _permission(row) for row in kept}
        api_access.set_permissions(str(formset.instance.pk), list(wanted.values()))
        administration.note_api(Event.API_CHANGED, formset.instance, request=request, what="permissions")

    def delete_model(self, request: HttpRequest, obj: ApiResource) -> None:
        api_access.delete(str(obj.pk))
        administration.note_api(Event.API_DELETED, obj, request=request)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ApiResource]) -> None:
        for api in queryset:
            self.delete_model(request, api)

    def choose_app(self, request: HttpRequest, api_id: UUID) -> HttpResponse:
        """Which app; what it may do is the next page."""
        api = self.get_object(request, str(api_id))
        if api is None or not self.has_change_permission(request, api):
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(api_id))  # type: ignore[attr-defined,no-any-return] # Django's own
        others = Client.objects.exclude(pk__in=[each.client.pk for each in of_api(api)]).order_by("name")
        chosen = request.GET.get("app", "")
        if chosen.isdecimal() and (client := Client.objects.filter(pk=int(chosen[:18])).first()):
            return redirect("admin:oidc_apiresource_access", api.pk, client.pk)
        context = {"title": _("Which app may use %(api)s?") % {"api": api.name}, "api": api, "apps": others}
        return self._page(request, "choose.html", context)

    def access_view(self, request: HttpRequest, api_id: UUID, client_pk: int) -> HttpResponse:
        """What one app may do at the API."""
        api, client = self.get_object(request, str(api_id)), Client.objects.filter(pk=client_pk).first()
        if api is None or not self.has_change_permission(request, api):
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(api_id))  # type: ignore[attr-defined,no-any-return] # Django's own
        if client is None:
            messages.warning(request, _("This app is not here any more."))
            return redirect("admin:oidc_apiresource_change", api.pk)
        back = reverse("admin:oidc_apiresource_change", args=[api.pk])
        rows = {row.subject: row for row in client.api_access.filter(api=api).prefetch_related("permissions")}
        if request.method == "POST" and "remove" in request.POST:
            api_access.revoke(api, client)
            self._note(request, api, client)
            messages.success(request, _("%(app)s may not use %(api)s any more.") % {"app": client, "api": api})
            return redirect(back)
        form = AccessForm(api, client, request.POST or None, initial=_initial(rows))
        if request.method == "POST" and form.is_valid():
            api_access.grant(api, client, form.access())
            self._note(request, api, client)
            messages.success(request, _("What %(app)s may do at %(api)s is saved.") % {"app": client, "api": api})
            return redirect(back)
        title = _("What may %(app)s do at %(api)s?") % {"app": client.name, "api": api.name}
        context = {"title": title, "api": api, "client": client, "form": form, "has_access": bool(rows)}
        return self._page(request, "access.html", context)

    def of_client(self, request: HttpRequest, client_pk: int) -> HttpResponse:
        """Every API, and what one app may do there."""
        client = Client.objects.filter(pk=client_pk).first()
        if client is None or not self.has_change_permission(request):
            return redirect("admin:oidc_client_changelist")
        rows = Prefetch("access", ApiAccess.objects.filter(client=client).prefetch_related("permissions"))
        apis = ApiResource.objects.prefetch_related(rows)
        given = [_given(api, client, api.access.all()) for api in apis]
        context = {"title": _("APIs that %(app)s may use") % {"app": client.name}, "client": client, "given": given}
        context["client_name"] = capfirst(Client._meta.verbose_name_plural)
        return self._page(request, "of_client.html", context)

    def _note(self, request: HttpRequest, api: ApiResource, client: Client) -> None:
        administration.note_api(Event.API_CHANGED, api, request=request, what="access", app=client.name)
        self.log_change(request, api, client.name)

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        everywhere = self.admin_site.each_context(request) | {"opts": self.opts}
        return TemplateResponse(request, f"admin/oidc/apiresource/{template}", everywhere | context)


def of_api(api: ApiResource) -> list[Given]:
    """The apps that may do anything at the API."""
    rows = Prefetch("api_access", ApiAccess.objects.filter(api=api).prefetch_related("permissions"))
    clients = Client.objects.filter(api_access__api=api).distinct().order_by("name", "pk").prefetch_related(rows)
    found = (_given(api, client, client.api_access.all()) for client in clients)
    return [each for each in found if not each.is_none]


def _given(api: ApiResource, client: Client, rows: Iterable[ApiAccess]) -> Given:
    """From the at most two rows of an app at an API; a permission implies access."""
    names = {row.subject: (row.is_explicit, [each.name for each in row.permissions.all()]) for row in rows}
    user, own = (names.get(subject, (False, [])) for subject in (ApiAccess.Subject.USER, ApiAccess.Subject.CLIENT))
    return Given(api, client, *(found if found or explicit else None for explicit, found in (user, own)))


def _initial(rows: dict[str, ApiAccess]) -> dict[str, Any]:
    user, own = rows.get(ApiAccess.Subject.USER), rows.get(ApiAccess.Subject.CLIENT)
    return {
        "for_users": user is not None,
        "user_permissions": [str(each.pk) for each in user.permissions.all()] if user else [],
        "for_itself": own is not None,
        "own_permissions": [str(each.pk) for each in own.permissions.all()] if own else [],
    }


def _permission(row: ApiPermission) -> Permission:
    return Permission(row.key, row.name, row.description)
