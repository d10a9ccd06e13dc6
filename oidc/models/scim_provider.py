import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.secrets import decrypt, encrypt
from oidc.models.client import Client


class ScimProvider(models.Model):
    """Where an app takes its users and groups from us (SCIM 2.0, RFC 7644). Nothing is sent yet."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.OneToOneField(Client, models.CASCADE, related_name="scim_provider", verbose_name=_("client"))
    endpoint = models.CharField(_("endpoint"), max_length=2000)
    encrypted_token = models.TextField(blank=True, editable=False)
    last_synced_at = models.DateTimeField(_("last synced"), null=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("SCIM service provider")
        verbose_name_plural = _("SCIM service providers")

    def __str__(self) -> str:
        return self.endpoint

    @property
    def token(self) -> str:
        """The bearer token in clear, empty when there is none."""
        return decrypt(self.encrypted_token, place=self.place).decode() if self.encrypted_token else ""

    @token.setter
    def token(self, token: str) -> None:
        self.encrypted_token = encrypt(token.encode(), place=self.place) if token else ""

    @property
    def place(self) -> str:
        """What the encryption of its token is bound to."""
        return f"oidc_scimprovider.encrypted_token.{self.pk}"
