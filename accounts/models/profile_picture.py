from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ProfilePicture(models.Model):
    """The picture a person has uploaded, as the square PNG that is served; in the database, so that every node has it."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="picture", verbose_name=_("user")
    )
    png = models.BinaryField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("profile picture")
        verbose_name_plural = _("profile pictures")

    def __str__(self) -> str:
        return str(self.pk)
