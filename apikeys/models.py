"""Keys that scripts present instead of a person's session."""

import uuid
from datetime import timedelta
from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinLengthValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apikeys import scopes
from core.secrets import hash_token

PREFIX = "pid_"
SHOWN = len(PREFIX) + 6  # characters of a key that are kept to recognise it by
USE_IS_NOTED_EVERY = timedelta(minutes=1)


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self) -> Self:
        return self.filter(expires_at__gt=timezone.now())

    def matching(self, token: str) -> Self:
        return self.filter(key_hash=hash_token(token))

    def note_use(self, key: "ApiKey", ip_address: str) -> None:
        """At most once a minute: a script that asks a hundred times a second shall not write as often."""
        now = timezone.now()
        if key.last_used_at is not None and now - key.last_used_at < USE_IS_NOTED_EVERY:
            return
        stale = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - USE_IS_NOTED_EVERY)
        self.filter(stale, pk=key.pk).update(last_used_at=now, last_used_ip=ip_address or None)


def refuse_unknown_scopes(given: object) -> None:
    if not isinstance(given, list) or not all(isinstance(scope, str) for scope in given):
        raise ValidationError(_("A list of scopes."))
    if wrong := scopes.unknown(given):
        raise ValidationError(_("No such scope: %(scopes)s"), params={"scopes": ", ".join(wrong)})


class ApiKey(models.Model):
    """One key of one person, kept as a hash. It ends with its owner, and never may more than its owner."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_keys", verbose_name=_("owner"))
    name = models.CharField(_("name"), max_length=50, validators=[MinLengthValidator(3)])
    description = models.TextField(_("description"), null=True, blank=True, max_length=1000)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(_("begins with"), max_length=16, db_index=True, editable=False)
    # Empty means every right of the owner, as Pocket ID's keys have.
    scopes = models.JSONField(_("scopes"), default=list, blank=True, validators=[refuse_unknown_scopes])
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("until"), db_index=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    last_used_ip = models.GenericIPAddressField(_("from"), null=True, editable=False)
    expiry_mail_sent_at = models.DateTimeField(null=True, editable=False)
    # While a process sends it, and after an attempt that failed.
    expiry_mail_not_before = models.DateTimeField(null=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ("created_at",)

    def __str__(self) -> str:
        return self.name

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()
