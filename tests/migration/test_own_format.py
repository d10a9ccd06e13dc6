"""Our own export: everything, from either database into either, and nothing of it when it is not whole."""

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from django.apps import apps
from django.conf import settings as django_settings

from accounts.models import LoginCode, User
from core import secrets
from moving import archive
from moving.errors import CannotMove
from oidc.models import ScimProvider
from tests.migration.former import Former, MovedBrowser
from tests.support.server import Server

NEW = Former("2.14")
OWN_KEY = (django_settings.ENCRYPTION_KEY,)
OTHER = "another key of another server"


def written() -> bytes:
    file = BytesIO()
    archive.write(file)
    return file.getvalue()


def contents(zipped: bytes) -> dict[str, Any]:
    """The rows of each table, as values; a report is added by each import."""
    with ZipFile(BytesIO(zipped)) as file:
        return {
            name: [json.loads(line) for line in file.read(name).splitlines()]
            for name in file.namelist()
            if name != archive.MANIFEST and "moving.Import" not in name
        }


def emptied() -> None:
    for label in ("accounts.User", "accounts.Group", "oidc.Client", "oidc.ApiResource"):
        apps.get_model(label)._default_manager.all().delete()


@pytest.fixture
def exported(take, tmp_path: Path) -> Path:
    """The export of a server that a Pocket ID moved into."""
    take(NEW.export, NEW)
    path = tmp_path / "own.zip"
    path.write_bytes(written())
    return path


@pytest.mark.postgres
def test_people_are_found_when_they_have_come(take, exported: Path) -> None:
    """What a person is searched for by is in no export: it is made on arrival."""
    field: Any = User._meta.get_field("search_text")
    came = dict(User.objects.values_list("pk", "search_text"))
    assert came == {user.pk: field.made_of(user.__dict__) for user in User.objects.all()} != {}
    assert "search_text" not in contents(exported.read_bytes())["tables/accounts.User.jsonl"][0]
    emptied()
    take(exported, NEW, keys=OWN_KEY)
    assert dict(User.objects.values_list("pk", "search_text")) == came


@pytest.mark.postgres
def test_everything_comes_back_as_it_was(take, exported: Path) -> None:
    emptied()
    report = take(exported, NEW, keys=OWN_KEY)
    assert contents(written()) == contents(exported.read_bytes())
    assert report.came["users"] == 3
    assert User.objects.create(username="next").pk  # and counting goes on
    ScimProvider.objects.get().client.secrets.create(secret_hash="x")


def test_every_table_of_ours_is_in_it_or_said_to_be_of_the_moment() -> None:
    ours = {
        model._meta.label
        for app in django_settings.LAYERS
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
    }
    assert ours - archive.TRANSIENT == {model._meta.label for model in archive.models()}
    assert ours >= archive.TRANSIENT


def test_no_secret_is_in_it_in_clear(exported: Path) -> None:
    with ZipFile(exported) as file:
        everything = b"".join(file.read(name) for name in file.namelist())
    assert NEW.manifest["scim"]["token"].encode() not in everything
    assert django_settings.ENCRYPTION_KEY.encode() not in everything
    assert NEW.manifest["api_key"]["token"].encode() not in everything


@pytest.mark.postgres
def test_with_another_key_everything_is_encrypted_anew(take, exported: Path, settings) -> None:
    LoginCode.objects.create(code_hash="x", user=User.objects.get(username="ada"), expires_at="2099-01-01T00:00:00Z")
    exported.write_bytes(written())
    emptied()
    settings.ENCRYPTION_KEY = OTHER
    with pytest.raises(CannotMove, match="--encryption-key-file"):
        take(exported, NEW, keys=(OTHER,))
    report = take(exported, NEW, keys=OWN_KEY)
    assert ScimProvider.objects.get().token == NEW.manifest["scim"]["token"]
    assert secrets.mark_of(OWN_KEY[0]).encode() not in b"".join(
        json.dumps(rows).encode() for rows in contents(written()).values()
    )
    assert [(line.what, line.reason) for line in report.left_out] == [("login codes", "make again")]


def changed(
    path: Path, change: Callable[[str, bytes], bytes | None], *, manifest: dict[str, Any] | None = None
) -> Path:
    """A copy in which members are something else; the manifest too, if given."""
    other = path.with_name("changed.zip")
    with ZipFile(path) as old, ZipFile(other, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == archive.MANIFEST:
                content = json.dumps(json.loads(content) | (manifest or {})).encode()
            elif (replaced := change(name, content)) is not None:
                content = replaced
            new.writestr(name, content)
    return other


def test_what_is_not_whole_is_refused(take, exported: Path, nothing_came) -> None:
    emptied()
    whole = exported.read_bytes()
    user = "tables/accounts.User.jsonl"
    damaged = [
        changed(exported, lambda name, old: old.replace(b"ada@", b"eve@") if name == user else None).read_bytes(),
        changed(exported, lambda name, old: old[: len(old) // 2] if name == user else None).read_bytes(),
        changed(
            exported, lambda name, old: b"\n".join(old.splitlines()[:-1]) + b"\n" if name == user else None
        ).read_bytes(),
        changed(exported, lambda _name, _old: None, manifest={"members": None}).read_bytes(),
        changed(exported, lambda _name, _old: None, manifest={"formatVersion": "x"}).read_bytes(),
        *(whole[: int(len(whole) * share)] for share in (0.2, 0.7, 0.99)),
    ]
    before = contents(written())
    for content in damaged:
        exported.write_bytes(content)
        with pytest.raises(CannotMove):
            take(exported, NEW, keys=OWN_KEY)
        assert contents(written()) == before


def test_what_a_newer_program_wrote_is_refused_with_that_reason(take, exported: Path) -> None:
    emptied()
    with ZipFile(exported) as file:
        members = json.loads(file.read(archive.MANIFEST))["members"]
    user = "tables/accounts.User.jsonl"
    newer = [
        changed(exported, lambda _name, _old: None, manifest={"formatVersion": 2}),
        changed(exported, lambda _n, _o: None, manifest={"members": members | {"tables/accounts.Hologram.jsonl": {}}}),
        changed(exported, lambda name, old: old.replace(b'"username"', b'"telepathy"', 1) if name == user else None),
    ]
    for path in newer:
        with pytest.raises(CannotMove, match=r"newer pocketid"):
            take(path, NEW, keys=OWN_KEY)
        assert not User.objects.exists()


def test_it_goes_into_an_empty_server_of_the_same_address_only(take, exported: Path) -> None:
    with pytest.raises(CannotMove, match="Import into an empty one"):
        take(exported, NEW, keys=OWN_KEY)
    with pytest.raises(CannotMove, match="--merge is for"):
        take(exported, NEW, keys=OWN_KEY, is_merge=True)
    emptied()
    with pytest.raises(CannotMove, match="APP_URL"):
        take(exported, NEW, keys=OWN_KEY, app_url="https://id.example.org")
    take(exported, NEW, keys=OWN_KEY, is_dry_run=True)
    assert not User.objects.exists()


@pytest.mark.postgres
def test_from_sqlite_to_this_database_and_back_over_real_servers(live_database: str, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(NEW.encryption_key)
    environment = {"APP_URL": NEW.app_url, "ENCRYPTION_KEY": OTHER, "DISABLE_RATE_LIMITING": "true"}
    files = [tmp_path / f"{n}.zip" for n in range(3)]
    servers = [
        Server(environment=environment),
        Server(environment=environment, database_url=live_database),
        Server(environment=environment | {"ENCRYPTION_KEY": "a third key, of a third server"}),
    ]
    sources = [NEW.export, files[0], files[1]]
    keys = [key, None, tmp_path / "other"]
    (tmp_path / "other").write_text(OTHER)
    for server, source, named, file in zip(servers, sources, keys, files, strict=True):
        done = server.run("import", "-y", "-p", str(source), *(("--encryption-key-file", str(named)) if named else ()))
        assert done.returncode == 0, done.stderr
        done = server.run("export", str(file))
        assert done.returncode == 0, done.stderr
        assert file.stat().st_mode & 0o777 == 0o600
        assert server.run("export", "--path", str(file)).returncode == 1
    first, second, third = (contents(file.read_bytes()) for file in files)
    assert first == second
    # Ciphertexts differ under the third key; nothing else does.
    sealed = ("oidc.SigningKey", "oidc.ScimProvider", "oidc.FormerServer", "siteconfig.SiteConfiguration")
    assert [name for name in first if first[name] != third[name] and not any(each in name for each in sealed)] == []
    server = servers[2]
    with server:
        browser = MovedBrowser(server.base_url, NEW.app_url)
        assert browser.sign_in(NEW.authenticator("ben")).status_code == 200
