"""The command ``pocketid apply`` against the data of a server: what it prints, and with which exit status it ends."""

import shutil
import sqlite3
from pathlib import Path

from tests.automation.installation import Installation
from tests.support.server import ROOT


def rows(installation: Installation) -> list[str]:
    """Everything in the database, as text."""
    with sqlite3.connect(installation.folder / "data" / "pocketid.sqlite3") as database:
        return list(database.iterdump())


def test_it_is_applied_once_and_drift_is_noticed(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    file = tmp_path / "pocketid.yaml"
    shutil.copy(ROOT / "examples/pocketid.yaml", file)

    planned = installation.run("apply", file, "--dry-run")
    assert planned.returncode == 2, planned.stderr
    assert planned.stdout.endswith("Would make 8 and change 1. Nothing was changed.\n")
    assert "ACCOUNT_CREATED" not in planned.stderr
    empty = rows(installation)

    done = installation.run("apply", file)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:-1] == planned.stdout.splitlines()[:-1]
    assert done.stdout.endswith("Made 8 and changed 1.\n")
    secret = (tmp_path / "wiki-secret").read_text().strip()
    assert secret not in done.stdout + done.stderr
    applied = rows(installation)
    assert applied != empty

    for arguments in ((), ("--dry-run",)):
        again = installation.run("apply", file, *arguments)
        assert (again.returncode, again.stdout) == (0, "Everything is as declared.\n")
    assert rows(installation) == applied

    file.write_text(
        file.read_text()
        .replace("appName: Example ID", "appName: Another")
        .replace("  - name: family", "  - nam: family")
    )
    refused = installation.run("apply", file)
    assert (refused.returncode, refused.stdout) == (1, "")
    line = next(number for number, text in enumerate(file.read_text().splitlines(), 1) if "nam: family" in text)
    assert f"pocketid: {file}:{line}: a group needs a name" in refused.stderr
    assert rows(installation) == applied

    for arguments in ((tmp_path / "nowhere.yaml",), (tmp_path,), (), (file, "--nonsense")):
        wrong = installation.run("apply", *arguments)
        assert (wrong.returncode, wrong.stdout) == (1, "")
        assert wrong.stderr
