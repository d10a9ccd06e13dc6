from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from oidc.models.client import Client


class Consent(models.Model):
    """What a person has allowed an app to know; remembered until they withdraw it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="consents", verbose_name=_("user"))
    client = models.ForeignKey(Client, models.CASCADE, related_name="consents", verbose_name=_("client"))
    scope = models.TextField(_("scopes"), blank=True)  # separated by blanks; only ever grows
    created_at = models.DateTimeField(_("given"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = [models.UniqueConstraint(fields=("user", "client"), name="consent_once")]

    def __str__(self) -> str:
        return self.scope
