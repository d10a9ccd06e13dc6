"""What cannot be imported is refused with a sentence that says what to do, and nothing has come."""

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from moving.errors import CannotMove
from moving.pocket_id import export
from oidc.models import Client
from tests.migration.altered import Tables, altered, encoded
from tests.migration.crowd import crowd
from tests.migration.former import Former
from tests.support.server import ROOT, Server, migrated_database

OLD, NEW = Former("2.9"), Former("2.14")


@pytest.mark.postgres
def test_a_server_in_use_is_left_as_it_is(take) -> None:
    Client.objects.create(name="Ours", redirect_uris="https://ours.example.org")
    with pytest.raises(CannotMove, match="use --merge"):
        take(NEW.export, NEW)
    assert Client.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.parametrize("keys", [("a wrong key of the right length....",), ()], ids=("wrong", "none"))
def test_without_the_right_key_nothing_comes(take, nothing_came, keys: tuple[str, ...]) -> None:
    with pytest.raises(CannotMove, match="--encryption-key-file"):
        take(NEW.export, NEW, keys=keys)
    assert nothing_came()


@pytest.mark.parametrize(
    ("version", "advice"), [(2030_01_01_00_00_00, "newer pocketid"), (2024_01_01_00_00_00, "newest Pocket ID 2")]
)
def test_tables_of_an_unknown_time_are_refused(take, nothing_came, tmp_path: Path, version: int, advice: str) -> None:
    with pytest.raises(CannotMove, match=advice):
        take(altered(NEW, tmp_path / "e.zip", version=version), NEW)
    assert nothing_came()


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.9, 0.99, 0.9999])
def test_a_file_that_was_cut_off_is_refused(take, nothing_came, tmp_path: Path, share: float) -> None:
    whole = NEW.export.read_bytes()
    (tmp_path / "e.zip").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(CannotMove):
        take(tmp_path / "e.zip", NEW)
    assert nothing_came()


@pytest.mark.parametrize("place", range(400, 16_000, 1300))
def test_a_byte_that_was_changed_is_noticed(take, nothing_came, tmp_path: Path, place: int) -> None:
    """Or it makes no difference at all."""
    whole = bytearray(NEW.export.read_bytes())
    whole[place] ^= 0x55
    (tmp_path / "e.zip").write_bytes(whole)
    try:
        came = take(tmp_path / "e.zip", NEW, is_dry_run=True).came
    except CannotMove:
        pass
    else:
        assert came == take(NEW.export, NEW, is_dry_run=True).came
    assert nothing_came()


def test_a_database_that_was_cut_off_is_refused(take, nothing_came, tmp_path: Path) -> None:
    data = NEW.data_directory(tmp_path)
    with closing(sqlite3.connect(data / "pocket-id.db")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = (data / "pocket-id.db").read_bytes()
    (data / "pocket-id.db").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CannotMove, match="damaged"):
        take(data, NEW)
    assert nothing_came()


@pytest.mark.parametrize("former", [OLD, NEW], ids=("2.9", "2.14"))
@pytest.mark.parametrize("damage", ["cut", "noise", "empty", "foreign", "gone"])
def test_a_log_that_is_not_whole_is_refused(take, nothing_came, tmp_path: Path, former: Former, damage: str) -> None:
    data = former.data_directory(tmp_path / "this")
    log = data / "pocket-id.db-wal"
    match damage:
        case "cut":
            log.write_bytes(log.read_bytes()[:1_000_000])
        case "noise":
            log.write_bytes(bytes(range(256)) * 1000)
        case "empty":
            log.write_bytes(b"")
        case "foreign":
            other = NEW if former is OLD else OLD
            shutil.copy(other.data_directory(tmp_path / "other") / "pocket-id.db-wal", log)
        case "gone":
            log.unlink()
    with pytest.raises(CannotMove, match="not complete"):
        take(data, former)
    assert nothing_came()


@pytest.mark.parametrize("folded", [True, False], ids=("folded in", "left behind"))
def test_a_database_without_its_log_is_taken_with_a_word_of_warning(take, tmp_path: Path, folded: bool) -> None:
    """A log that was folded in is gone, and nothing tells that from one that somebody forgot to copy."""
    data = NEW.data_directory(tmp_path)
    if folded:
        with closing(sqlite3.connect(data / "pocket-id.db")) as database:
            assert database.execute("PRAGMA journal_mode=DELETE").fetchone() == ("delete",)
    for suffix in ("-wal", "-shm"):
        (data / f"pocket-id.db{suffix}").unlink(missing_ok=True)
    report = take(data, NEW)
    assert any("no pocket-id.db-wal" in note for note in report.notes)
    assert report.came["users"] == 3


def test_a_database_with_nobody_in_it_is_refused(take, nothing_came, tmp_path: Path) -> None:
    data = NEW.data_directory(tmp_path)
    with closing(sqlite3.connect(data / "pocket-id.db")) as database:
        database.execute("DELETE FROM users")
        database.commit()
    with pytest.raises(CannotMove, match="nobody"):
        take(data, NEW)
    assert nothing_came()


def test_what_is_nothing_of_the_kind_is_refused(take, nothing_came, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    (tmp_path / "empty").write_bytes(b"")
    with ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("readme.txt", "hello")
    with closing(sqlite3.connect(tmp_path / "other.db")) as database:
        database.execute("CREATE TABLE things (id INTEGER)")
    (tmp_path / "folder").mkdir()
    for name in ("text", "empty", "other.zip", "other.db", "folder", "nothing", "../../etc"):
        with pytest.raises(CannotMove):
            take(tmp_path / name, NEW)
    with pytest.raises(CannotMove, match="cannot be read"):
        take("postgres://nobody@127.0.0.1:1/nothing", NEW)
    assert nothing_came()


@pytest.mark.parametrize(
    "damage",
    [
        '{"version": 20260814120000, "tables": {"users": [{"id": ',
        '{"version": 20260814120000, "tables": []}',
        "[]",
        "null",
        '{"tables": {"x\\"y": [1]}}',
        '{"tables": {"sqlite_master": []}}',
        '{"tables": {"users": [], "users": []}}',
        '{"version": 1e999, "tables": {}}',
        "\udcff",
    ],
)
def test_a_document_that_is_no_document_is_refused(take, nothing_came, tmp_path: Path, damage: str) -> None:
    with ZipFile(tmp_path / "e.zip", "w") as archive:
        archive.writestr("database.json", damage.encode("utf-8", "surrogateescape"))
    with pytest.raises(CannotMove):
        take(tmp_path / "e.zip", NEW)
    assert nothing_came()


def test_values_that_make_no_sense_are_refused_with_their_place(take, nothing_came, tmp_path: Path) -> None:
    for table, column, value in (
        ("users", "id", "not a uuid"),
        ("users", "created_at", "yesterday"),
        ("webauthn_credentials", "public_key", "!"),
        ("oidc_clients", "callback_urls", "e30"),
        ("oidc_clients", "access_token_duration_minutes", "many"),
    ):
        source = altered(
            NEW, tmp_path / "e.zip", lambda t, at=(table, column, value): t[at[0]][0].update({at[1]: at[2]})
        )
        with pytest.raises(CannotMove, match=f"{table}.{column}"):
            take(source, NEW)
        assert nothing_came()


AS = "125d8a26-007c-432e-b1d7-e62de7eff35c"  # somebody in there


@pytest.mark.parametrize(
    ("table", "change", "place"),
    [
        ("users", {"first_name": "half a character \ud800"}, "a row of users"),
        ("oidc_clients", {"callback_urls": encoded(["https://app.example.org/\ud800"])}, "oidc_clients"),
        ("oidc_clients", {"callback_urls": encoded(5)}, "oidc_clients"),
        ("oidc_clients", {"credentials": encoded([1])}, "oidc_clients"),
        ("oidc_clients", {"credentials": encoded({"secrets": [{"hash": "y", "alg": "sha256"}]})}, "oidc_clients"),
        ("oidc_clients", {"access_token_duration_minutes": 10**30}, "oidc_clients.access_token_duration_minutes"),
        ("oidc_clients", {"refresh_token_duration_minutes": -1}, "oidc_clients.refresh_token_duration_minutes"),
        ("webauthn_credentials", {"transport": encoded(5)}, "webauthn_credentials"),
        ("oauth2_sessions", {"request_data": encoded([1])}, "oauth2_sessions"),
        (
            "oauth2_sessions",
            {"request_data": encoded({"session": {"subject": AS}, "granted_audience": [[1]]})},
            "oauth2_sessions",
        ),
    ],
)
def test_values_of_a_shape_nobody_wrote_are_refused_with_their_place(
    take, nothing_came, tmp_path: Path, table: str, change: dict, place: str
) -> None:
    def damage(tables: Tables) -> None:
        for row in tables[table]:
            row.update(change)

    with pytest.raises(CannotMove, match=place) as refused:
        take(altered(NEW, tmp_path / "e.zip", damage), NEW)
    assert "damaged" in str(refused.value)
    assert nothing_came()


@pytest.mark.postgres
@pytest.mark.parametrize("table", ["oidc_clients", "api_keys", "oauth2_sessions"])
def test_rows_that_contradict_each_other_are_refused_with_their_place(
    take, nothing_came, tmp_path: Path, table: str
) -> None:
    """Each stands there twice, once as another's."""

    def double(tables: Tables) -> None:
        for row in list(tables[table]):
            other = {"api_keys": {"id": str(uuid4())}, "oauth2_sessions": {"request_id": str(uuid4())}}.get(table, {})
            tables[table].append(row | other)

    with pytest.raises(CannotMove, match=f"damaged: {table}, at or shortly before"):
        take(altered(NEW, tmp_path / "e.zip", double), NEW)
    assert nothing_came()


@pytest.mark.parametrize("row", [1, None, "text", [1]])
def test_a_row_that_is_no_object_is_refused(take, nothing_came, tmp_path: Path, row: object) -> None:
    with pytest.raises(CannotMove, match="a row of users"):
        take(altered(NEW, tmp_path / "e.zip", lambda tables: tables.update(users=[row])), NEW)
    assert nothing_came()


def test_a_row_as_long_as_a_disk_is_not_taken_into_memory(take, nothing_came, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(export, "_LONGEST", 2_000_000)
    source = altered(NEW, tmp_path / "e.zip", lambda tables: tables["users"][0].update(first_name="x" * 6_000_000))
    with pytest.raises(CannotMove, match="too long"):
        take(source, NEW)
    assert nothing_came()


# The command itself


@pytest.fixture
def unused(tmp_path: Path) -> dict[str, str]:
    """The environment of a server of one's own that was never used."""
    (tmp_path / "data").mkdir()
    shutil.copy(migrated_database(), tmp_path / "data")
    (tmp_path / "key").write_text(NEW.encryption_key)
    return Server().environment | {"DATA_PATH": str(tmp_path / "data"), "APP_URL": NEW.app_url}


def command(source: Path, environment: dict[str, str], *more: str, **how) -> subprocess.Popen[str]:
    key = Path(environment["DATA_PATH"]).parent / "key"
    arguments = [sys.executable, "-m", "pocketid.cli", "import", str(source), "--encryption-key-file", str(key), *more]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(arguments, cwd=ROOT, env=environment, text=True, **(streams | how))


def counts(environment: dict[str, str]) -> dict[str, int]:
    """Rows of what an import writes first, last and in between."""
    path = Path(environment["DATA_PATH"]) / "pocketid.sqlite3"
    tables = ("accounts_user", "accounts_passkey", "oidc_client", "audit_entry", "siteconfig_image", "moving_import")
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export that takes so long that a test on a busy machine is still in time to interrupt it."""
    return crowd(tmp_path_factory.mktemp("many") / "many.zip", people=6_000, entries=100_000)


def in_the_middle(source: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    """An import that has written some of its rows."""
    process = command(source, environment)
    wal = Path(environment["DATA_PATH"]) / "pocketid.sqlite3-wal"
    deadline = time.monotonic() + 120
    while not (wal.exists() and wal.stat().st_size > 4_000_000):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


def test_interrupted_in_the_middle_nothing_has_come_and_nothing_lies_about(unused: dict[str, str], many: Path) -> None:
    process = in_the_middle(many, unused)
    process.send_signal(signal.SIGINT)
    _out, problems = process.communicate()
    assert process.returncode == 130
    assert "interrupted" in problems
    assert "Traceback" not in problems
    assert not any(counts(unused).values())
    assert not list(Path(unused["DATA_PATH"]).glob("pocketid-import-*"))


def test_killed_in_the_middle_nothing_has_come_and_it_can_be_done_again(unused: dict[str, str], many: Path) -> None:
    process = in_the_middle(many, unused)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not any(counts(unused).values())
    again = command(NEW.export, unused)
    _out, problems = again.communicate()
    assert again.returncode == 0, problems
    assert counts(unused)["accounts_user"] == 3


def test_a_full_disk_is_said_and_nothing_has_come(unused: dict[str, str], many: Path) -> None:
    def no_file_larger_than_this() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (6_000_000, 6_000_000))

    process = command(many, unused, preexec_fn=no_file_larger_than_this)
    out, problems = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "nothing was imported" in problems
    assert "Traceback" not in problems + out
    assert not any(counts(unused).values())


@pytest.fixture(params=["a pipe that nobody reads", "a full disk"])
def unwritable(request: pytest.FixtureRequest) -> Iterator[int]:
    """A standard output that takes nothing."""
    if request.param == "a full disk":
        end = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, end = os.pipe()
        os.close(reader)
    yield end
    os.close(end)


@pytest.mark.parametrize("more", [(), ("--json",)], ids=("text", "json"))
def test_who_cannot_print_the_report_has_imported_all_the_same(
    unused: dict[str, str], unwritable: int, more: tuple[str, ...]
) -> None:
    process = command(NEW.export, unused, *more, stdout=unwritable)
    _out, problems = process.communicate(timeout=120)
    assert process.returncode == 0
    assert "Everything was imported all the same" in problems
    assert "Traceback" not in problems
    assert (counts(unused)["accounts_user"], counts(unused)["moving_import"]) == (3, 1)


def test_a_dry_run_that_cannot_print_its_report_has_failed(unused: dict[str, str], unwritable: int) -> None:
    process = command(NEW.export, unused, "--dry-run", stdout=unwritable)
    _out, problems = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "Nothing was kept" in problems
    assert not any(counts(unused).values())


def test_a_refusal_that_nobody_hears_is_one_all_the_same(unused: dict[str, str], unwritable: int) -> None:
    assert command(NEW.export, unused, stdout=unwritable, stderr=unwritable).wait(120) == 0
    assert command(NEW.export, unused, "--json", stdout=unwritable, stderr=unwritable).wait(120) == 1
    assert counts(unused)["moving_import"] == 1


def test_an_export_that_cannot_be_written_says_so(unused: dict[str, str], unwritable: int) -> None:
    arguments = [sys.executable, "-m", "pocketid.cli", "export", "-"]
    done = subprocess.run(
        arguments, cwd=ROOT, env=unused, stdout=unwritable, stderr=subprocess.PIPE, text=True, timeout=120
    )
    assert done.returncode == 1
    assert "standard output cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_refusal_for_programs_is_json_and_no_secret_is_shown(unused: dict[str, str], tmp_path: Path) -> None:
    import json

    (tmp_path / "key").write_text("a wrong key that nobody may read")
    process = command(NEW.export, unused, "--json")
    out, problems = process.communicate()
    assert process.returncode == 1
    assert "ENCRYPTION_KEY" in json.loads(out)["error"]
    assert "a wrong key" not in out + problems
    assert not any(counts(unused).values())


def test_names_do_not_reach_the_terminal_as_commands(unused: dict[str, str], tmp_path: Path) -> None:
    source = altered(
        NEW,
        tmp_path / "e.zip",
        lambda tables: tables["oidc_clients"][0].update(name="\x1b[2J\rover\nwritten", callback_urls=encoded(["*"])),
    )
    process = command(source, unused | {"PYTHONIOENCODING": "ascii"})
    out, problems = process.communicate()
    assert process.returncode == 0, problems
    assert "\\x1b[2J\\rover\\nwritten: *" in out
    assert "\x1b" not in out + problems


def test_a_key_on_the_command_line_works_with_a_warning(unused: dict[str, str]) -> None:
    arguments = [
        sys.executable,
        "-m",
        "pocketid.cli",
        "import",
        str(NEW.export),
        "--encryption-key",
        NEW.encryption_key,
    ]
    done = subprocess.run(arguments, cwd=ROOT, env=unused, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "rather use --encryption-key-file" in done.stderr
    assert NEW.encryption_key not in done.stdout + done.stderr


def test_serving_over_pocket_ids_folder_names_the_command_and_leaves_its_file(tmp_path: Path) -> None:
    server = Server(from_nothing=True)
    data = NEW.data_directory(tmp_path)
    before = {path.name: path.read_bytes() for path in data.iterdir() if path.is_file()}
    shutil.copytree(data, server.data_path)
    with server:
        assert f"pocketid import {server.data_path}" in server.log
        server.stop()
        assert {name: (server.data_path / name).read_bytes() for name in before} == before


def test_a_compressed_flood_is_not_unpacked(take, nothing_came, tmp_path: Path) -> None:
    source = altered(NEW, tmp_path / "e.zip")
    with ZipFile(source, "a", ZIP_DEFLATED) as archive:
        archive.writestr("uploads/profile-pictures/x.png", b"\0" * (60 * 1024 * 1024))
    with pytest.raises(CannotMove, match="larger than 50 MiB"):
        take(source, NEW)
    assert nothing_came()
