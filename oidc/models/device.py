from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import AbstractDeviceGrant


class DeviceGrant(AbstractDeviceGrant):
    """Swapped in from the start, because a model cannot be swapped later; the device flow is still to come."""

    class Meta(AbstractDeviceGrant.Meta):
        verbose_name = _("device grant")
        verbose_name_plural = _("device grants")
