"""Nobody notices: each installation moves in, and everything it gave people and apps goes on working over real HTTP."""

import base64
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.migration.altered import Tables, altered, encoded
from tests.migration.former import VERSIONS, Former, Home
from tests.support.server import Server

SHAPES = ("export", "data directory")


@pytest.fixture(scope="module", params=[(version, shape) for version in VERSIONS for shape in SHAPES], ids=" ".join)
def moved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, Server]]:
    """An installation that has moved in with one command; the clock stands where its tokens are alive."""
    version, shape = request.param
    former, folder = Former(version), tmp_path_factory.mktemp("former")
    source = former.export if shape == "export" else former.data_directory(folder)
    key = folder / "key"
    key.write_text(former.encryption_key + "\n")
    environment = {"APP_URL": former.app_url, "ENCRYPTION_KEY": "another key, as this is another program"}
    with Server(environment=environment | {"DISABLE_RATE_LIMITING": "true"}, clock=former.moving_day) as server:
        server.stop()
        before = state(source)
        done = server.run("import", str(source), "--encryption-key-file", str(key))
        assert done.returncode == 0, done.stdout + done.stderr
        assert state(source) == before
        server.start()
        yield Home(former, server.base_url), server
        assert "Traceback" not in server.log


@pytest.fixture
def home(moved: tuple[Home, Server]) -> Home:
    return moved[0]


def state(source: Path) -> dict[str, tuple[int, int, int]]:
    """Size and times of every file of a source, which nobody may change."""
    paths = [source, *source.rglob("*")] if source.is_dir() else [source]
    found = {str(path): path.stat() for path in paths}
    return {name: (status.st_size, status.st_mtime_ns, status.st_mode) for name, status in found.items()}


def test_every_passkey_signs_in_but_those_of_a_disabled_person(home: Home) -> None:
    for username, person in home.former.manifest["users"].items():
        for number in range(len(person["passkeys"])):
            device = home.former.authenticator(username)
            device.credentials = [device.credentials[number]]
            browser = home.browser()
            answer = browser.sign_in(device)
            if person["disabled"]:
                assert answer.status_code == 403
            else:
                assert answer.json()["username"] == username
                assert browser.get("/api/users/me").json()["isAdmin"] == person["isAdmin"]


def test_each_secret_exchanges_a_code_and_bcrypt_is_paid_once(moved: tuple[Home, Server]) -> None:
    home, server = moved
    for client, secret in home.former.secrets():
        for _time in range(2):
            answer = home.redeem(client, secret, home.code("ada", client))
            assert answer.status_code == 200, answer.text
        assert home.redeem(client, secret[:-1] + "x", home.code("ada", client)).json()["error"] == "invalid_client"
    with closing(sqlite3.connect(f"file:{server.data_path / 'pocketid.sqlite3'}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT secret_hash, prefix FROM oidc_clientsecret").fetchall()
    assert len(rows) == len(home.former.secrets())
    assert all(encoded.startswith("sha256_secret$") for encoded, _prefix in rows)
    assert {prefix for _encoded, prefix in rows} == {secret[:4] for _client, secret in home.former.secrets()}


def test_a_public_client_exchanges_a_code_without_a_secret(home: Home) -> None:
    answer = home.redeem("Phone app", "", home.code("ben", "Phone app"))
    assert answer.status_code == 200, answer.text


def test_the_key_set_holds_the_old_key_first_and_it_verifies_old_tokens(home: Home) -> None:
    published = requests.get(f"{home.base_url}/.well-known/jwks.json", timeout=10).json()
    assert published["keys"][0] == home.former.manifest["jwks"]["keys"][0]
    keys = KeySet.import_key_set(published)
    for tokens in home.former.manifest["refresh_tokens"]:
        owner = home.former.manifest["users"][tokens["user"]]["id"]
        assert jwt.decode(tokens["id_token"], keys).claims["sub"] == owner
        assert jwt.decode(tokens["access_token"], keys).claims["sub"] == owner
    discovery = requests.get(f"{home.base_url}/.well-known/openid-configuration", timeout=10).json()
    assert discovery["issuer"] == home.former.app_url


def test_new_tokens_are_signed_by_the_old_key(home: Home) -> None:
    client, secret = home.former.secrets()[0]
    token = home.redeem(client, secret, home.code("ben", client)).json()["id_token"]
    keys = KeySet.import_key_set(home.former.manifest["jwks"])
    claims = jwt.decode(token, keys).claims
    assert claims["sub"] == home.former.manifest["users"]["ben"]["id"]
    assert claims["badge"] == 42
    assert claims["floor"] == {"building": "A", "n": 3}


def test_refresh_tokens_go_on_and_forged_ones_do_not(home: Home) -> None:
    secrets = dict(reversed(home.former.secrets()))
    for tokens in home.former.manifest["refresh_tokens"]:
        client, old = tokens["client"], tokens["refresh_token"]
        secret = secrets.get(client, "")
        forged = refresh(home, client, secret, forgery(old))
        assert forged.json()["error"] == "invalid_grant"
        answer = refresh(home, client, secret, old)
        assert answer.status_code == 200, answer.text
        given = answer.json()
        info = requests.get(
            f"{home.base_url}/api/oidc/userinfo",
            headers={"Authorization": f"Bearer {given['access_token']}"},
            timeout=10,
        )
        assert info.json()["sub"] == home.former.manifest["users"][tokens["user"]]["id"]
        claims = jwt.decode(given["id_token"], KeySet.import_key_set(home.former.manifest["jwks"])).claims
        assert claims["amr"] == ["phr"]
        # Of the family of a token that was rotated twice nothing is left when it comes back.
        assert refresh(home, client, secret, given["refresh_token"]).status_code == 200
        assert refresh(home, client, secret, old).json()["error"] == "invalid_grant"


def refresh(home: Home, client: str, secret: str, token: str) -> requests.Response:
    return home.token(client, secret, grant_type="refresh_token", refresh_token=token)


def forgery(token: str) -> str:
    """What somebody could make who knows only what the old database holds of a token."""
    if token.startswith("pocket_id_rt_"):
        return "pocket_id_rt_" + "A" * 43 + "." + token.partition(".")[2]
    head, body, _signature = token.split(".")
    return f"{head}.{body}.{'A' * 342}"


def test_refresh_tokens_for_an_api_go_on(tmp_path: Path) -> None:
    former, wiki = Former("2.14"), Former("2.14").manifest["clients"]["Wiki"]
    orders = former.manifest["api"]["resource"]

    def for_the_api(tables: Tables) -> None:
        for row in tables["oauth2_sessions"]:
            if row["client_id"] == wiki["id"] and row["kind"] == "refresh_token":
                request = json.loads(base64.b64decode(row["request_data"]))
                request |= {"granted_audience": [orders], "granted_scope": ["openid", "email", "orders:read"]}
                row["request_data"] = encoded(request)

    source = altered(former, tmp_path / "export.zip", for_the_api)
    environment = {"APP_URL": former.app_url, "ENCRYPTION_KEY": former.encryption_key}
    with Server(environment=environment, clock=former.moving_day) as server:
        done = server.run("import", str(source))
        assert done.returncode == 0, done.stderr
        assert "must sign in once more" not in done.stdout
        home = Home(former, server.base_url)
        keys = KeySet.import_key_set(former.manifest["jwks"])
        for tokens in former.manifest["refresh_tokens"]:
            if tokens["client"] == "Wiki":
                old, secret = tokens["refresh_token"], wiki["secrets"][0]
                elsewhere = home.token(
                    "Wiki", secret, grant_type="refresh_token", refresh_token=old, resource="https://other.example.com"
                )
                assert elsewhere.json()["error"] == "invalid_target"
                answer = refresh(home, "Wiki", secret, old)
                assert answer.status_code == 200, answer.text
                claims = jwt.decode(answer.json()["access_token"], keys).claims
                assert claims["aud"] == [orders, former.app_url]
                assert claims["scope"] == "openid email orders:read"
        # Who may no longer use the API gets nothing more for it.
        access = f"/api/apis/{former.manifest['api']['id']}/clients/{wiki['id']}"
        assert home.call("delete", access).status_code == 204
        assert refresh(home, "Wiki", secret, answer.json()["refresh_token"]).json()["error"] == "invalid_target"


def test_introspection_knows_an_old_refresh_token(home: Home) -> None:
    tokens = next(each for each in home.former.manifest["refresh_tokens"] if each["client"] == "Wiki")
    client_id = home.former.manifest["clients"]["Wiki"]["id"]
    secret = dict(reversed(home.former.secrets()))["Wiki"]
    answer = requests.post(
        f"{home.base_url}/api/oidc/introspect",
        data={"token": tokens["refresh_token"]},
        auth=(client_id, secret),
        timeout=10,
    )
    assert answer.status_code == 200
    assert "active" in answer.json()


def test_the_api_key_and_the_lists_answer_as_before(home: Home) -> None:
    expected = home.former.manifest["expected"]
    for name, path in (("users", "/api/users"), ("groups", "/api/user-groups"), ("clients", "/api/oidc/clients")):
        ours = {row["id"]: row for row in home.api(f"{path}?pagination[limit]=100")["data"]}
        assert ours.keys() == {row["id"] for row in expected[name]}
        for row in expected[name]:
            assert differences(row, ours[row["id"]]) == []
    audit = home.api("/api/audit-logs/all?pagination[limit]=100&sort[column]=createdAt&sort[direction]=asc")
    assert audit["pagination"]["totalItems"] >= expected["audit_events"]
    assert audit["data"][0]["createdAt"] < home.former.moving_day.isoformat()
    for username, rows in expected["authorized_clients"].items():
        user = home.former.manifest["users"][username]["id"]
        ours = {row["client"]["id"]: row for row in home.api(f"/api/oidc/users/{user}/authorized-clients")["data"]}
        for row in rows:
            found = ours[row["client"]["id"]]
            assert differences(row["client"], found["client"]) == []
            assert set(scopes(row["scope"])) <= set(scopes(found["scope"]))


def scopes(text: str) -> list[str]:
    return text.strip('[]"').replace('","', " ").split()


def differences(theirs: object, ours: object, at: str = "") -> list[str]:
    """Paths at which ours lacks what they answered, or has another value."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        # Pocket ID never fills these two of a person's groups in: ours say what is so.
        quirks = ("customClaims", "userCount") if ".userGroups[" in at else ()
        theirs = {name: value for name, value in theirs.items() if name not in quirks}
        return [
            each for name in theirs for each in differences(theirs[name], ours.get(name, "<absent>"), f"{at}.{name}")
        ]
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        return [each for n, one in enumerate(theirs) for each in differences(one, ours[n], f"{at}[{n}]")]
    if isinstance(theirs, str) and at.endswith("createdAt"):
        theirs = re.sub(r"\.\d+Z$", "Z", theirs)  # times are to the second in every answer
    return [] if theirs == ours else [f"{at}: {theirs!r} became {ours!r}"]


def test_the_settings_are_the_old_ones(home: Home) -> None:
    ours = {row["key"]: row["value"] for row in home.api("/api/application-configuration/all")}
    assert {key: ours[key] for key in home.former.manifest["settings"]} == home.former.manifest["settings"]


def test_pictures_and_logos_are_the_same_bytes(home: Home) -> None:
    ben, wiki = home.former.manifest["users"]["ben"]["id"], home.former.manifest["clients"]["Wiki"]["id"]
    for path, start in (
        (f"/api/users/{ben}/profile-picture.png", "profile-pictures/"),
        (f"/api/oidc/clients/{wiki}/logo", "oidc-client-images/"),
        ("/api/application-images/logo?light=true", "application-images/logoLight"),
        ("/api/application-images/background", "application-images/background"),
        ("/api/application-images/favicon", "application-images/favicon"),
        ("/api/application-images/email", "application-images/logoEmail"),
    ):
        assert requests.get(home.base_url + path, timeout=10).content == home.former.upload(start), path


def test_a_client_for_some_groups_refuses_the_others(home: Home) -> None:
    assert "code=" in home.visit("ben", "Ledger").headers["Location"]
    cleo = home.former.manifest["users"]["cleo"]
    body = home.api(f"/api/users/{cleo['id']}")
    assert home.call("put", f"/api/users/{cleo['id']}", json=body | {"disabled": False}).status_code == 200
    refused = home.visit("cleo", "Ledger")
    assert refused.status_code == 403 or "error=access_denied" in refused.headers.get("Location", "")
    assert "code=" in home.visit("cleo", "Wiki").headers["Location"]


def test_the_scim_provider_and_the_api_came_too(home: Home) -> None:
    manifest = home.former.manifest
    scim = home.api(
        f"/api/oidc/clients/{manifest['scim']['client'] and manifest['clients']['Wiki']['id']}/scim-service-provider"
    )
    assert (scim["id"], scim["endpoint"], scim["token"]) == tuple(
        manifest["scim"][key] for key in ("id", "endpoint", "token")
    )
    if "api" in manifest:
        api = home.api(f"/api/apis/{manifest['api']['id']}")
        assert (api["name"], api["resource"]) == (manifest["api"]["name"], manifest["api"]["resource"])
        assert [permission["id"] for permission in api["permissions"]] == [manifest["api"]["permission_id"]]


def test_the_report_is_kept_in_the_console_for_administrators(home: Home) -> None:
    listed = home.browser("ada").get("/admin/moving/import/")
    assert listed.status_code == 200
    assert "Pocket ID" in listed.text
    page = home.browser("ada").get("/admin/moving/import/1/change/")
    assert "oidc_clients.created_by_id" in page.text
    assert home.browser("ben").get("/admin/moving/import/").status_code in (302, 403)


def test_the_setup_page_is_closed(home: Home) -> None:
    body = {"username": "eve", "email": "eve@example.org", "firstName": "Eve", "lastName": "Example"}
    assert home.browser().post("/api/signup/setup", json=body).status_code >= 400


def test_a_second_import_is_refused_and_a_merge_finds_nothing_new(moved: tuple[Home, Server], tmp_path: Path) -> None:
    home, server = moved
    key = tmp_path / "key"
    key.write_text(home.former.encryption_key)
    key.chmod(0o600)
    again = server.run("import", str(home.former.export), "--encryption-key-file", str(key))
    assert again.returncode == 1
    assert "--merge" in again.stderr
    merged = server.run("import", str(home.former.export), "--merge", "--json", "--encryption-key-file", str(key))
    assert merged.returncode == 0, merged.stderr
    report = requests.models.complexjson.loads(merged.stdout)
    assert report["came"] == {}
    assert report["clashes"] == []
    assert report["alreadyThere"]["audit"] == home.former.manifest["expected"]["audit_events"]
