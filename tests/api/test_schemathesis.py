"""The real server, held to its own OpenAPI document by schemathesis with every check on.

The examples are the same every time. To look for new ones against a server of your own, with limits off:
``POCKETID_URL=… POCKETID_API_KEY=… schemathesis --config-file tests/api/schemathesis/schemathesis.toml run $POCKETID_URL/api/schema -n 200``.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.server import ROOT, Server

KEY = "a-static-key-of-the-tests"
CONFIGURATION = Path(__file__).parent / "schemathesis/schemathesis.toml"
LONGEST = 900  # seconds; a minute on a machine that has nothing else to do


def test_the_server_does_what_its_document_says(tmp_path: Path) -> None:
    """No 500, no status and no member that is not documented, no valid request refused, no invalid one taken."""
    with Server(environment={"STATIC_API_KEY": KEY, "DISABLE_RATE_LIMITING": "true"}) as server:
        command = [Path(sys.executable).parent / "schemathesis", "--config-file", CONFIGURATION, "run"]
        done = subprocess.run(
            [*command, "--checks", "all", "--no-color", f"{server.base_url}/api/schema"],
            cwd=tmp_path,  # where it keeps what it found
            env={**os.environ, "POCKETID_URL": server.base_url, "POCKETID_API_KEY": KEY, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=LONGEST,
        )
        report = done.stdout[-20_000:] + done.stderr[-2000:]
        assert done.returncode == 0, report
        assert "Traceback" not in server.log
    tested = re.search(r"Tested: (\d+)", done.stdout)
    selected = re.search(r"Selected: (\d+)/(\d+)", done.stdout)
    assert tested, report
    assert selected, report
    assert tested[1] == selected[1] == selected[2]
    for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
        assert f"✅ {phase}" in done.stdout, report
