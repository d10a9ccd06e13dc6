"""What a person fills in for a key of their own."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apikeys import scopes
from apikeys.models import ApiKey

USUAL_LIFETIME = timedelta(days=30)


class _Day(forms.DateInput):
    input_type = "date"


class LastDay(forms.DateField):
    """A day in the future; the key ends with it, in UTC."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - whatever a field takes
        kwargs.setdefault("label", _("Valid until"))
        kwargs.setdefault("help_text", _("The key stops working at the end of this day (UTC)."))
        kwargs.setdefault("initial", lambda: (timezone.now() + USUAL_LIFETIME).date().isoformat())
        super().__init__(widget=_Day, **kwargs)

    def clean(self, value: Any) -> datetime:  # noqa: ANN401 - whatever was sent
        day: date = super().clean(value)
        if day < timezone.now().date():
            raise forms.ValidationError(_("Choose a day in the future."))
        return datetime.combine(day, time(23, 59, 59), tzinfo=UTC)


class NewKeyForm(forms.ModelForm):
    expires_at = LastDay()
    scopes = forms.MultipleChoiceField(
        required=False, choices=[(scope, scope) for scope in scopes.ALL], widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = ApiKey
        fields: ClassVar[tuple[str, ...]] = ("name", "description", "expires_at", "scopes")

    def rows_of_scopes(self) -> list[tuple[str, list[tuple[str, bool]]]]:
        """Each resource with its two rights, and whether they are chosen; for a table of checkboxes."""
        chosen = set(self["scopes"].value() or ())
        return [
            (resource, [(f"{resource}:{right}", f"{resource}:{right}" in chosen) for right in ("read", "write")])
            for resource in scopes.RESOURCES
        ]


class RenewalForm(forms.Form):
    expires_at = LastDay()
