"""Groups in the console, with the people who are in them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import groups
from accounts.admin import owned
from accounts.admin.owned import ClaimInline, person_of
from accounts.models import Group, User
from audit import log
from audit.models import Event
from core.console import ByVerb, adopt


class GroupForm(forms.ModelForm):
    """Who is in it, by username: a list that can be pasted, whatever its length."""

    people = forms.CharField(
        label=_("People"),
        required=False,
        help_text=_("Usernames, one on each line."),
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocapitalize": "none"}),
    )

    class Meta:
        model = Group
        fields = ("friendly_name", "name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - whatever a form takes
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            known = self.instance.members.order_by("username").values_list("username", flat=True)
            self.initial["people"] = "\n".join(known)

    def clean_people(self) -> list[str]:
        """The ids of the people."""
        wanted = {name.lower(): name for name in self.cleaned_data["people"].replace(",", " ").split()}
        found = dict(
            User.objects.annotate(folded=Lower("username")).filter(folded__in=wanted).values_list("folded", "pk")
        )
        if unknown := [name for folded, name in wanted.items() if folded not in found]:
            raise forms.ValidationError(_("Nobody is called: %(names)s"), params={"names": ", ".join(unknown)})
        return [str(pk) for pk in found.values()]


@admin.register(Group)
class GroupAdmin(ByVerb):
    form = GroupForm
    list_display = ("friendly_name", "name", "people")
    search_fields = ("friendly_name", "name")
    fields = ("friendly_name", "name", "people")
    inlines = (ClaimInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        found: QuerySet[Group] = super().get_queryset(request)
        return found.annotate(people=Count("members"))

    @admin.display(description=_("people"), ordering="people")
    def people(self, group: Group) -> int:
        count: int = getattr(group, "people", 0)
        return count

    def save_model(self, request: HttpRequest, obj: Group, form: "forms.ModelForm[Group]", change: bool) -> None:
        names = {name: form.cleaned_data[name] for name in ("name", "friendly_name")}
        if change:
            groups.update(obj, names)
        else:
            made = groups.create(**names)
            adopt(obj, made)
        if "people" in form.changed_data:
            groups.set_members(obj, form.cleaned_data["people"])
        _record(Event.GROUP_CHANGED if change else Event.GROUP_CREATED, request, obj)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: ANN401 - Django's own
        owned.save(formset, request)

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        groups.delete(obj)
        _record(Event.GROUP_DELETED, request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Group]) -> None:
        for group in queryset:
            self.delete_model(request, group)


def _record(event: Event, request: HttpRequest, group: Group) -> None:
    log.record(event, user=person_of(request), request=request, groupName=group.name)
