"""What goes into the container image: every app, and nothing that is a secret or a person's."""

import tomllib
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
APPS = {*settings.LAYERS, "pocketid"}


def allowed() -> set[str]:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines  # everything stays out that is not named
    return {line.removeprefix("!") for line in lines if line.startswith("!")}


def test_the_image_holds_every_app_and_what_it_reads() -> None:
    assert allowed() >= {*APPS, "requirements", "static", "templates", "manage.py", "pyproject.toml"}


def test_no_data_and_no_key_gets_into_the_image() -> None:
    assert allowed().isdisjoint({"data", "secrets", ".git", ".venv", "tests", ".env"})


def test_every_app_is_a_package_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(project["tool"]["setuptools"]["packages"]) == APPS
    assert set(project["tool"]["mypy"]["packages"]) == APPS
