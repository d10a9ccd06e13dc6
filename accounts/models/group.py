import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class Group(models.Model):
    """People who are treated alike. ``name`` is what apps see in the ``groups`` claim."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(
        _("name"), max_length=255, unique=True, help_text=_("What apps are told, such as developers.")
    )
    friendly_name = models.CharField(_("friendly name"), max_length=50)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("group")
        verbose_name_plural = _("groups")
        ordering = ("friendly_name", "name")

    def __str__(self) -> str:
        return self.friendly_name
