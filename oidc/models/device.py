from django.db import models
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import AbstractDeviceGrant

from oidc.models.client import Client


class DeviceGrant(AbstractDeviceGrant):
    """A device that waits for a person to approve it elsewhere (RFC 8628); both codes are kept as hashes."""

    client_id = None  # a foreign key instead of a name
    last_checked = None

    device_code = models.CharField(max_length=64)  # SHA-256
    user_code = models.CharField(max_length=64, unique=True)  # SHA-256
    application = models.ForeignKey(Client, models.CASCADE, verbose_name=_("client"))
    resource = models.JSONField(default=list)
    nonce = models.TextField(blank=True, default="")
    created = models.DateTimeField(auto_now_add=True)
    last_polled_at = models.DateTimeField(null=True)
    ip_address = models.GenericIPAddressField(_("address"), null=True)
    user_agent = models.CharField(_("device"), max_length=512, blank=True)
    # How the person who approved had signed in.
    sid = models.UUIDField(null=True)
    auth_time = models.DateTimeField(null=True)
    amr = models.CharField(max_length=64, blank=True)

    class Meta(AbstractDeviceGrant.Meta):
        verbose_name = _("device grant")
        verbose_name_plural = _("device grants")

    def __str__(self) -> str:
        return f"{self.application} {self.status}"
