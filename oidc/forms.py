"""Form fields of the console for what is kept as JSON."""

import json
from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from core.errors import AppError
from oidc import registered_keys
from oidc.models import Client


class JsonTextField(forms.CharField):
    """JSON that somebody pastes, kept as a list; empty text is an empty list."""

    def __init__(self, column: str, **kwargs: Any) -> None:  # noqa: ANN401 - whatever a field takes
        field = Client._meta.get_field(column)
        widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})
        super().__init__(
            required=False, widget=widget, label=capfirst(field.verbose_name), help_text=field.help_text, **kwargs
        )

    def prepare_value(self, value: Any) -> Any:  # noqa: ANN401 - a list from the database, text from the browser
        return (json.dumps(self.shown(value), indent=1) if value else "") if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:  # noqa: ANN401 - Django's own
        return bool((self.prepare_value(initial) or "") != (data or ""))

    def shown(self, value: list[Any]) -> Any:  # noqa: ANN401 - JSON
        return value

    def clean(self, value: Any) -> list[Any]:  # noqa: ANN401 - Django's own
        text = super().clean(value)
        try:
            return self.read(json.loads(text)) if text.strip() else []
        except (ValueError, RecursionError) as wrong:
            raise forms.ValidationError(
                str(wrong) if isinstance(wrong, registered_keys.UnusableKey) else _("This is no JSON.")
            ) from None

    def read(self, given: Any) -> list[Any]:  # noqa: ANN401 - whatever JSON was pasted
        raise NotImplementedError


class KeySetField(JsonTextField):
    """A JWK Set (RFC 7517 section 5); private keys are refused: they belong to the app."""

    def shown(self, value: list[Any]) -> Any:  # noqa: ANN401 - JSON
        return {"keys": value}

    def read(self, given: Any) -> list[Any]:  # noqa: ANN401 - whatever JSON was pasted
        return registered_keys.key_set(given)


class IdentitiesField(JsonTextField):
    """Federated identities by the rules of the REST API (contract section 8.9)."""

    def read(self, given: Any) -> list[Any]:  # noqa: ANN401 - whatever JSON was pasted
        from oidc.api.client_input import FederatedIdentityInput  # REST framework is not loaded for every page

        rows = FederatedIdentityInput(data=given, many=True)
        try:
            if rows.is_valid():
                return [dict(row) for row in rows.validated_data]
        except AppError as refused:
            raise forms.ValidationError(str(refused)) from None
        raise forms.ValidationError([f"{name}: {text}" for name, text in _problems(rows.errors)])


def _problems(errors: Any, place: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401 - nested as REST framework nests them
    if isinstance(errors, dict):
        for name, nested in errors.items():
            yield from _problems(nested, name)
    else:
        for each in errors if isinstance(errors, list) else [errors]:
            if isinstance(each, dict):
                yield from _problems(each, place)
            else:
                yield place, str(each)
