"""QR codes (ISO/IEC 18004) as SVG: byte mode, error correction level M, up to version 10, which is 213 bytes."""

from collections.abc import Callable, Iterator
from itertools import product

Matrix = list[list[bool]]
Cell = tuple[int, int]  # row, column

# By version: error correction codewords of a block, and how many data codewords each block has (table 9, level M).
BLOCKS: dict[int, tuple[int, list[int]]] = {
    1: (10, [16]),
    2: (16, [28]),
    3: (26, [44]),
    4: (18, [32, 32]),
    5: (24, [43, 43]),
    6: (16, [27] * 4),
    7: (18, [31] * 4),
    8: (22, [38, 38, 39, 39]),
    9: (22, [36, 36, 36, 37, 37]),
    10: (26, [43, 43, 43, 43, 44]),
}
# Where the centres of alignment patterns lie, in both directions (annex E).
ALIGNMENT = {1: [], 7: [6, 22, 38], 8: [6, 24, 42], 9: [6, 26, 46], 10: [6, 28, 50]} | {
    version: [6, 10 + 4 * version] for version in range(2, 7)
}
# Section 7.8.2; ``i`` is the row, ``j`` the column.
MASKS: list[Callable[[int, int], bool]] = [
    lambda i, j: (i + j) % 2 == 0,
    lambda i, _j: i % 2 == 0,
    lambda _i, j: j % 3 == 0,
    lambda i, j: (i + j) % 3 == 0,
    lambda i, j: (i // 2 + j // 3) % 2 == 0,
    lambda i, j: i * j % 2 + i * j % 3 == 0,
    lambda i, j: (i * j % 2 + i * j % 3) % 2 == 0,
    lambda i, j: ((i + j) % 2 + i * j % 3) % 2 == 0,
]
FINDER_LIKE = ([1, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0, 1, 1, 1, 0, 1])
QUIET = 4  # modules of white around it (section 9.1)


class TooLong(ValueError):
    """The text has more than 213 bytes."""


def svg(text: str) -> str:
    """An ``<svg>`` element with class ``qr``, black on nothing; raise ``TooLong``."""
    rows = matrix(text)
    side = len(rows) + 2 * QUIET
    path = "".join(
        f"M{column + QUIET} {row + QUIET}h1v1h-1z"
        for row, cells in enumerate(rows)
        for column in range(len(cells))
        if cells[column]
    )
    return f'<svg class="qr" viewBox="0 0 {side} {side}" shape-rendering="crispEdges" aria-hidden="true" focusable="false"><path d="{path}"/></svg>'


def matrix(text: str) -> Matrix:
    """The modules, ``True`` is dark, with the mask that is read most easily (section 7.8.3); raise ``TooLong``."""
    data = text.encode()
    version = _version(len(data))
    bits = _bits(_codewords(data, version))
    base, fixed = _patterns(version)
    tried = []
    for number, mask in enumerate(MASKS):
        rows = [list(row) for row in base]
        stream = iter(bits)
        for row, column in _path(len(rows), fixed):
            rows[row][column] = next(stream, False) != mask(row, column)
        _put_format(rows, number)
        tried.append(rows)
    return min(tried, key=_penalty)


def _version(length: int) -> int:
    for version, (_each, blocks) in BLOCKS.items():
        if length + (3 if version > 9 else 2) <= sum(blocks):
            return version
    raise TooLong


# Codewords


def _codewords(data: bytes, version: int) -> list[int]:
    """Data and error correction, interleaved (section 7.6)."""
    each, sizes = BLOCKS[version]
    room = sum(sizes)
    # The mode, the length, the text, the terminator (section 7.4).
    bits = "0100" + format(len(data), "016b" if version > 9 else "08b") + "".join(format(byte, "08b") for byte in data)
    bits += "0" * min(4, room * 8 - len(bits))
    bits += "0" * (-len(bits) % 8)
    codewords = [int(bits[place : place + 8], 2) for place in range(0, len(bits), 8)]
    codewords += [(0xEC, 0x11)[place % 2] for place in range(room - len(codewords))]
    blocks, start = [], 0
    for size in sizes:
        blocks.append(codewords[start : start + size])
        start += size
    corrections = [_correction(block, each) for block in blocks]
    found = [block[place] for place in range(max(sizes)) for block in blocks if place < len(block)]
    return found + [block[place] for place in range(each) for block in corrections]


def _correction(block: list[int], count: int) -> list[int]:
    """What is left of the block after division by the generator polynomial, in GF(256) (section 7.5.2)."""
    generator = [1]
    for power in range(count):
        longer = [*generator, 0]
        for place, factor in enumerate(generator):
            longer[place + 1] ^= _times(factor, EXP[power])
        generator = longer
    rest = [*block, *[0] * count]
    for place in range(len(block)):
        factor = rest[place]
        for offset, part in enumerate(generator):
            rest[place + offset] ^= _times(part, factor)
    return rest[len(block) :]


def _times(a: int, b: int) -> int:
    return EXP[(LOG[a] + LOG[b]) % 255] if a and b else 0


def _powers() -> tuple[list[int], dict[int, int]]:
    exp, value = [], 1
    for _power in range(255):
        exp.append(value)
        value <<= 1
        if value > 255:
            value ^= 0x11D
    return exp, {value: power for power, value in enumerate(exp)}


EXP, LOG = _powers()


def _bits(codewords: list[int]) -> list[bool]:
    return [bool(codeword >> shift & 1) for codeword in codewords for shift in range(7, -1, -1)]


# Modules


def _patterns(version: int) -> tuple[Matrix, set[Cell]]:
    """What is the same whatever the text, and which modules are taken by it or by the format."""
    side = 17 + 4 * version
    rows = [[False] * side for _row in range(side)]
    fixed: set[Cell] = set()

    def put(row: int, column: int, is_dark: bool) -> None:
        if 0 <= row < side and 0 <= column < side:
            rows[row][column] = is_dark
            fixed.add((row, column))

    for place in range(side):
        put(6, place, place % 2 == 0)
        put(place, 6, place % 2 == 0)
    for top, left in ((0, 0), (0, side - 7), (side - 7, 0)):
        for row, column in product(range(-1, 8), repeat=2):
            distance = max(abs(row - 3), abs(column - 3))
            put(top + row, left + column, distance not in (2, 4))
    last = side - 7
    for middle in product(ALIGNMENT[version], repeat=2):
        if middle in ((6, 6), (6, last), (last, 6)):
            continue
        for row, column in product(range(-2, 3), repeat=2):
            put(middle[0] + row, middle[1] + column, max(abs(row), abs(column)) != 1)
    for row, column in _format_places(side):
        put(row, column, False)
    put(side - 8, 8, True)
    if version >= 7:
        number = version << 12 | _remainder(version, 12, 0x1F25)
        for place in range(18):
            is_dark = bool(number >> place & 1)
            put(place // 3, side - 11 + place % 3, is_dark)
            put(side - 11 + place % 3, place // 3, is_dark)
    return rows, fixed


def _path(side: int, fixed: set[Cell]) -> Iterator[Cell]:
    """The modules in the order in which the codewords fill them (section 7.7.3)."""
    for number, right in enumerate(right for right in range(side - 1, 0, -1) if right % 2 == (0 if right > 6 else 1)):
        for step in range(side):
            row = side - 1 - step if number % 2 == 0 else step
            for column in (right, right - 1):
                if (row, column) not in fixed:
                    yield row, column


def _format_places(side: int) -> list[Cell]:
    """Both copies of the format, each from its last bit to its first (figure 25)."""
    beside = [(row, 8) for row in (0, 1, 2, 3, 4, 5, 7, 8)] + [(8, column) for column in (7, 5, 4, 3, 2, 1, 0)]
    apart = [(8, side - 1 - place) for place in range(8)] + [(side - 7 + place, 8) for place in range(7)]
    return beside + apart


def _put_format(rows: Matrix, mask: int) -> None:
    number = (mask << 10 | _remainder(mask, 10, 0x537)) ^ 0x5412  # level M is 00
    for place, (row, column) in enumerate(_format_places(len(rows))):
        rows[row][column] = bool(number >> place % 15 & 1)


def _remainder(value: int, bits: int, generator: int) -> int:
    value <<= bits
    for shift in range(value.bit_length() - generator.bit_length(), -1, -1):
        if value >> (shift + generator.bit_length() - 1) & 1:
            value ^= generator << shift
    return value


def _penalty(rows: Matrix) -> int:
    """How hard it is to read (section 7.8.3.1)."""
    side, total = len(rows), 0
    lines = [[int(cell) for cell in line] for line in (*rows, *zip(*rows, strict=True))]
    for line in lines:
        run, before = 0, -1
        for cell in [*line, -1]:
            if cell == before:
                run += 1
                continue
            total += run - 2 if run >= 5 else 0
            run, before = 1, cell
        total += 40 * sum(line[place : place + 11] in FINDER_LIKE for place in range(side - 10))
    for row, column in product(range(side - 1), repeat=2):
        same = rows[row][column]
        total += 3 * (same == rows[row][column + 1] == rows[row + 1][column] == rows[row + 1][column + 1])
    dark = sum(map(sum, rows)) * 100 / side**2
    return total + 10 * int(abs(dark - 50) / 5)
