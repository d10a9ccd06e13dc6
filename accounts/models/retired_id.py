from django.db import models
from django.utils.translation import gettext_lazy as _


class RetiredId(models.Model):
    """The id of a deleted account: apps know it as somebody, so it never becomes another's (attacks.md C25)."""

    id = models.UUIDField(primary_key=True)
    username = models.CharField(max_length=50)
    retired_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("retired id")
        verbose_name_plural = _("retired ids")

    def __str__(self) -> str:
        return str(self.pk)
