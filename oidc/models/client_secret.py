import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from oidc.models.client import Client


class ClientSecretQuerySet(models.QuerySet["ClientSecret"]):
    def usable(self) -> Self:
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now()))


class ClientSecret(models.Model):
    """One of a client's secrets, as a hash. Several may be valid at once, so that they can be exchanged in peace."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="secrets", verbose_name=_("client"))
    secret_hash = models.CharField(max_length=255, editable=False)
    prefix = models.CharField(_("begins with"), max_length=4, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)

    objects = ClientSecretQuerySet.as_manager()

    class Meta:
        verbose_name = _("client secret")
        verbose_name_plural = _("client secrets")
        ordering = ("created_at",)

    def __str__(self) -> str:
        return f"{self.prefix}…"
