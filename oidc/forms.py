"""Form fields of the console for what is no plain text, and what a filled-in form says about a client."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from core.console import in_words
from core.errors import AppError
from oidc import logos, registered_keys
from oidc.clients import ClientSettings
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


@dataclass(frozen=True)
class PresentLogo:
    """What a form shows of a logo that is there."""

    url: str


class LogoInput(forms.ClearableFileInput):
    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:  # noqa: ANN401 - Django's own
        return render_to_string("admin/oidc/client/logo.html", self.get_context(name, value, attrs))


class LogoField(forms.FileField):
    """A picture, of the kinds and sizes that REST takes; ``None`` leaves the present one as it is, ``False`` removes it."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - whatever a field takes
        super().__init__(required=False, widget=LogoInput(), **kwargs)

    def clean(self, data: Any, initial: Any = None) -> Any:  # noqa: ANN401 - Django's own
        given = super().clean(data, None)
        if not given:
            return given
        try:
            return logos.read(given.name, given.read())
        except AppError as refused:
            raise forms.ValidationError(in_words(refused)) from None


def settings_from(filled_in: Mapping[str, Any]) -> ClientSettings:
    """A valid form of the console as the verbs take it."""
    pictures = {False: filled_in.get("logo"), True: filled_in.get("dark_logo")}
    return ClientSettings(
        name=filled_in["name"],
        description=filled_in["description"],
        callback_urls=tuple(filled_in["redirect_uris"].split()),
        logout_callback_urls=tuple(filled_in["post_logout_redirect_uris"].split()),
        launch_url=filled_in["launch_url"],
        backchannel_logout_url=filled_in["backchannel_logout_url"],
        is_public=filled_in["client_type"] == Client.CLIENT_PUBLIC,
        pkce_required=filled_in["pkce_required"],
        par_required=filled_in["par_required"],
        reauthentication_required=filled_in["reauthentication_required"],
        skip_consent=filled_in["skip_authorization"],
        is_group_restricted=filled_in["is_group_restricted"],
        access_token_minutes=filled_in["access_token_minutes"],
        refresh_token_minutes=filled_in["refresh_token_minutes"],
        federated_identities=tuple(filled_in["federated_identities"]),
        jwks=filled_in["jwks"],
        jwks_uri=filled_in["jwks_uri"],
        backchannel_logout_on_session_expiry=filled_in["backchannel_logout_on_session_expiry"],
        claims_in_id_token=filled_in["claims_in_id_token"],
        refresh_tokens=filled_in["refresh_tokens"],
        algorithm=filled_in["algorithm"],
        id_token_minutes=filled_in["id_token_minutes"],
        refresh_token_absolute_minutes=filled_in["refresh_token_absolute_minutes"],
        logos={is_dark: picture for is_dark, picture in pictures.items() if picture},
    )


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
