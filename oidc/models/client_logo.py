from django.db import models
from django.utils.translation import gettext_lazy as _

from oidc.models.client import Client


class ClientLogo(models.Model):
    """A client's picture. It is kept in the database so that every node has it; ``Client.logo_hash`` says that there is one."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="logos", verbose_name=_("client"))
    is_dark = models.BooleanField(_("for dark pages"), default=False)
    content = models.BinaryField()
    content_type = models.CharField(max_length=32)

    class Meta:
        verbose_name = _("logo")
        verbose_name_plural = _("logos")
        constraints = [models.UniqueConstraint(fields=("client", "is_dark"), name="client_logo_once")]

    def __str__(self) -> str:
        return f"{self.client} ({self.content_type})"
