"""What the operator may change while the server runs: one typed row."""

from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class SiteConfiguration(models.Model):
    """The settings of this installation. There is one row, made by the first migration."""

    app_name = models.CharField(
        _("name"),
        max_length=30,
        default="Pocket ID",
        help_text=_("Shown on every page and by people's passkey managers."),
    )
    accent_color = models.CharField(
        _("accent colour"),
        max_length=7,
        blank=True,
        validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$", _("Six hexadecimal digits after #, such as #3454d1."))],
    )
    animations = models.BooleanField(_("animations"), default=True)
    session_duration = models.PositiveIntegerField(
        _("session duration"),
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(43200)],
        help_text=_("Minutes until a person must sign in again."),
    )
    # Set by the one transaction that made the first administrator, and never cleared: /setup stays closed
    # even when every administrator is gone (attacks.md D8).
    setup_completed_at = models.DateTimeField(_("set up at"), null=True, editable=False)

    class Meta:
        verbose_name = _("configuration")
        verbose_name_plural = _("configuration")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="siteconfig_one_row")]

    def __str__(self) -> str:
        return self.app_name

    @property
    def session_lifetime(self) -> timedelta:
        return timedelta(minutes=self.session_duration)


def current() -> SiteConfiguration:
    """The settings now in force; what they are before the first migration when there is no row."""
    return SiteConfiguration.objects.filter(pk=1).first() or SiteConfiguration(pk=1)
