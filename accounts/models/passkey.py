import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Passkey(models.Model):
    """A discoverable WebAuthn credential of one person (WebAuthn L3 section 4, "credential record")."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="passkeys", verbose_name=_("user"))
    name = models.CharField(_("name"), max_length=50)
    # base64url without padding; at most 1023 bytes. Unique for all people: a registration never takes over another's.
    credential_id = models.CharField(_("credential id"), max_length=1364, unique=True, editable=False)
    public_key = models.BinaryField(_("public key"))  # COSE_Key
    sign_count = models.PositiveBigIntegerField(_("signature counter"), default=0, editable=False)
    aaguid = models.UUIDField(_("authenticator model"), default=uuid.UUID(int=0), editable=False)
    attestation_type = models.CharField(max_length=32, default="none", editable=False)
    transports = models.JSONField(_("transports"), default=list, editable=False)
    backup_eligible = models.BooleanField(_("may be synced"), default=False, editable=False)
    backup_state = models.BooleanField(_("synced"), default=False, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)

    class Meta:
        verbose_name = _("passkey")
        verbose_name_plural = _("passkeys")
        ordering = ("created_at",)

    def __str__(self) -> str:
        return self.name

    @property
    def is_synced(self) -> bool:
        return self.backup_state
