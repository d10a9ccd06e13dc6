"""One server on one database, measured from its first start to its last answer."""

import os
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import load, postgres, processes
from benchmarks.server import Server
from benchmarks.works import Work, works

ROUNDS = 5  # on a busy machine the least of five is steadier than one long cell
STARTS = 5
WARM_UP = 0.3  # seconds
CONNECTIONS = 8
ALSO = (1, 32)  # connections of the short extra cells
MOST_CODES_PER_SECOND = 1100


@dataclass(frozen=True)
class Cell:
    """One work at one number of connections. Times are in seconds; ``others`` is the share of the machine that neither
    the server nor the load generator used, ``cpu`` and ``written`` are per request, PostgreSQL's included."""

    connections: int
    answers: int
    rate: float
    cpu: float
    written: float
    p50: float
    p99: float
    others: float
    errors: dict[str, int]


@dataclass
class Result:
    database: str
    server: str
    cells: dict[str, Cell] = field(default_factory=dict)  # the round that cost least CPU, with the errors of all
    also: dict[str, list[Cell]] = field(default_factory=dict)
    counts: dict[str, list[int]] = field(default_factory=dict)
    first_start: float = 0.0
    start: float = 0.0
    idle_memory: float = 0.0
    loaded_memory: float = 0.0


def measure(
    *, database: str, server: str, seconds: float, only: Sequence[str], quick: bool, variables: Mapping[str, str]
) -> Result:
    result = Result(database, server)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pocketid-bench-")))
        roots, connection_string = [], ""
        if database == "postgresql":
            connection_string, postmaster = stack.enter_context(postgres.running())
            roots.append(postmaster)
        subject = Server(folder, name=server, database=connection_string, variables=variables)
        stack.callback(subject.stop)

        result.first_start = subject.start()
        rounds = 1 if quick else ROUNDS
        spent = rounds * (seconds + WARM_UP) + len(ALSO) * (seconds / 2 + WARM_UP)
        filled = subject.ask("benchmarks.fill", str(int(spent * MOST_CODES_PER_SECOND)))
        subject.stop()
        starts = []
        for number in range(1 if quick else STARTS):
            if number:
                subject.stop()
            starts.append(subject.start())
        result.start = statistics.median(starts)
        roots.append(subject.pid)
        result.counts = subject.ask("benchmarks.count", given=filled)
        time.sleep(0.5)
        result.idle_memory = processes.proportional_memory(subject.pid)

        chosen = [work for work in works(filled, subject.port) if not only or work.name in {"bare", "const", *only}]
        _drive_all(result, chosen, subject, roots, seconds=seconds, rounds=rounds)
        result.loaded_memory = processes.proportional_memory(subject.pid)
    return result


def _drive_all(
    result: Result, chosen: list[Work], subject: Server, roots: list[int], *, seconds: float, rounds: int
) -> None:
    mine = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {mine[-1]})  # the server has the first core
    try:
        # Round by round, so that a noisy moment of the machine meets every work alike.
        kept: dict[str, list[Cell]] = {work.name: [] for work in chosen}
        for _ in range(rounds):
            for work in chosen:
                kept[work.name].append(_cell(work, subject.port, roots, connections=CONNECTIONS, seconds=seconds))
        for name, cells in kept.items():
            result.cells[name] = _least(cells)
        for work in chosen:
            result.also[work.name] = [
                _cell(work, subject.port, roots, connections=connections, seconds=seconds / 2) for connections in ALSO
            ]
    finally:
        os.sched_setaffinity(0, mine)


def _cell(work: Work, port: int, roots: list[int], *, connections: int, seconds: float) -> Cell:
    load.drive(work, port=port, connections=connections, seconds=WARM_UP)
    before, everybody, own = processes.usage(*roots), processes.machine_cpu(), time.process_time()
    driven = load.drive(work, port=port, connections=connections, seconds=seconds)
    used = processes.usage(*roots) - before
    others = processes.machine_cpu() - everybody - (time.process_time() - own) - used.cpu
    latencies = sorted(driven.latencies) or [0.0]
    answers = max(driven.answers, 1)
    return Cell(
        connections=connections,
        answers=driven.answers,
        rate=driven.answers / driven.seconds,
        cpu=used.cpu / answers,
        written=used.written / answers,
        p50=latencies[len(latencies) // 2],
        p99=latencies[int(len(latencies) * 0.99)],
        others=max(others, 0.0) / driven.seconds / (os.cpu_count() or 1),
        errors=dict(driven.errors),
    )


def _least(cells: list[Cell]) -> Cell:
    """The round that cost least CPU: what disturbs can only add."""
    best = min(cells, key=lambda cell: cell.cpu)
    errors: dict[str, int] = {}
    for cell in cells:
        for kind, number in cell.errors.items():
            errors[kind] = errors.get(kind, 0) + number
    return Cell(**{**vars(best), "errors": errors})


def as_json(result: Result) -> dict[str, Any]:
    cells = {name: vars(cell) for name, cell in result.cells.items()}
    also = {name: [vars(cell) for cell in found] for name, found in result.also.items()}
    return vars(result) | {"cells": cells, "also": also}
