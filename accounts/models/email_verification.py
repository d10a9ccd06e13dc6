from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class EmailVerification(models.Model):
    """A link that was mailed to an address, to show that its owner reads what is sent there. One for each person."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    token_hash = models.CharField(max_length=64)
    email = models.EmailField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("e-mail verification")
        verbose_name_plural = _("e-mail verifications")

    def __str__(self) -> str:
        return self.email
