"""What a tree of processes has used so far, read from ``/proc``."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """CPU in seconds (user and system), bytes sent towards the disk; of all processes of a tree, also ended ones."""

    cpu: float
    written: int

    def __sub__(self, before: "Usage") -> "Usage":
        return Usage(self.cpu - before.cpu, self.written - before.written)


def tree(root: int) -> list[int]:
    """The process and all that descend from it."""
    found = [root]
    for pid in found:
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:  # it has just ended
                continue
    return found


def usage(*roots: int) -> Usage:
    cpu, written = 0.0, 0
    for pid in (pid for root in roots for pid in tree(root)):
        try:
            # After the command's name in brackets; 11 to 14 are utime, stime and those of ended children.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            io = Path(f"/proc/{pid}/io").read_text()
        except OSError:
            continue
        cpu += sum(map(int, fields[11:15])) / TICKS
        written += int(io.partition("\nwrite_bytes: ")[2].split()[0])
    return Usage(cpu, written)


def running_time(*roots: int) -> float:
    """CPU seconds of the threads that are there, to the nanosecond: for spans in which none ends."""
    found = 0
    for pid in (pid for root in roots for pid in tree(root)):
        for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                found += int(thread.read_text().split()[0])
            except OSError:
                continue
    return found / 1e9


def proportional_memory(*roots: int) -> float:
    """PSS in MiB: pages that processes share count once."""
    total = 0
    for pid in (pid for root in roots for pid in tree(root)):
        try:
            found = re.search(r"^Pss: +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        except OSError:
            continue
        total += int(found[1]) if found else 0
    return total / 1024


def machine_cpu() -> float:
    """CPU seconds that anybody on this machine has used."""
    user, nice, system, _idle, _wait, interrupts, soft, steal = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + interrupts + soft + steal) / TICKS
