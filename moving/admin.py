from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.console import Listed
from moving.models import Import


@admin.register(Import)
class ImportAdmin(Listed):
    """What moved in can be read again, by nobody changed."""

    list_display = ("imported_at", "kind", "came", "left_out")
    fields = ("imported_at", "kind", "told")
    readonly_fields = fields

    @admin.display(description=_("came"))
    def came(self, row: Import) -> int:
        return sum(row.report.get("came", {}).values())

    @admin.display(description=_("did not come"))
    def left_out(self, row: Import) -> int:
        return sum(line.get("count", 1) for line in row.report.get("leftOut", ()))

    @admin.display(description=_("report"))
    def told(self, row: Import) -> SafeString:
        return format_html_join(
            "",
            '<h3>{}</h3><ul class="report">{}</ul>',
            (
                (heading, format_html_join("", "<li>{}</li>", ((line,) for line in lines)))
                for heading, lines in row.sections
            ),
        ) or format_html("–")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Import | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Import | None = None) -> bool:
        return False
