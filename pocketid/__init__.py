"""Composition root: knows every app; no app knows it."""

__version__ = "0.1.0"
