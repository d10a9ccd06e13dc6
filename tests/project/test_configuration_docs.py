"""``docs/configuration.md`` and the README say what ``pocketid.env`` does."""

import re
from dataclasses import fields
from pathlib import Path

from pocketid import env

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def rows(text: str) -> dict[str, list[str]]:
    """The rows of all tables whose first cell is the name of a variable: the other cells by name."""
    found = re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \|(.*)\|$", text, re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split(" |")] for name, rest in found}


def section(title: str) -> str:
    return CONFIGURATION.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def shown(default: object) -> str:
    """A default as the table shows it."""
    if default in ("", None, ()):
        return "empty"
    if isinstance(default, tuple):
        return f"`{','.join(default)}`"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def test_every_variable_is_described_with_its_default() -> None:
    expected = {
        each.name.upper(): [shown(each.default), "yes" if each.metadata["file"] else "", each.metadata["description"]]
        for each in fields(env.Environment)
    }
    assert rows(section("Variables")) == expected


def test_settings_that_variables_fix_are_described() -> None:
    described = rows(section("Settings as variables"))
    assert {name for name in env.SETTINGS if not name.startswith("LDAP_")} == {*described, "CIMD_URL_ALLOWLIST"}


def test_every_variable_that_stops_the_start_is_listed_with_what_to_do_instead() -> None:
    assert rows(section("Variables that stop the start")) == {
        name: [advice] for name, advice in env.UNSUPPORTED.items()
    }


def test_the_readme_names_only_variables_that_exist() -> None:
    known = {each.name.upper() for each in fields(env.Environment)}
    assert set(rows(README)) <= known
    assert len(rows(README)) >= 5
