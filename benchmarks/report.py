"""The tables: what was measured, and how it stands to the goals of ``performance.md``."""

from collections.abc import Iterator

from benchmarks.measure import Cell, Result

# Least share of the constant view's CPU, on SQLite.
SHARES = {
    "code": 0.10,
    "code_es256": 0.14,
    "refresh": 0.11,
    "userinfo": 0.55,
    "authorize": 0.22,
    "discovery": 0.85,
    "introspect": 0.45,
    "client_credentials": 0.16,
}
WRITTEN_KIB, IDLE_MIB, START_SECONDS, TAIL = 60.0, 110.0, 1.0, 3.0
QUIET = 0.10  # of the machine's CPU for others: above it latencies say little about us


def tables(result: Result) -> str:
    return "\n".join((*_works(result), "", *_also(result), "", *_process(result), "", *_goals(result)))


def failures(result: Result) -> int:
    """How many requests went wrong, whatever the figures are."""
    return sum(sum(cell.errors.values()) for cell in _everything(result))


def _everything(result: Result) -> Iterator[Cell]:
    yield from result.cells.values()
    for cells in result.also.values():
        yield from cells


def _works(result: Result) -> Iterator[str]:
    yield f"### {result.database}, {result.server}, 8 connections\n"
    yield "| work | CPU µs | of const | of bare | requests/s | p50 ms | p99 ms | p99/p50 | reads + writes | signatures | KiB written | others' CPU | errors |"
    yield "|---|" + "--:|" * 12
    for name, cell in result.cells.items():
        reads, writes, signatures = result.counts[name]
        yield _row(
            name,
            f"{cell.cpu * 1e6:.0f}",
            f"{_share(result, name, 'const'):.2f}",
            f"{_share(result, name, 'bare'):.2f}",
            f"{cell.rate:.0f}",
            f"{cell.p50 * 1000:.1f}",
            f"{cell.p99 * 1000:.1f}",
            f"{_tail(cell):.1f}",
            f"{reads} + {writes}",
            str(signatures),
            f"{cell.written / 1024:.1f}",
            f"{cell.others:.0%}",
            _errors(cell),
        )


def _also(result: Result) -> Iterator[str]:
    yield "| work | connections | CPU µs | requests/s | p50 ms | p99 ms | errors |"
    yield "|---|" + "--:|" * 6
    for name, cells in result.also.items():
        for cell in cells:
            yield _row(
                name,
                str(cell.connections),
                f"{cell.cpu * 1e6:.0f}",
                f"{cell.rate:.0f}",
                f"{cell.p50 * 1000:.1f}",
                f"{cell.p99 * 1000:.1f}",
                _errors(cell),
            )


def _process(result: Result) -> Iterator[str]:
    yield f"Memory (PSS, without PostgreSQL): {result.idle_memory:.0f} MiB idle, {result.loaded_memory:.0f} MiB after the load."
    yield f"Start to first answer: {result.start:.2f} s on an existing database, {result.first_start:.2f} s on an empty one (and uncompiled)."


def _goals(result: Result) -> Iterator[str]:
    yield "| goal (set for SQLite) | wanted | measured | |"
    yield "|---|--:|--:|---|"
    for name, least in SHARES.items():
        if name in result.cells:
            share = _share(result, name, "const")
            # An error is cheaper than an answer: a cell with errors says nothing about the work.
            verdict = "not judged: errors" if result.cells[name].errors else _verdict(share >= least)
            yield _row(f"{name}, share of the constant view's CPU", f"≥ {least:.2f}", f"{share:.2f}", verdict)
    if code := result.cells.get("code"):
        written = code.written / 1024
        yield _row(
            "KiB written per code exchange", f"≤ {WRITTEN_KIB:.0f}", f"{written:.1f}", _verdict(written <= WRITTEN_KIB)
        )
    yield _row(
        "MiB PSS idle, two workers",
        f"≤ {IDLE_MIB:.0f}",
        f"{result.idle_memory:.0f}",
        _verdict(result.idle_memory <= IDLE_MIB),
    )
    yield _row(
        "seconds from start to first answer",
        f"≤ {START_SECONDS}",
        f"{result.start:.2f}",
        _verdict(result.start <= START_SECONDS),
    )
    tails = {name: _tail(cell) for name, cell in result.cells.items() if name in SHARES}
    if tails:
        name = max(tails, key=lambda each: tails[each])
        noise = max(result.cells[each].others for each in tails)
        note = "" if noise <= QUIET else f", but others used {noise:.0%} of the machine"
        yield _row(
            f"p99 / p50, worst ({name})", f"≤ {TAIL:.0f}", f"{tails[name]:.1f}", _verdict(tails[name] <= TAIL) + note
        )
    wrong = failures(result)
    yield _row("errors at 1, 8 and 32 connections", "0", str(wrong), _verdict(wrong == 0))


def _row(*columns: str) -> str:
    return "| " + " | ".join(columns) + " |"


def _share(result: Result, name: str, reference: str) -> float:
    cpu = result.cells[name].cpu
    return result.cells[reference].cpu / cpu if cpu else 0.0


def _tail(cell: Cell) -> float:
    return cell.p99 / cell.p50 if cell.p50 else 0.0


def _errors(cell: Cell) -> str:
    return ", ".join(f"{number} × {kind}" for kind, number in cell.errors.items()) or "0"


def _verdict(good: bool) -> str:
    return "pass" if good else "**miss**"
