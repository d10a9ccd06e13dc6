"""The lock files: complete, hashed, free of addresses, and in step with ``pyproject.toml``."""

import re
import tomllib
from importlib.metadata import distributions, metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("base", "granian", "test", "build")
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?==(?P<version>[^ ;\\]+)", re.MULTILINE)


def text(lock: str) -> str:
    return (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")


def pins(lock: str) -> dict[str, str]:
    """Version of each distribution; with markers there may be several, of which the last counts here."""
    return {canonicalize_name(pin["name"]): pin["version"] for pin in PIN.finditer(text(lock))}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def unpinned(wanted: list[str], lock: str) -> list[str]:
    """The requirements that the lock file does not fulfil."""
    known = pins(lock)
    return [
        str(each)
        for each in map(Requirement, wanted)
        if not each.specifier.contains(known.get(canonicalize_name(each.name), "0"), prereleases=False)
        or canonicalize_name(each.name) not in known
    ]


def test_what_the_server_needs_is_pinned() -> None:
    assert unpinned(project()["project"]["dependencies"], "base") == []


@pytest.mark.parametrize("extra", project()["project"]["optional-dependencies"])
def test_what_an_extra_needs_is_pinned(extra: str) -> None:
    assert unpinned(project()["project"]["optional-dependencies"][extra], extra) == []


def test_what_the_tests_need_is_pinned() -> None:
    extras = [wanted for extra in project()["project"]["optional-dependencies"].values() for wanted in extra]
    assert unpinned([*project()["dependency-groups"]["test"], *extras], "test") == []


def test_what_builds_the_project_is_pinned() -> None:
    assert unpinned(project()["build-system"]["requires"], "build") == []


@pytest.mark.parametrize("lock", ["granian", "test"])
def test_every_lock_file_names_the_same_versions(lock: str) -> None:
    assert {name: pins(lock).get(name) for name in pins("base")} == pins("base")


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_file_says_where_to_download_from(lock: str) -> None:
    assert re.findall(r"https?:|file:|git\+|--(?:extra-)?index-url|--find-links|^-i\b", text(lock), re.MULTILINE) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_has_hashes(lock: str) -> None:
    blocks = re.split(r"\n(?=[^\s#])", text(lock))
    assert all(PIN.match(block) for block in blocks)
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_the_other_package_that_installs_webauthn_is_not_locked(lock: str) -> None:
    assert "py-webauthn" not in pins(lock)


def test_the_installed_webauthn_is_the_one_we_read() -> None:
    installed = {canonicalize_name(each.metadata["Name"]) for each in distributions()}
    assert "py-webauthn" not in installed
    assert "Duo" in str(metadata("webauthn"))
