"""What apps below this one have done: they send signals, because they cannot call up."""

from typing import Any

from django.dispatch import receiver
from django.http import HttpRequest

from audit import log
from audit.models import Event
from siteconfig import signals


@receiver(signals.settings_changed)
def settings_changed(sender: object, request: HttpRequest | None, names: list[str], **kwargs: object) -> None:
    """Which settings, never their values: some are passwords."""
    changed = ", ".join(sorted(name.removesuffix("_encrypted") for name in names))
    log.record(Event.SETTINGS_CHANGED, user=_person(request), request=request, settings=changed)


@receiver(signals.image_changed)
def image_changed(sender: object, request: HttpRequest | None, name: str, **kwargs: object) -> None:
    log.record(Event.SETTINGS_CHANGED, user=_person(request), request=request, image=name)


def _person(request: HttpRequest | None) -> Any:  # noqa: ANN401 - a User, which this app does not know
    person = getattr(request, "user", None)
    return person if person is not None and person.is_authenticated else None
