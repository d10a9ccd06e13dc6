"""What happened, in rows that are only ever added."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Event(models.TextChoices):
    """Pocket ID's events (contract section 12.2), and ours below them."""

    SIGN_IN = "SIGN_IN", _("Signed in with a passkey")
    TOKEN_SIGN_IN = "TOKEN_SIGN_IN", _("Signed in with a login code")
    ACCOUNT_CREATED = "ACCOUNT_CREATED", _("Account created")
    CLIENT_AUTHORIZATION = "CLIENT_AUTHORIZATION", _("Signed in to an app")
    NEW_CLIENT_AUTHORIZATION = "NEW_CLIENT_AUTHORIZATION", _("Signed in to an app for the first time")
    DEVICE_CODE_AUTHORIZATION = "DEVICE_CODE_AUTHORIZATION", _("Signed in to an app on a device")
    NEW_DEVICE_CODE_AUTHORIZATION = (
        "NEW_DEVICE_CODE_AUTHORIZATION",
        _("Signed in to an app on a device for the first time"),
    )
    PASSKEY_ADDED = "PASSKEY_ADDED", _("Passkey added")
    PASSKEY_REMOVED = "PASSKEY_REMOVED", _("Passkey removed")

    SETUP_COMPLETED = "SETUP_COMPLETED", _("First administrator created")
    SIGN_OUT = "SIGN_OUT", _("Signed out")
    PASSKEY_REJECTED = "PASSKEY_REJECTED", _("Passkey refused")
    TOKENS_REVOKED = "TOKENS_REVOKED", _("Tokens revoked")


class Entry(models.Model):
    """One thing that happened to one person, from one place."""

    created_at = models.DateTimeField(_("time"), auto_now_add=True)
    event = models.CharField(_("event"), max_length=40, choices=Event)
    # The account may be deleted; what happened stays.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("person")
    )
    username = models.CharField(_("username"), max_length=50, blank=True)
    actor_username = models.CharField(_("done by"), max_length=50, blank=True)
    ip_address = models.GenericIPAddressField(_("address"), null=True)
    user_agent = models.CharField(_("device"), max_length=512, blank=True)
    data = models.JSONField(_("details"), default=dict)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.get_event_display()
