"""The ``pocketid`` command as an operator types it: its own process, its own data directory."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.server import ROOT


class Installation:
    """``Installation(folder).run("version")``. Nothing of the caller's environment but the search path is handed on."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "DATA_PATH": str(folder / "data"),
            "LANG": "C.UTF-8",
            "APP_URL": "http://localhost:1411",
        } | environment

    def run(self, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pocketid.cli", *map(str, arguments)],
            cwd=ROOT,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
