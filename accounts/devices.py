"""A user agent in words people know; the audit log needs them too, so they are made there."""

from audit.devices import describe

__all__ = ("describe",)
