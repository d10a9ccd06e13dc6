import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class LogoutDelivery(models.Model):
    """A logout token on its way to an app (OIDC Back-Channel Logout 1.0 section 2.5); it outlives the client and the person."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client_id = models.CharField(_("client ID"), max_length=255)
    client_name = models.CharField(_("client"), max_length=50)
    url = models.TextField(_("address"))
    algorithm = models.CharField(max_length=5)
    subject = models.CharField(_("subject"), max_length=64)
    sid = models.UUIDField(null=True)
    created_at = models.DateTimeField(_("since"), auto_now_add=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True, db_index=True)
    # Until then whoever took it is delivering it, and nobody else does.
    leased_until = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True)
    last_error = models.CharField(_("last error"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("logout delivery")
        verbose_name_plural = _("logout deliveries")
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.client_name
