"""Small readers, against their specifications: MessagePack, and JSON that is too large for memory."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moving.pocket_id import export, messagepack
from moving.pocket_id.rows import Row
from tests.migration.altered import packed

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.spec("MessagePack", "Formats")
@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("00", 0),
        ("7f", 127),
        ("ff", -1),
        ("e0", -32),
        ("c0", None),
        ("c2", False),
        ("c3", True),
        ("cc80", 128),
        ("cd0100", 256),
        ("ce00010000", 65536),
        ("cf0000000100000000", 1 << 32),
        ("d080", -128),
        ("d1ff7f", -129),
        ("d3ffffffff00000000", -(1 << 32)),
        ("cb3ff8000000000000", 1.5),
        ("a3616263", "abc"),
        ("d903616263", "abc"),
        ("da0003616263", "abc"),
        ("c403010203", b"\1\2\3"),
        ("920102", [1, 2]),
        ("dc00020102", [1, 2]),
        ("81a16101", {"a": 1}),
        ("de0001a16101", {"a": 1}),
        ("d6ff00000001", datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
        ("d7ff0000000000000001", datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
        ("c70cff000003e80000000000000001", datetime(1970, 1, 1, 0, 0, 1, 1, tzinfo=UTC)),
    ],
)
def test_each_format_is_read(data: str, value: object) -> None:
    assert messagepack.unpack(bytes.fromhex(data)) == value


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    with suppress(messagepack.Malformed):
        list(messagepack.unpack_all(data))


@given(st.dictionaries(st.text(max_size=10), st.integers(-(2**40), 2**40) | st.text() | st.booleans() | st.none()))
def test_what_was_packed_is_read(value: dict) -> None:
    assert messagepack.unpack(packed(value)) == value


@given(
    tables=st.dictionaries(st.text(max_size=8), st.lists(JSON, max_size=5), max_size=4),
    chunk=st.integers(1, 7),
    indent=st.sampled_from([None, 1]),
)
def test_rows_are_the_same_however_the_file_is_cut(tables: dict, chunk: int, indent: int | None) -> None:
    document = json.dumps({"version": 12345, "tables": tables, "more": [1]}, indent=indent, ensure_ascii=False)
    whole, export._CHUNK = export._CHUNK, chunk
    try:
        stream, found = export.JsonStream(BytesIO(document.encode("utf-8", "surrogatepass"))), {}
        for name in stream.members():
            found[name] = (
                {table: [json.loads(text) for text in stream.texts()] for table in stream.members()}
                if name == "tables"
                else stream.value()
            )
        stream.end()
    except UnicodeDecodeError:
        return  # half a surrogate, which is no UTF-8
    finally:
        export._CHUNK = whole
    assert found == {"version": 12345, "tables": tables, "more": [1]}


@pytest.mark.parametrize(
    "written",
    [
        1795260178,
        "1795260178",
        "2026-11-21T11:22:58Z",
        "2026-11-21T12:22:58.000000001+01:00",
        datetime(2026, 11, 21, 11, 22, 58, tzinfo=UTC),
    ],
)
def test_each_way_of_writing_a_moment(written: object) -> None:
    assert Row("t", {"at": written}).moment("at") == datetime(2026, 11, 21, 11, 22, 58, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    ["openid email", '["openid","email"]', b'["openid","email"]', "WyJvcGVuaWQiLCJlbWFpbCJd", ["openid", "email"]],
)
def test_each_way_of_writing_scopes(written: object) -> None:
    assert Row("t", {"scope": written}).scopes("scope") == ["openid", "email"]
