"""The page of tested clients tells the versions that are installed."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_names_the_locked_version_of_each_library() -> None:
    page = (ROOT / "docs/tested-clients.md").read_text()
    named = dict(re.findall(r"^\| ([\w@./-]+) \| ([\d.]+) \|", page, re.MULTILINE))
    assert len(named) >= 7
    locked = dict(re.findall(r"^([\w-]+)==([\d.]+)", (ROOT / "requirements/test.txt").read_text(), re.MULTILINE))
    packages = json.loads((ROOT / "tests/relying_parties/node/package-lock.json").read_text())["packages"]
    locked |= {path.removeprefix("node_modules/"): facts.get("version", "") for path, facts in packages.items()}
    modules = (ROOT / "tests/relying_parties/go/go.mod").read_text()
    locked |= dict(re.findall(r"^\s+(\S+) v([\d.]+)$", modules, re.MULTILINE))
    assert named == {name: locked[name.lower()] for name in named}
