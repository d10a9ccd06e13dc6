"""The contract with Pocket ID's clients: the probe asks a real server, and every difference needs a reason in deviations.txt."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import ROOT, Server

HERE = Path(__file__).parent
PROBE = Path(os.environ.get("CONTRACT_PROBE", ROOT.parent / "shared" / "contract-probe"))
# The areas of the contract that exist. What is missing inside them is in deviations.txt, each with its issue.
AREAS = ["global*", "well_known*", "cors*", "setup*", "passkey*", "session*"]


def test_every_difference_from_pocket_id_has_a_reason(tmp_path: Path) -> None:
    if not (PROBE / "probe.py").exists():
        pytest.skip(f"no contract probe at {PROBE}; set CONTRACT_PROBE")
    with Server(environment={"DISABLE_RATE_LIMITING": "true", "VERSION_CHECK_DISABLED": "true"}) as server:
        probe("run", "--base-url", server.base_url, "--out", str(tmp_path / "ours.json"), "--only", *AREAS)
        log = server.log
    allowed = tmp_path / "allowed.txt"
    allowed.write_text((PROBE / "allow-wording.txt").read_text() + (HERE / "deviations.txt").read_text())
    found = probe(
        "diff",
        str(PROBE / "pocket-id-2.14.json"),
        str(tmp_path / "ours.json"),
        "--allow",
        str(allowed),
        "--only",
        *AREAS,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert "Traceback" not in log, log[-4000:]


def test_every_deviation_says_why() -> None:
    for line in (HERE / "deviations.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            _case, _path, reason = line.split(None, 2)
            assert reason.strip(), line


def probe(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "probe.py", *arguments],
        cwd=PROBE,
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
