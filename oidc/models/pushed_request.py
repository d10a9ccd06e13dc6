from django.db import models
from django.utils.translation import gettext_lazy as _

from oidc.models.client import Client


class PushedRequest(models.Model):
    """An authorization request that a client pushed beforehand (RFC 9126), until it is answered once."""

    key_hash = models.CharField(primary_key=True, max_length=64)  # SHA-256 of the request_uri
    client = models.ForeignKey(Client, models.CASCADE)
    parameters = models.JSONField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("pushed request")
        verbose_name_plural = _("pushed requests")

    def __str__(self) -> str:
        return f"{self.client} {self.expires_at:%H:%M:%S}"
