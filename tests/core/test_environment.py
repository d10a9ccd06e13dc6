"""The environment is checked once, at the start: a wrong value is one line that names the variable, the value and what is allowed."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketid import env
from tests.support.server import ROOT, free_port


def test_nothing_has_to_be_set() -> None:
    found = env.load({})
    assert (found.app_url, found.host, found.port, found.trust_proxy, found.allow_insecure_callback_urls) == (
        "http://localhost:1411",
        "0.0.0.0",
        1411,
        (),
        True,
    )
    assert found.database.path == Path("data/pocketid.sqlite3")


WRONG = [
    ("APP_URL", "ftp://x"),
    ("APP_URL", "x"),
    ("APP_URL", "https://id.example/path"),
    ("APP_URL", "https://u@id.example"),
    ("APP_URL", "https://id.example:x"),
    ("APP_URL", "https://id.example?x"),
    ("APP_URL", "https://"),
    ("APP_URL", "https://id..example"),
    ("APP_URL", "https://..."),
    ("APP_URL", "https://id.example:"),
    ("APP_URL", "https://id.example:0443"),
    ("INTERNAL_APP_URL", "nonsense"),
    ("APP_ENV", "prod"),
    ("PORT", "0"),
    ("PORT", "65536"),
    ("PORT", "x"),
    ("PORT", "1411 "),
    ("PORT", "-1"),
    ("PORT", "٣"),
    ("PORT", "1e3"),
    ("SERVER", "apache"),
    ("WORKERS", "65"),
    ("THREADS", "many"),
    ("TRUST_PROXY", "10.0.0.0/99"),
    ("TRUST_PROXY", "everybody"),
    ("TRUSTED_PLATFORM", "X Y"),
    ("TRUSTED_PLATFORM", "X:Y"),
    ("LOG_LEVEL", "loud"),
    ("LOG_JSON", "maybe"),
    ("ALLOW_INSECURE_CALLBACK_URLS", "ja"),
    ("ALLOW_CALLBACK_WILDCARDS", "2"),
    ("SQLITE_SYNCHRONOUS", "OFF"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_named_shown_and_corrected(name: str, value: str) -> None:
    with pytest.raises(env.InvalidEnvironment) as refused:
        env.load({name: value})
    text = str(refused.value)
    assert text.startswith(f"{name} is {value!r}; allowed is ")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENCRYPTION_KEY", "too short"),
        ("DB_CONNECTION_STRING", "mysql://root:secret@db/x"),
        ("DB_CONNECTION_STRING", "postgres://u:secret@h:port/x"),
        ("DB_CONNECTION_STRING", "postgres://u:sec%00ret@h/x"),
        ("DB_CONNECTION_STRING", "postgres://u:secret@h/x?default_query_exec_mode=extec"),
        ("DB_CONNECTION_STRING", "postgres://u:secret@h/x?autocommit=true"),
        ("DB_CONNECTION_STRING", "postgres://u:secret@h/x?sslmode=require&prepare_threshold=0"),
        ("DB_CONNECTION_STRING", "data/pocket-id.db"),
    ],
)
def test_a_wrong_secret_is_not_shown(name: str, value: str) -> None:
    with pytest.raises(env.InvalidEnvironment) as refused:
        env.load({name: value})
    assert str(refused.value).startswith(f"{name} has a value that is not shown; allowed is ")
    assert value not in str(refused.value)


def test_no_secret_is_in_the_text_of_the_object() -> None:
    secret = "s3cret s3cret s3cret"
    assert secret not in repr(
        env.load(
            {
                "ENCRYPTION_KEY": secret,
                "SETUP_TOKEN": secret,
                "DB_CONNECTION_STRING": "postgres://u:s3cret%20s3cret%20s3cret@h/x",
            }
        )
    )


@pytest.mark.parametrize(
    ("text", "engine", "name", "host", "user", "password"),
    [
        ("postgres://u:p%40ss@db:5433/pocketid?sslmode=require", "postgresql", "pocketid", "db", "u", "p@ss"),
        ("postgresql:///pocketid?host=/run/postgresql", "postgresql", "pocketid", "/run/postgresql", "", ""),
        ("data/mine.sqlite3", "sqlite", "", "", "", ""),
        ("file:data/mine.sqlite3?_pragma=x", "sqlite", "", "", "", ""),
    ],
)
def test_connection_strings(text: str, engine: str, name: str, host: str, user: str, password: str) -> None:
    found = env.load({"DB_CONNECTION_STRING": text}).database
    assert (found.engine, found.name, found.host, found.user, found.password) == (engine, name, host, user, password)


@pytest.mark.parametrize(
    ("query", "options", "prepares"),
    [
        ("sslmode=require", {"sslmode": "require"}, True),
        ("sslmode=require&pool_max_conns=10&statement_cache_capacity=0", {"sslmode": "require"}, True),
        ("default_query_exec_mode=cache_statement", {}, True),
        ("default_query_exec_mode=exec", {}, False),
        ("default_query_exec_mode=simple_protocol&connect_timeout=3", {"connect_timeout": "3"}, False),
    ],
)
def test_parameters_of_pocket_ids_driver_do_not_reach_ours(query: str, options: dict[str, str], prepares: bool) -> None:
    found = env.load({"DB_CONNECTION_STRING": f"postgres://u@db/pocketid?{query}"}).database
    assert (found.options, found.prepares) == (options, prepares)


def test_a_secret_may_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("a secret of at least 16 bytes\n")
    assert env.load({"ENCRYPTION_KEY_FILE": str(file)}).encryption_key == "a secret of at least 16 bytes"
    with pytest.raises(env.InvalidEnvironment, match="ENCRYPTION_KEY and ENCRYPTION_KEY_FILE are both set"):
        env.load({"ENCRYPTION_KEY_FILE": str(file), "ENCRYPTION_KEY": "x" * 20})
    with pytest.raises(env.InvalidEnvironment, match=r"ENCRYPTION_KEY_FILE is .*cannot be read"):
        env.load({"ENCRYPTION_KEY_FILE": str(tmp_path / "missing")})
    (tmp_path / "binary").write_bytes(b"\xff\xfe" * 20)
    with pytest.raises(env.InvalidEnvironment, match="cannot be read"):
        env.load({"ENCRYPTION_KEY_FILE": str(tmp_path / "binary")})


@pytest.mark.spec("attacks.md", "J9")
@pytest.mark.parametrize("name", ["SETUP_TOKEN", "STATIC_API_KEY", "ENCRYPTION_KEY", "DB_CONNECTION_STRING"])
def test_j9_an_empty_file_is_no_secret(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(" \n")
    with pytest.raises(env.InvalidEnvironment, match=rf"{name}_FILE is '.*', which is empty; allowed is "):
        env.load({f"{name}_FILE": str(tmp_path / "secret")})


def test_a_setup_token_is_what_the_page_can_be_given() -> None:
    assert env.load({"SETUP_TOKEN": " open sesame\n"}).setup_token == "open sesame"
    with pytest.raises(env.InvalidEnvironment, match="SETUP_TOKEN has a value that is not shown; allowed is a text"):
        env.load({"SETUP_TOKEN": "  "})


@pytest.mark.spec("attacks.md", "J9")
@pytest.mark.parametrize("name", env.UNSUPPORTED)
def test_j9_what_somebody_relies_on_is_not_ignored(name: str) -> None:
    with pytest.raises(env.InvalidEnvironment, match=name):
        env.load({name: "something"})
    env.load({name: ""})
    env.load({name: "false"})


def test_the_issuer_is_one_exact_text() -> None:
    assert env.load({"APP_URL": " HTTPS://ID.Example.org/ "}).app_url == "https://id.example.org"


@pytest.mark.parametrize(
    ("value", "origin"),
    [
        ("https://id.example.org:443", "https://id.example.org"),
        ("http://localhost:80/", "http://localhost"),
        ("https://[::1]:443", "https://[::1]"),
        ("https://id.example.org:80", "https://id.example.org:80"),
        ("http://localhost:443", "http://localhost:443"),
        ("https://id.example.org:8443", "https://id.example.org:8443"),
    ],
)
def test_the_public_address_is_the_origin_that_browsers_name(value: str, origin: str) -> None:
    assert env.load({"APP_URL": value}).app_url == origin


def test_an_ipv6_address_to_listen_on_may_have_brackets() -> None:
    assert env.load({"HOST": "[::1]"}).host == env.load({"HOST": "::1"}).host == "::1"


@given(
    st.dictionaries(
        st.sampled_from([name.upper() for name in env.Environment.__dataclass_fields__]),
        st.text(st.characters(exclude_characters="\x00"), max_size=30),
        max_size=3,
    )
)
def test_any_environment_is_accepted_or_refused_in_one_line(environ: dict[str, str]) -> None:
    refusal = ""
    try:
        env.load(environ)
    except env.InvalidEnvironment as refused:
        refusal = str(refused)
    assert len(refusal.splitlines()) <= 1


def test_the_server_does_not_start_with_a_wrong_value(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "pocketid.cli", "serve"],
        cwd=ROOT,
        env={"PATH": "/usr/bin", "PORT": "seven", "DATA_PATH": str(tmp_path / "data")},
        capture_output=True,
        text=True,
    )
    assert found.returncode != 0
    assert found.stderr.splitlines() == [
        "pocketid cannot start: PORT is 'seven'; allowed is a whole number from 1 to 65535."
    ]
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("path", ["/dev/null", "/dev/null/data"])
def test_a_data_path_that_is_no_folder_is_named(path: str) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "pocketid.cli", "serve"],
        cwd=ROOT,
        env={"PATH": "/usr/bin", "DATA_PATH": path, "PORT": str(free_port())},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 1
    [line] = found.stderr.splitlines()
    assert line.startswith(
        f"pocketid cannot start: DATA_PATH is '{path}', where encryption.key cannot be written (Not a"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("DB_CONNECTION_STRING", "postgres://u:secret@127.0.0.1:1/x"), ("DB_CONNECTION_STRING", "/dev/null/x.sqlite3")],
)
def test_a_database_that_is_not_there_is_one_line(name: str, value: str, tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "pocketid.cli", "migrate"],
        cwd=ROOT,
        env={"PATH": "/usr/bin", "DATA_PATH": str(tmp_path / "data"), name: value},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 1
    [line] = found.stderr.splitlines()
    assert line.startswith(f"pocketid: the database of {name} cannot be used: ")
    assert "secret" not in line
