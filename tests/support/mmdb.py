"""Writes small databases of places in the MaxMind DB format 2.0, whose readers are other people's."""

import ipaddress
from collections.abc import Mapping

MARKER = b"\xab\xcd\xefMaxMind.com"
STRING, UINT16, UINT32, MAP, UINT64, ARRAY = 2, 5, 6, 7, 9, 11


def database(places: Mapping[str, tuple[str, str]]) -> bytes:
    """A file that knows these networks, IPv4 or IPv6: country and city of each, in English; empty texts are left out."""
    data, records, offsets = b"", {}, {}
    for network, (country, city) in places.items():
        names = {
            part: {"names": {"en": name, "de": "?"}} for part, name in (("country", country), ("city", city)) if name
        }
        offsets[network] = len(data)
        data += _encoded(names)
    nodes: list[list[int | None]] = [[None, None]]
    for network, offset in offsets.items():
        bits = _bits(network)
        node = 0
        for bit in bits[:-1]:
            following = nodes[node][bit]
            if following is None:
                nodes.append([None, None])
                nodes[node][bit] = following = len(nodes) - 1
            node = following
        records[node, bits[-1]] = offset
    count = len(nodes)
    tree = b""
    for number, pair in enumerate(nodes):
        for side, following in enumerate(pair):
            offset = records.get((number, side))
            value = count if following is None else following
            tree += (value if offset is None else count + 16 + offset).to_bytes(3, "big")
    facts = {
        "node_count": (UINT32, count),
        "record_size": (UINT16, 24),
        "ip_version": (UINT16, 6),
        "database_type": "GeoLite2-City",
        "languages": ["en", "de"],
        "binary_format_major_version": (UINT16, 2),
        "binary_format_minor_version": (UINT16, 0),
        "build_epoch": (UINT64, 1_700_000_000),
        "description": {"en": "Places for tests"},
    }
    return tree + bytes(16) + data + MARKER + _encoded(facts)


def _bits(network: str) -> list[int]:
    """From the root: IPv4 lies below ``::/96``."""
    parsed = ipaddress.ip_network(network)
    before = 96 if parsed.version == 4 else 0
    text = format(int(parsed.network_address), f"0{parsed.max_prefixlen}b")
    return [0] * before + [int(bit) for bit in text[: parsed.prefixlen]]


def _encoded(value: object) -> bytes:
    match value:
        case str():
            content = value.encode()
            return _control(STRING, len(content)) + content
        case (int() as kind, int() as number):
            content = number.to_bytes(8, "big").lstrip(b"\0")
            return _control(kind, len(content)) + content
        case dict():
            return _control(MAP, len(value)) + b"".join(_encoded(key) + _encoded(part) for key, part in value.items())
        case list():
            return _control(ARRAY, len(value)) + b"".join(_encoded(part) for part in value)
    raise TypeError(type(value))


def _control(kind: int, size: int) -> bytes:
    length, rest = (size, b"") if size < 29 else (29, bytes([size - 29]))
    return bytes([kind << 5 | length]) + rest if kind < 8 else bytes([length, kind - 7]) + rest
