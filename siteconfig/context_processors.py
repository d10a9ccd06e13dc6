"""What every template may use of the settings."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import SafeString, mark_safe

from core.http import host_of
from siteconfig import guilloche, images, models


@dataclass(frozen=True)
class Site:
    name: str
    url: str  # APP_URL: where browsers must be for passkeys to work
    host: str
    accent: str
    accent_text: str
    animations: bool
    art: SafeString
    open_signup: bool  # whether whoever comes may make an account
    pictures: Mapping[str, str]  # addresses of those that were uploaded: logo, logo_dark, background, favicon
    mails_codes: bool  # whether whoever comes may ask for a login code by mail


def site(request: HttpRequest) -> dict[str, object]:
    return {"site": SimpleLazyObject(_site)}


def _site() -> Site:
    configuration = models.current()
    # The art holds numbers only; nothing of the seed appears in it.
    art = mark_safe(guilloche.svg(settings.APP_URL))  # noqa: S308
    return Site(
        configuration.app_name,
        settings.APP_URL,
        host_of(settings.APP_URL),
        configuration.accent_color,
        text_on(configuration.accent_color),
        configuration.animations,
        art,
        configuration.allow_user_signups == models.SiteConfiguration.Signups.OPEN,
        images.own(),
        configuration.email_one_time_access_as_unauthenticated_enabled,
    )


def text_on(colour: str) -> str:
    """Dark or white text, whichever stands out more on ``colour`` (WCAG 2.2 relative luminance)."""
    if not colour:
        return "#ffffff"
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#1d1d1f" if (luminance + 0.05) / 0.062 > 1.05 / (luminance + 0.05) else "#ffffff"
