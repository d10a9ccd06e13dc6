import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit import devices


class SessionQuerySet(models.QuerySet["Session"]):
    def live(self) -> Self:
        return self.filter(expires_at__gt=timezone.now())


class Session(models.Model):
    """One browser in which one person is signed in. Its id is the ``sid`` of the tokens issued from it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key_hash = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="sessions", verbose_name=_("user"))
    auth_time = models.DateTimeField(_("signed in"))
    # Authentication method references (RFC 8176 and Pocket ID's "phr", "otp"), separated by blanks.
    amr = models.CharField(_("how"), max_length=64, blank=True)
    # What the person proved themselves with last; none for a code, or when the passkey is gone.
    passkey = models.ForeignKey(
        "accounts.Passkey",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="sessions",
        verbose_name=_("passkey"),
    )
    # When a passkey was last shown here, user verification and all: by signing in with it, which ``amr`` says too, or by
    # making one, which is no authentication and leaves ``auth_time`` and ``amr`` as they are.
    proved_at = models.DateTimeField(_("passkey shown"), null=True, editable=False)
    created_at = models.DateTimeField(_("since"), auto_now_add=True)
    expires_at = models.DateTimeField(_("until"), db_index=True)
    ip_address = models.GenericIPAddressField(_("address"), null=True)
    user_agent = models.CharField(_("device"), max_length=512, blank=True)
    data = models.JSONField(default=dict)  # what Django keeps in a session, such as messages of the console

    objects = SessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return devices.describe(self.user_agent) if self.user_agent else str(self.pk)

    @property
    def methods(self) -> tuple[str, ...]:
        return tuple(self.amr.split())
