"""The process environment as one frozen, validated object; the only place that reads ``os.environ``.

Names and defaults are Pocket ID's where it has them, so that an existing compose file works unchanged.
``docs/configuration.md`` describes each variable; a test compares the two.
"""

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NoReturn, cast
from urllib.parse import parse_qsl, unquote, urlsplit


class InvalidEnvironment(Exception):
    """A variable that stops the start; its text is the one line the operator sees."""


class _Refused(ValueError):
    """What is allowed instead; the reader adds the variable's name and value."""


def _token(value: str) -> str:
    """Without the blanks around it, which the page of ``/setup`` drops too; what is nothing else protects nothing."""
    if not value.strip():
        raise _Refused("a text that is not only blanks")
    return value.strip()


def _secret(value: str) -> str:
    if len(value.encode()) < 16:
        raise _Refused("at least 16 bytes")
    return value


def _boolean(value: str) -> bool:
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if value.lower() not in known:
        raise _Refused("true or false")
    return known[value.lower()]


def _number(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not value.isascii() or not value.isdigit() or len(value) > 9 or not low <= int(value) <= high:
            raise _Refused(f"a whole number from {low} to {high}")
        return int(value)

    return parse


def _one_of(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        folded = {word.lower(): word for word in allowed}
        if value.lower() not in folded:
            raise _Refused("one of " + ", ".join(allowed))
        return folded[value.lower()]

    return parse


def _address(value: str) -> str:
    """Also with the brackets that an IPv6 address has in a URL."""
    return value[1:-1] if value.startswith("[") and value.endswith("]") else value


def _outbound(value: str) -> tuple[str, ...]:
    """What more than public addresses may be called: the words private and loopback, names, addresses, networks."""
    entries = tuple(dict.fromkeys(part.strip().lower() for part in value.split(",") if part.strip()))
    if entries == ("none",):
        return ()
    for entry in entries:
        try:
            ipaddress.ip_network(entry, strict=False)
        except ValueError:
            if not re.fullmatch(r"[a-z0-9_]([a-z0-9._-]*[a-z0-9])?", entry) or re.fullmatch(r"[0-9./]+", entry):
                raise _Refused(
                    "none, or any of private, loopback, host names, addresses and networks, separated by commas"
                ) from None
    return entries


_LABEL = r"[a-z0-9]([a-z0-9_-]*[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*|[0-9a-f.]*:[0-9a-f:.]*")
_USUAL_PORT = {"https": ":443", "http": ":80"}


def _base_url(value: str) -> str:
    """The issuer must be one exact text for ever: lower case, no final slash, no path (as Pocket ID).

    And no usual port: browsers leave it out of the origin that every passkey and every form is checked against.
    """
    url = value.strip().lower().rstrip("/")
    try:
        parts = urlsplit(url)
        url = url.removesuffix(_USUAL_PORT.get(parts.scheme, ""))
        named = _HOST.fullmatch(parts.hostname or "") is not None and not parts.netloc.endswith(":")
        numbered = parts.port is None or (parts.port > 0 and parts.netloc.endswith(f":{parts.port}"))
        valid = parts.scheme in ("http", "https") and named and numbered
    except ValueError:
        valid = False
    if not valid or parts.path or parts.query or parts.fragment or parts.username is not None:
        raise _Refused("a URL such as https://id.example.org: http or https, a host, perhaps a port, no path")
    return url


def _proxies(value: str) -> tuple[str, ...]:
    """``true`` trusts whoever connects; else a list of addresses and networks."""
    if value.lower() in ("true", "false", "1", "0"):
        return ("0.0.0.0/0", "::/0") if value.lower() in ("true", "1") else ()
    try:
        return tuple(str(ipaddress.ip_network(part.strip(), strict=False)) for part in value.split(",") if part.strip())
    except ValueError:
        raise _Refused("true, false, or addresses and networks separated by commas, such as 10.0.0.0/8,::1") from None


PLATFORM_HEADERS = {
    "cloudflare": "CF-Connecting-IP",
    "google-app-engine": "X-Appengine-Remote-Addr",
    "flyio": "Fly-Client-IP",
}


def _platform(value: str) -> str:
    header = PLATFORM_HEADERS.get(value.lower(), value)
    if not header.replace("-", "").isalnum() or not header.isascii():
        raise _Refused("the name of a header, or one of " + ", ".join(PLATFORM_HEADERS))
    return header


@dataclass(frozen=True, kw_only=True)
class Database:
    """Where the data are. ``path`` is set for SQLite, ``options`` hold what PostgreSQL's driver takes.

    ``prepares`` is false when statements must not be prepared because another connection may get the next one.
    """

    engine: str
    path: Path | None = None
    name: str = ""
    host: str = ""
    port: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
    prepares: bool = True


POCKET_ID_DATABASE = "pocket-id.db"
# What Pocket ID's driver (pgx) knows besides libpq's parameters. The first says how statements are sent.
PGX_EXEC_MODE = "default_query_exec_mode"
PGX_EXEC_MODES = ("cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol")
# What is no text but an object in Python: libpq does not know it, and what happened would be anything.
NOT_IN_A_URL = {
    *("autocommit", "context", "cursor_factory", "isolation_level"),
    *("pool", "prepare_threshold", "row_factory", "server_side_binding"),
}
PGX_ONLY = ("statement_cache_capacity", "description_cache_capacity", "pool_")


def _database(value: str) -> Database:
    scheme = value.split("://", 1)[0] if "://" in value else ""
    if scheme in ("postgres", "postgresql"):
        try:
            parts = urlsplit(value)
            port = str(parts.port or "")
        except ValueError:
            raise _Refused("a PostgreSQL URL with a host and a port number") from None
        given = dict(parse_qsl(parts.query))
        mode = given.pop(PGX_EXEC_MODE, "cache_statement")
        if wrong := sorted(NOT_IN_A_URL.intersection(given)):
            raise _Refused(f"a PostgreSQL URL with parameters of libpq, without {wrong[0]}")
        if mode not in PGX_EXEC_MODES:
            raise _Refused(f"{PGX_EXEC_MODE} with one of " + ", ".join(PGX_EXEC_MODES))
        if "\x00" in unquote(value):  # where libpq would stop reading, and connect to what it has by then
            raise _Refused("a PostgreSQL URL without null characters")
        options = {name: text for name, text in given.items() if not name.startswith(PGX_ONLY)}
        if not parts.path.lstrip("/"):
            raise _Refused(
                "a PostgreSQL URL with the name of a database, such as postgres://user:password@host/pocketid"
            )
        return Database(
            engine="postgresql",
            name=unquote(parts.path.lstrip("/")),
            host=options.pop("host", "") or unquote(parts.hostname or ""),
            port=options.pop("port", "") or port,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            options=options,
            prepares=mode == "cache_statement",
        )
    if scheme and scheme != "sqlite":
        raise _Refused("a path or file: for SQLite, or postgres://user:password@host/database")
    # Options after "?" belong to the two notations that have them; in a plain path it is a character.
    plain = value.removeprefix("sqlite://").removeprefix("file:")
    path = Path(plain if plain == value else plain.split("?")[0])
    if path.name == POCKET_ID_DATABASE:
        raise _Refused(f"another name than Pocket ID's own {POCKET_ID_DATABASE}; that file stays as it is")
    if not path.name:
        raise _Refused("a path or file: for SQLite, or postgres://user:password@host/database")
    return Database(engine="sqlite", path=path)


def _variable(
    default: object, parse: Callable[[str], object], description: str, *, file: bool = False, secret: bool = False
) -> Any:  # noqa: ANN401 - a dataclass field stands for a value of any type
    """A field of ``Environment``: its default, how its text is read, and whether ``NAME_FILE`` may name a file with it."""
    return field(default=default, repr=not secret, metadata={"parse": parse, "description": description, "file": file})


@dataclass(frozen=True, kw_only=True)
class Environment:
    app_url: str = _variable(
        "http://localhost:1411",
        _base_url,
        "The public address of this server, and the issuer of its tokens. Passkeys are bound to its host name. When only `PORT` is set: `http://localhost:PORT`.",
    )
    internal_app_url: str = _variable(
        "",
        _base_url,
        "Base of the addresses in discovery that apps call directly (token, userinfo, keys); empty: `APP_URL`.",
    )
    app_env: str = _variable(
        "production",
        _one_of("production", "development", "test"),
        "`development` shows tracebacks. Never use it where others can reach the server.",
    )
    data_path: Path = _variable(
        Path("data"), Path, "The folder for the SQLite database and the generated encryption key."
    )
    encryption_key: str = _variable(
        "",
        _secret,
        "Encrypts stored keys and derives every other secret; at least 16 bytes. Empty: made at first start and kept in `DATA_PATH/encryption.key`.",
        file=True,
        secret=True,
    )
    old_encryption_key: str = _variable(
        "",
        _secret,
        "The key before `ENCRYPTION_KEY`; read by `pocketid encryption-key-rotate` alone.",
        file=True,
        secret=True,
    )
    db_connection_string: Database | None = _variable(
        None,
        _database,
        "`postgres://user:password@host/database`, or a path for SQLite; empty: `DATA_PATH/pocketid.sqlite3`.",
        file=True,
        secret=True,
    )
    sqlite_synchronous: str = _variable(
        "FULL",
        _one_of("FULL", "NORMAL"),
        "`FULL` survives a power cut without losing a revocation; `NORMAL` is faster.",
    )
    host: str = _variable("0.0.0.0", _address, "The address to listen on.")  # noqa: S104 - Pocket ID's default; a container must be reachable
    port: int = _variable(1411, _number(1, 65535), "The port to listen on.")
    server: str = _variable(
        "gunicorn",
        _one_of("gunicorn", "granian"),
        "The HTTP server. `granian` needs the extra of that name and saves about 0.1 ms a request.",
    )
    workers: int = _variable(0, _number(0, 64), "Server processes; 0: 2 on SQLite, one for each core on PostgreSQL.")
    threads: int = _variable(0, _number(0, 64), "Threads of each process; 0: 2 on SQLite, 4 on PostgreSQL.")
    trust_proxy: tuple[str, ...] = _variable(
        (),
        _proxies,
        "Whose `X-Forwarded-For` counts: `true` (whoever connects) or addresses and networks separated by commas.",
    )
    trusted_platform: str = _variable(
        "",
        _platform,
        "A header that always holds the visitor's address: its name, or `cloudflare`, `google-app-engine`, `flyio`.",
    )
    setup_token: str = _variable(
        "", _token, "When set, the first administrator can only be made with it.", file=True, secret=True
    )
    static_api_key: str = _variable(
        "",
        _secret,
        "An API key with every right, for servers that programs set up; at least 16 bytes.",
        file=True,
        secret=True,
    )
    allow_insecure_callback_urls: bool = _variable(
        True, _boolean, "`false` refuses callbacks over plain http, except loopback."
    )
    allow_callback_wildcards: bool = _variable(True, _boolean, "`false` refuses `*` in callback addresses.")
    outbound_allowed_hosts_backchannel_logout: tuple[str, ...] = _variable(
        ("private", "loopback"),
        _outbound,
        "Where logout tokens may be sent besides public addresses: `private`, `loopback`, host names, addresses, networks, or `none`.",
    )
    outbound_allowed_hosts_federated_jwks: tuple[str, ...] = _variable(
        ("private", "loopback"), _outbound, "The same for addresses that public keys of apps and issuers are read from."
    )
    outbound_allowed_hosts_client_logo: tuple[str, ...] = _variable(
        (), _outbound, "The same for logos that are downloaded when a client is saved."
    )
    ui_config_disabled: bool = _variable(
        False,
        _boolean,
        "`true`: the settings come from [variables of their own](#settings-as-variables), and neither the console nor the API changes them.",
    )
    log_level: str = _variable(
        "info", _one_of("debug", "info", "warn", "error"), "The least serious message that is logged."
    )
    log_json: bool = _variable(False, _boolean, "One JSON object a line instead of text.")
    audit_log_retention_days: int = _variable(
        90, _number(0, 36500), "After how many days entries of the audit log are deleted; `0` keeps them for ever."
    )
    geolite_db_path: Path | None = _variable(
        None,
        Path,
        "A GeoLite2-City file, or another in the MaxMind DB format with cities: the audit log then tells country and city. Empty: `DATA_PATH/GeoLite2-City.mmdb`, when it is there.",
    )
    geolite_db_url: str = _variable(
        "",
        str,
        "Accepted for Pocket ID's sake; nothing is downloaded, so put the file where `GEOLITE_DB_PATH` says.",
    )
    maxmind_license_key: str = _variable("", str, "The same.", file=True, secret=True)
    disable_rate_limiting: bool = _variable(
        False,
        _boolean,
        "`true` lifts the limits on how often one address may try to sign in, ask for codes or call the API.",
    )
    api_docs_disabled: bool = _variable(
        False,
        _boolean,
        "`true` takes `/api/docs` and `/api/schema` away, which otherwise tell everybody how the API is made.",
    )
    version_check_disabled: bool = _variable(
        False, _boolean, "Accepted for Pocket ID's sake; this server never calls home."
    )
    analytics_disabled: bool = _variable(
        False, _boolean, "Accepted for Pocket ID's sake; this server sends no analytics."
    )

    @property
    def database(self) -> Database:
        return self.db_connection_string or Database(engine="sqlite", path=self.data_path / "pocketid.sqlite3")

    @property
    def encryption_key_path(self) -> Path:
        return self.data_path / "encryption.key"


# Read only with UI_CONFIG_DISABLED: the keys of the REST API in capitals (contract section 9.1), and our own setting. What
# they may be is the API's to say (siteconfig/fixed.py).
SETTINGS = (
    *("APP_NAME", "ACCENT_COLOR", "DISABLE_ANIMATIONS", "HOME_PAGE_URL", "SESSION_DURATION"),
    *("ALLOW_OWN_ACCOUNT_EDIT", "ALLOW_USER_SIGNUPS", "REQUIRE_USER_EMAIL", "EMAILS_VERIFIED"),
    *("SIGNUP_DEFAULT_USER_GROUP_IDS", "SIGNUP_DEFAULT_CUSTOM_CLAIMS"),
    *("SMTP_HOST", "SMTP_PORT", "SMTP_FROM", "SMTP_USER", "SMTP_PASSWORD", "SMTP_TLS", "SMTP_SKIP_CERT_VERIFY"),
    *("EMAIL_LOGIN_NOTIFICATION_ENABLED", "EMAIL_API_KEY_EXPIRATION_ENABLED", "EMAIL_VERIFICATION_ENABLED"),
    *("EMAIL_ONE_TIME_ACCESS_AS_ADMIN_ENABLED", "EMAIL_ONE_TIME_ACCESS_AS_UNAUTHENTICATED_ENABLED"),
    *("WEBAUTHN_USER_VERIFICATION", "WEBAUTHN_ALLOW_SYNCED_PASSKEYS", "WEBAUTHN_AUTHENTICATOR_ATTACHMENT"),
    *("AUTO_CREATE_OIDC_CLIENT_SECRET", "CIMD_URL_ALLOWLIST", "SIGNING_KEY_DAYS"),
    *("LDAP_ENABLED", "LDAP_URL", "LDAP_BIND_DN", "LDAP_BIND_PASSWORD", "LDAP_BASE", "LDAP_SKIP_CERT_VERIFY"),
    *("LDAP_USER_SEARCH_FILTER", "LDAP_USER_GROUP_SEARCH_FILTER", "LDAP_ADMIN_GROUP_NAME", "LDAP_SOFT_DELETE_USERS"),
    *("LDAP_ATTRIBUTE_USER_UNIQUE_IDENTIFIER", "LDAP_ATTRIBUTE_USER_USERNAME", "LDAP_ATTRIBUTE_USER_EMAIL"),
    *("LDAP_ATTRIBUTE_USER_FIRST_NAME", "LDAP_ATTRIBUTE_USER_LAST_NAME", "LDAP_ATTRIBUTE_USER_DISPLAY_NAME"),
    *("LDAP_ATTRIBUTE_USER_PROFILE_PICTURE", "LDAP_ATTRIBUTE_GROUP_MEMBER"),
    *("LDAP_ATTRIBUTE_GROUP_UNIQUE_IDENTIFIER", "LDAP_ATTRIBUTE_GROUP_NAME"),
)
SETTINGS_FROM_FILES = ("SMTP_PASSWORD", "LDAP_BIND_PASSWORD")

# Set by somebody who relies on it: to go on without would be less than was asked for (attacks.md J9).
UNSUPPORTED = {
    "TLS_CERT": "end TLS in a reverse proxy",
    "TLS_KEY": "end TLS in a reverse proxy",
    "TLS_CERT_FILE": "end TLS in a reverse proxy",
    "TLS_KEY_FILE": "end TLS in a reverse proxy",
    "PROXY_PROTOCOL": "let the proxy send X-Forwarded-For and set TRUST_PROXY",
    "UNIX_SOCKET": "listen on HOST and PORT",
    "SYSTEMD_SOCKET": "listen on HOST and PORT",
    "PUBLIC_APP_URL": "use APP_URL",
    "PUBLIC_UI_CONFIG_DISABLED": "use UI_CONFIG_DISABLED",
    "POSTGRES_CONNECTION_STRING": "use DB_CONNECTION_STRING",
    "SQLITE_DB_PATH": "use DB_CONNECTION_STRING",
    "DB_PROVIDER": "use DB_CONNECTION_STRING alone",
    "KEYS_PATH": "keys are kept in the database",
}


def load(environ: Mapping[str, str]) -> Environment:
    """Read and check every variable; raise ``InvalidEnvironment`` for the first that is wrong."""
    for name, advice in UNSUPPORTED.items():
        if environ.get(name, "").strip().lower() not in ("", "false"):
            raise InvalidEnvironment(f"{name} is set, but this version has no use for it: {advice}, and unset {name}.")
    values: dict[str, Any] = {}
    for each in fields(Environment):
        name = each.name.upper()
        text = _from_file(name, environ) if each.metadata["file"] else environ.get(name, "")
        if text == "":
            continue
        try:
            values[each.name] = cast("Callable[[str], object]", each.metadata["parse"])(text)
        except _Refused as refused:
            _refuse(name, text if each.repr else None, str(refused))
    if "app_url" not in values and "port" in values:
        values["app_url"] = f"http://localhost:{values['port']}"
    return Environment(**values)


def fixed_settings(environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Every variable of ``SETTINGS`` that is set, with its text; raise ``InvalidEnvironment`` for an unreadable file."""
    found = {
        name: _from_file(name, environ) if name in SETTINGS_FROM_FILES else environ.get(name, "") for name in SETTINGS
    }
    return tuple((name, text) for name, text in found.items() if text)


def _from_file(name: str, environ: Mapping[str, str]) -> str:
    """The variable itself, or the content of the file that ``NAME_FILE`` names, without the newline editors leave."""
    path = environ.get(f"{name}_FILE", "")
    if not path:
        return environ.get(name, "")
    if environ.get(name):
        raise InvalidEnvironment(f"{name} and {name}_FILE are both set; allowed is one of them.")
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise InvalidEnvironment(
            f"{name}_FILE is {path!r}, which cannot be read ({problem}); allowed is the path of a text file."
        ) from None
    if not text:
        # A secret that was never written: without SETUP_TOKEN, say, anybody could become the administrator.
        raise InvalidEnvironment(
            f"{name}_FILE is {path!r}, which is empty; allowed is the path of a text file with something in it."
        )
    return text


def _refuse(name: str, value: str | None, allowed: str) -> NoReturn:
    was = "has a value that is not shown" if value is None else f"is {value!r}"
    raise InvalidEnvironment(f"{name} {was}; allowed is {allowed}.")


def from_process() -> Environment:
    """The environment of this process."""
    return load(os.environ)


def fixed_settings_of_process(environment: Environment) -> tuple[tuple[str, str], ...] | None:
    """The settings that variables fix; ``None`` when the console and the API may change them."""
    return fixed_settings(os.environ) if environment.ui_config_disabled else None


def variable(name: str) -> str:
    """A variable that the operator names as the place of a secret; empty when it is not set."""
    return os.environ.get(name, "")
