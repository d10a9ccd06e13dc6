"""Template filters of the console."""

from collections.abc import Iterable, Iterator
from typing import Any

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

register = template.Library()


@register.filter
def labelled(cells: Iterable[SafeString], headers: list[dict[str, Any]]) -> Iterator[SafeString]:
    """Each cell with the title of its column in ``data-label``: on a phone the rows are stacked, and the header is gone."""
    for cell, header in zip(cells, headers, strict=False):
        is_choice = "action-checkbox" in header.get("class_attrib", "")
        label = "" if is_choice else escape(capfirst(str(header["text"])))
        # The cells are Django's own markup, and begin with their tag.
        yield mark_safe(f'{cell[:3]} data-label="{label}"{cell[3:]}') if label else cell  # noqa: S308 - escaped above
