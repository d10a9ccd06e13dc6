from django.db import models
from django.utils.translation import gettext_lazy as _


class UsedAssertion(models.Model):
    """A client assertion that was accepted once, until it would end by itself (RFC 7523 section 3, ``jti``)."""

    key_hash = models.CharField(primary_key=True, max_length=64)  # SHA-256 of client, issuer and jti
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("used client assertion")
        verbose_name_plural = _("used client assertions")

    def __str__(self) -> str:
        return self.key_hash[:8]
