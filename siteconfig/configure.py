"""Changing the settings: one verb for the console, the REST API and the command line."""

from collections.abc import Mapping

from django.db import transaction
from django.http import HttpRequest

from siteconfig.models import SiteConfiguration
from siteconfig.signals import settings_changed


def change(values: Mapping[str, object], *, request: HttpRequest | None = None) -> SiteConfiguration:
    """Set the columns of ``values``, already validated, and leave the others; returns the row as it is now."""
    with transaction.atomic():
        row, _created = SiteConfiguration.objects.select_for_update().get_or_create(pk=1)
        changed = [name for name, value in values.items() if getattr(row, name) != value]
        for name in changed:
            setattr(row, name, values[name])
        if changed:
            row.save()
    if changed:
        settings_changed.send(sender=SiteConfiguration, request=request, names=changed)
    return row
