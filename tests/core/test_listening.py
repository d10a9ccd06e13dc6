"""HOST and PORT are tried before anything else: what cannot be listened on is one line, and nothing was made."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pocketid import env, listening
from tests.support.server import ROOT, free_port


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("::1", "::1")],
)
def test_a_name_is_looked_up_and_an_address_stays(host: str, address: str) -> None:
    assert listening.address(env.load({"HOST": host, "PORT": str(free_port())})) == address


@pytest.mark.parametrize("host", ["nowhere.invalid", "999.1.1.1", "127.0.0.1:80", " ", "a" * 70 + ".example"])
def test_what_is_no_address_is_named(host: str) -> None:
    with pytest.raises(listening.CannotListen, match=r"HOST is '.*', which is no address; allowed is ") as refused:
        listening.address(env.load({"HOST": host}))
    assert "\n" not in str(refused.value)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(
        listening.CannotListen, match=r"HOST is '192\.0\.2\.1' and PORT is \d+, which cannot be listened on"
    ):
        listening.address(env.load({"HOST": "192.0.2.1", "PORT": str(free_port())}))


@pytest.mark.parametrize("server", ["gunicorn", "granian"])
def test_a_port_that_somebody_has_stops_the_start_before_anything_is_made(server: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = subprocess.run(
            [sys.executable, "-m", "pocketid.cli", "serve"],
            cwd=ROOT,
            env={
                "PATH": "/usr/bin",
                "SERVER": server,
                "HOST": "127.0.0.1",
                "PORT": str(port),
                "DATA_PATH": str(tmp_path / "data"),
            },
            capture_output=True,
            text=True,
        )
    assert found.returncode == 1
    assert found.stdout == ""
    [line] = found.stderr.splitlines()
    assert line.startswith(
        f"pocketid cannot start: HOST is '127.0.0.1' and PORT is {port}, which cannot be listened on (Address already in use);"
    )
    assert not (tmp_path / "data").exists()
