"""``python -m tests.support.clock 2026-11-21T11:25:00Z serve``: the command with another time of day, which goes on from there."""

import sys
from datetime import datetime

import time_machine

from pocketid import cli

if __name__ == "__main__":
    time_machine.travel(datetime.fromisoformat(sys.argv[1]), tick=True).start()
    sys.exit(cli.main(sys.argv[2:]))
