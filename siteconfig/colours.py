"""Colours as people write them."""

import re

from PIL import ImageColor


class NotAColour(ValueError):
    """The text is no colour that every browser of the last years shows."""


def as_hex(text: str) -> str:
    """``#rrggbb`` of a CSS colour (hexadecimal, ``rgb()``, ``hsl()`` or a name); ``""`` for ``default``."""
    if text in ("", "default"):
        return ""
    if re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        return text.lower()
    try:
        red, green, blue = ImageColor.getrgb(text)[:3]
    except ValueError:
        raise NotAColour(text) from None
    return f"#{red:02x}{green:02x}{blue:02x}"
