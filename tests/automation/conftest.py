"""Installations that are declared in a file."""

from pathlib import Path

import pytest


@pytest.fixture
def file(db: None, tmp_path: Path):
    """Write a file and apply it: the changes as they are told."""
    from pocketid import declared

    def apply(text: str, *, dry_run: bool = False) -> list[str]:
        path = tmp_path / "server.yaml"
        path.write_text(text, encoding="utf-8")
        return [str(change) for change in declared.apply(path, dry_run=dry_run)]

    apply.folder = tmp_path
    return apply
