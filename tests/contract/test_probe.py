"""The contract with Pocket ID's clients: the probe asks a real server, and every difference needs a reason in deviations.txt."""

import json
import os
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import ROOT, Server

HERE = Path(__file__).parent
PROBE = Path(os.environ.get("CONTRACT_PROBE", ROOT.parent / "shared" / "contract-probe"))
PEER = PROBE / "pocket-id-2.14.json"


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What this server answers to the whole probe."""
    if not (PROBE / "probe.py").exists():
        pytest.skip(f"no contract probe at {PROBE}; set CONTRACT_PROBE")
    document = tmp_path_factory.mktemp("probe") / "ours.json"
    key = "the static API key of the probe"
    settings = {"DISABLE_RATE_LIMITING": "true", "VERSION_CHECK_DISABLED": "true", "STATIC_API_KEY": key}
    with Server(environment=settings) as server:
        probe("run", "--base-url", server.base_url, "--api-key", key, "--out", str(document))
        _before, _word, trace = server.log.partition("Traceback")
    assert not trace, trace[:3000]
    return document


def test_every_difference_from_pocket_id_has_a_reason(ours: Path, tmp_path: Path) -> None:
    allowed = tmp_path / "allowed.txt"
    allowed.write_text((PROBE / "allow-wording.txt").read_text() + (HERE / "deviations.txt").read_text())
    found = probe("diff", str(PEER), str(ours), "--allow", str(allowed))
    assert found.returncode == 0, found.stdout + found.stderr


def test_every_reason_has_a_difference(ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An excuse that is needed no more would hide the next mistake."""
    monkeypatch.syspath_prepend(str(PROBE))
    from facts import flatten  # type: ignore[import-not-found] # the probe's own

    theirs, mine = cases(PEER), cases(ours)
    different = []
    for name in theirs | mine:
        one, other = dict(flatten(theirs.get(name, {}))), dict(flatten(mine.get(name, {})))
        different += [(name, path) for path in one | other if one.get(path, "<absent>") != other.get(path, "<absent>")]
    stale = [
        f"{case} {path}"
        for case, path, _reason in rules()
        if not any(fnmatch(n, case) and fnmatch(p, path) for n, p in different)
    ]
    assert not stale


def test_nothing_in_the_contract_breaks_the_server(ours: Path) -> None:
    broken = {
        name: fact
        for name, fact in cases(ours).items()
        if isinstance(fact, dict)
        and str(fact.get("status", "")).startswith("5")
        and fact.get("status") != cases(PEER).get(name, {}).get("status")
    }
    assert not broken


def test_every_deviation_says_why() -> None:
    for _case, _path, reason in rules():
        assert reason.strip()


def rules() -> list[list[str]]:
    lines = (HERE / "deviations.txt").read_text().splitlines()
    return [line.split(None, 2) for line in lines if line and not line.startswith("#")]


def cases(document: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(document.read_text())["cases"]
    return found


def probe(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(HERE / "ask.py"), *arguments]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "CONTRACT_PROBE": str(PROBE)}
    return subprocess.run(command, cwd=PROBE, capture_output=True, text=True, timeout=180, env=environment)
