"""What moved in, kept for whoever asks later."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from moving import report


class Import(models.Model):
    """One import that was carried out, and its whole report."""

    imported_at = models.DateTimeField(_("imported"), auto_now_add=True)
    kind = models.CharField(_("source"), max_length=64)
    report = models.JSONField(_("report"), default=dict)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ("-imported_at",)

    def __str__(self) -> str:
        return self.kind

    @property
    def sections(self) -> list[tuple[str, list[str]]]:
        """Headings and lines, in the language that is active."""
        return list(report.sections(report.from_json(self.report)))
