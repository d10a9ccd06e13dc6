from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.group import Group
from core.claim_names import RESERVED_CLAIMS


def refuse_reserved(key: str) -> None:
    if key in RESERVED_CLAIMS:
        raise ValidationError(
            _("Claim %(key)s is reserved and can't be used"), code="reserved_claim", params={"key": key}
        )


class CustomClaim(models.Model):
    """A claim an administrator gives to one person or to everybody in a group; text, or JSON that is passed on as such."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="custom_claims",
        verbose_name=_("user"),
    )
    group = models.ForeignKey(
        Group, models.CASCADE, null=True, blank=True, related_name="custom_claims", verbose_name=_("group")
    )
    key = models.CharField(_("claim"), max_length=255, validators=[refuse_reserved])
    value = models.TextField(_("value"))

    class Meta:
        verbose_name = _("custom claim")
        verbose_name_plural = _("custom claims")
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=True) ^ Q(group__isnull=True), name="custom_claim_one_owner"
            ),
            models.UniqueConstraint(fields=("user", "key"), name="custom_claim_user_key"),
            models.UniqueConstraint(fields=("group", "key"), name="custom_claim_group_key"),
        ]

    def __str__(self) -> str:
        return self.key
