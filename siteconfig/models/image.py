from django.db import models
from django.utils.translation import gettext_lazy as _


class Image(models.Model):
    """A picture of this installation that was uploaded; in the database, so that every node serves it.

    No content means that the one that comes with the program is not wanted either.
    """

    class Name(models.TextChoices):
        LOGO = "logo", _("Logo")
        LOGO_DARK = "logo-dark", _("Logo on dark pages")
        EMAIL = "email", _("Logo in e-mails")
        BACKGROUND = "background", _("Background")
        FAVICON = "favicon", _("Icon")
        DEFAULT_PROFILE_PICTURE = "default-profile-picture", _("Picture of people who have none")

    name = models.CharField(_("name"), primary_key=True, max_length=32, choices=Name)
    content = models.BinaryField(_("content"))
    content_type = models.CharField(_("type"), max_length=32)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("image")
        verbose_name_plural = _("images")

    def __str__(self) -> str:
        return str(self.get_name_display())
