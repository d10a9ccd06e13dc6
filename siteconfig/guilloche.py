"""The installation's own guilloche: the engraved lines beside the form, as on a banknote."""

import hashlib
from functools import lru_cache
from math import cos, pi, sin

# Each lobe is this many cubic curves: fewer are visibly not r(t), more only make the file longer.
PIECES_PER_LOBE = 4


@lru_cache(maxsize=8)
def svg(seed: str) -> str:
    """Draw the pattern that belongs to ``seed``: an ``<svg>`` element in ``currentColor``, under 8 kB.

    The lobe counts of the rings come from a SHA-256 of the seed, so people learn what *their* sign-in page looks
    like. Rings are closed curves r(t) = a + b sin(n t), repeated with small rotations; behind them run wavy lines.
    Nothing of the seed itself appears in the result.
    """
    digest = hashlib.sha256(seed.encode()).digest()
    # A ring turned through a whole lobe has a round edge, one turned through half a lobe a scalloped one.
    inner_turn, outer_turn = ((0.5, 1.0), (1.0, 0.5), (0.5, 0.5), (0.75, 1.0))[digest[0] % 4]
    rings = [
        _ring("guilloche-inner", a=152, b=46 + digest[1] % 13, lobes=7 + digest[2] % 9, copies=16, turn=inner_turn),
        _ring("guilloche-outer", a=272, b=28 + digest[3] % 11, lobes=16 + digest[4] % 13, copies=12, turn=outer_turn),
    ]
    if digest[5] % 3:
        rings.append(
            _ring("guilloche-heart", a=46, b=16 + digest[6] % 11, lobes=3 + digest[7] % 5, copies=10, turn=1.0)
        )
    # Two drawings in one: the waves fill whatever room there is, the rings stay whole.
    return (
        '<svg class="guilloche" xmlns="http://www.w3.org/2000/svg" aria-hidden="true" focusable="false" fill="none" stroke="currentColor" stroke-width=".8">'
        f'<svg viewBox="-400 -400 800 800" preserveAspectRatio="xMidYMid slice">{_waves(lean=digest[8] % 2 * 2 - 1)}</svg>'
        f'<svg viewBox="-360 -360 720 720">{"".join(rings)}</svg>'
        "</svg>"
    )


def _ring(name: str, *, a: float, b: float, lobes: int, copies: int, turn: float) -> str:
    step = 360 / lobes * turn / copies
    repeats = "".join(f'<use href="#{name}" transform="rotate({step * copy:.2f})"/>' for copy in range(1, copies))
    return f'<g opacity=".5"><path id="{name}" d="{_closed_curve(a, b, lobes)}"/>{repeats}</g>'


def _closed_curve(a: float, b: float, lobes: int) -> str:
    """r(t) = a + b sin(lobes t) as relative cubic curves whose ends and tangents are exact (Hermite form)."""
    pieces = lobes * PIECES_PER_LOBE
    step = 2 * pi / pieces
    path = [f"M{_number(a)} 0"]
    # Rounded positions are carried along: errors of rounding do not add up, and the curve closes.
    at_x, at_y = round(a, 1), 0.0
    for index in range(pieces):
        start, end = _point(a, b, lobes, index * step), _point(a, b, lobes, (index + 1) * step)
        points = [
            (start[0] + start[2] * step / 3, start[1] + start[3] * step / 3),
            (end[0] - end[2] * step / 3, end[1] - end[3] * step / 3),
            (end[0], end[1]),
        ]
        relative = [(round(x - at_x, 1), round(y - at_y, 1)) for x, y in points]
        # After the first piece "s" mirrors the handle before it, which is the same tangent.
        handles = relative if index == 0 else relative[1:]
        path.append(_joined("s" if index else "c", [number for pair in handles for number in pair]))
        at_x, at_y = round(at_x + relative[2][0], 1), round(at_y + relative[2][1], 1)
    return "".join(path) + "z"


def _point(a: float, b: float, lobes: int, t: float) -> tuple[float, float, float, float]:
    """The place at ``t`` and the speed there: x, y, dx/dt, dy/dt."""
    radius, growth = a + b * sin(lobes * t), b * lobes * cos(lobes * t)
    return radius * cos(t), radius * sin(t), growth * cos(t) - radius * sin(t), growth * sin(t) + radius * cos(t)


def _waves(*, lean: int) -> str:
    """Sixty-four lines: eight whose phase and height run through one period, eight times."""
    lines = "".join(
        f'<path d="M{lean * row * 15 - 560} {row * 13 - 410}q30 {_number(-9 - 5 * sin(row * pi / 4))} 60 0{"t60 0" * 18}"/>'
        for row in range(8)
    )
    repeats = "".join(f'<use href="#guilloche-waves" y="{copy * 104}"/>' for copy in range(1, 8))
    return f'<g opacity=".3"><g id="guilloche-waves">{lines}</g>{repeats}</g>'


def _joined(command: str, numbers: list[float]) -> str:
    """Path data without needless spaces: a minus sign separates too."""
    text = command
    for index, number in enumerate(numbers):
        shown = _number(number)
        text += shown if index == 0 or shown.startswith("-") else f" {shown}"
    return text


def _number(value: float) -> str:
    text = f"{value:.1f}".removesuffix(".0")
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text
