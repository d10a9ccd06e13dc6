"""Refusals of an export or an import; their text is what the operator reads."""


class CannotMove(Exception):
    """Nothing was written, and the sentence says what to do."""
