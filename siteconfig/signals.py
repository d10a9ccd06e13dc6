"""What higher apps may listen to; sent once, after the write is done."""

from django.dispatch import Signal

settings_changed = Signal()  # request: HttpRequest | None, names: list[str], as REST clients call them
image_changed = Signal()  # request: HttpRequest | None, name: str
