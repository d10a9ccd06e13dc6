"""Another ENCRYPTION_KEY: everything that is encrypted gets it, or nothing does, and nobody has to sign in again."""

import shutil
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import SignupToken
from core import secrets
from oidc import former_tokens, key_rotation, signing_keys
from oidc.models import Client, ScimProvider, SigningKey
from pocketid import encryption
from siteconfig.models import SiteConfiguration
from tests.automation.installation import Installation
from tests.oidc.test_races import Live, register
from tests.support.authenticator import Authenticator
from tests.support.http_browser import HttpBrowser
from tests.support.oidc import RelyingParty
from tests.support.server import ROOT, Server, ServerDidNotStart

OLD, NEW = "the old encryption key, 32 bytes", "the new encryption key, 32 bytes"


# The verb

on_postgres_too = pytest.mark.postgres


@pytest.fixture
def everything(db: None, client_app) -> dict[str, str]:
    """A value in every encrypted column: its name and what it says."""
    key_rotation.prepare("RS256")
    scim = ScimProvider(client=client_app.client, endpoint="https://scim.example.org")
    scim.token = "scim secret"
    scim.save()
    link = SignupToken(usage_limit=1, created_at=timezone.now(), expires_at=timezone.now() + timedelta(days=1))
    link.token = "sign-up secret"
    link.save()
    former_tokens.remember(b"what a former server made its tokens with")
    row, _created = SiteConfiguration.objects.get_or_create(pk=1)
    row.smtp_password, row.ldap_bind_password = "smtp secret", "ldap secret"
    row.save()
    return plain(settings.ENCRYPTION_KEY)


def plain(key: str) -> dict[str, str]:
    return {
        f"{column} {row.pk}": secrets.decrypt(
            getattr(row, column.name), place=column.place(row), encryption_key=key
        ).hex()
        for column in encryption.COLUMNS
        for row in column.model._default_manager.all()
    }


@on_postgres_too
def test_every_column_has_the_new_key_and_says_the_same(everything: dict[str, str]) -> None:
    assert len({name.split()[0] for name in everything}) == len(encryption.COLUMNS)
    assert encryption.reencrypt(settings.ENCRYPTION_KEY, NEW) == encryption.Reencrypted(len(everything), ())
    assert plain(NEW) == everything
    with pytest.raises(secrets.CannotDecrypt):
        plain(settings.ENCRYPTION_KEY)
    settings.ENCRYPTION_KEY, before = NEW, settings.ENCRYPTION_KEY
    try:
        assert SiteConfiguration.objects.get().smtp_password == "smtp secret"
        assert SignupToken.objects.get().token == "sign-up secret"
        assert ScimProvider.objects.get().token == "scim secret"
    finally:
        settings.ENCRYPTION_KEY = before


@on_postgres_too
def test_it_can_be_done_again_after_an_interruption(everything: dict[str, str]) -> None:
    encryption.reencrypt(settings.ENCRYPTION_KEY, NEW)
    assert encryption.reencrypt(settings.ENCRYPTION_KEY, NEW).values == 0
    assert plain(NEW) == everything


@on_postgres_too
def test_a_column_that_was_forgotten_stops_it_and_nothing_is_changed(
    everything: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    every = encryption.COLUMNS
    for left_out in every:
        monkeypatch.setattr(encryption, "COLUMNS", tuple(column for column in every if column is not left_out))
        with pytest.raises(encryption.NotVerified, match=str(left_out)):
            encryption.reencrypt(settings.ENCRYPTION_KEY, NEW)
        monkeypatch.setattr(encryption, "COLUMNS", every)
        assert plain(settings.ENCRYPTION_KEY) == everything


@on_postgres_too
def test_what_neither_key_opens_is_named_and_left(everything: dict[str, str]) -> None:
    lost = secrets.encrypt(b"lost", place="siteconfig.smtp_password.1", encryption_key="a third key, forgotten")
    SiteConfiguration.objects.update(smtp_password_encrypted=lost)
    found = encryption.reencrypt(settings.ENCRYPTION_KEY, NEW)
    assert found.unreadable == ("siteconfig_siteconfiguration.smtp_password_encrypted",)
    assert SiteConfiguration.objects.get().smtp_password_encrypted == lost


@on_postgres_too
def test_many_rows_are_more_than_one_batch(client_app, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encryption, "BATCH", 3)
    for number in range(10):
        client = Client.objects.create(name=f"App {number}")
        scim = ScimProvider(client=client, endpoint="https://scim.example.org")
        scim.token = f"secret {number}"
        scim.save()
    assert encryption.reencrypt(settings.ENCRYPTION_KEY, NEW).values == 10 + SigningKey.objects.count()


# The command


def installation(server: Server, **environment: str) -> Installation:
    """The command beside a server: the same database, another process."""
    return Installation(server.data_path.parent, **server.environment | environment)


@on_postgres_too
def test_nobody_notices_that_the_key_is_another(live_database: str) -> None:
    environment = {"ENCRYPTION_KEY": OLD, "DISABLE_RATE_LIMITING": "true"}
    with Server(database_url=live_database, environment=environment) as server:
        device, browser = Authenticator(server.base_url), HttpBrowser(server.base_url)
        browser.set_up(device)
        browser.sign_in(device)
        live = Live(server, browser, device, RelyingParty(server.base_url, *register(browser)))
        browser.press(
            "consent-allow",
            browser.get(browser.get(live.app.begin("openid profile offline_access").url).headers["Location"]),
        )
        before = live.redeem(*live.code()).json()
        command = installation(server, ENCRYPTION_KEY=NEW, OLD_ENCRYPTION_KEY=OLD)
        refused = command.run("encryption-key-rotate")
        assert refused.returncode == 1
        assert "Stop every server first" in refused.stderr
        server.stop()
        done = command.run("encryption-key-rotate", "-y")
        assert done.returncode == 0, done.stderr
        assert "2 values are encrypted with the new key." in done.stdout
        with pytest.raises(ServerDidNotStart, match="was encrypted with another ENCRYPTION_KEY"):
            server.start()
        server.environment["ENCRYPTION_KEY"] = NEW
        server.start()
        assert live.app.claims(before["id_token"])["sub"] == live.app.userinfo(before["access_token"])["sub"]
        assert live.app.refresh(before["refresh_token"])["access_token"]
        assert live.redeem(*live.code()).status_code == 200
        assert "Traceback" not in server.log


@pytest.fixture
def made(tmp_path: Path) -> Installation:
    """An installation whose key is in the file that its first start has made."""
    installed = Installation(tmp_path)
    assert installed.run("migrate").returncode == 0
    return installed


def test_a_key_in_a_file_is_exchanged_with_the_file(made: Installation) -> None:
    file = made.folder / "data/encryption.key"
    old = file.read_text()
    done = made.run("encryption-key-rotate")
    assert done.returncode == 0, done.stderr
    assert file.read_text() != old
    (kept,) = file.parent.glob("encryption.key.*")
    assert (kept.read_text(), kept.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (old, 0o600, 0o600)
    for key in (old, file.read_text()):
        assert key.strip() not in done.stdout + done.stderr
    assert made.run("migrate").returncode == 0  # which reads the signing keys
    shutil.copy(kept, file)
    assert "encryption-key-rotate" in made.run("migrate").stderr


def test_an_exchange_that_was_cut_off_is_finished_by_the_next_run(made: Installation) -> None:
    file = made.folder / "data/encryption.key"
    old = file.read_text().strip()
    # As a power cut leaves it between the transaction and the file.
    (made.folder / "data/encryption.key.next").write_text(NEW)
    both = {"ENCRYPTION_KEY": NEW, "OLD_ENCRYPTION_KEY": old}
    assert made.run("encryption-key-rotate", **both).returncode == 0
    assert made.run("migrate").returncode == 1
    assert made.run("encryption-key-rotate").returncode == 0
    assert file.read_text().strip() == NEW
    assert made.run("migrate").returncode == 0


def test_keys_may_come_from_files_and_never_from_the_command_line(made: Installation, tmp_path: Path) -> None:
    old, new = made.folder / "data/encryption.key", tmp_path / "new"
    new.write_text(NEW)
    refused = made.run("encryption-key-rotate", "--new-key", NEW)
    assert refused.returncode == 1
    assert "read a command line" in refused.stderr
    assert NEW not in refused.stderr + refused.stdout
    assert "OLD_ENCRYPTION_KEY is not set" in made.run("encryption-key-rotate", ENCRYPTION_KEY=NEW).stderr
    assert "the new one, is not" in made.run("encryption-key-rotate", OLD_ENCRYPTION_KEY=NEW).stderr
    done = made.run("encryption-key-rotate", ENCRYPTION_KEY_FILE=str(new), OLD_ENCRYPTION_KEY_FILE=str(old))
    assert done.returncode == 0, done.stderr
    assert made.run("migrate", ENCRYPTION_KEY_FILE=str(new)).returncode == 0


def test_the_wrong_old_key_changes_nothing(made: Installation) -> None:
    wrong = made.run("encryption-key-rotate", ENCRYPTION_KEY=NEW, OLD_ENCRYPTION_KEY="not the key it was made with")
    assert wrong.returncode == 1
    assert "neither of the two keys. Nothing was changed." in wrong.stderr
    assert made.run("migrate").returncode == 0


# Attacks


@on_postgres_too
def test_a_server_that_nobody_has_asked_anything_yet_is_noticed_too(live_database: str) -> None:
    """It would go on with the old key, and encrypt with it what nobody could read any more."""
    with Server(database_url=live_database, environment={"ENCRYPTION_KEY": OLD}) as server:
        refused = installation(server, ENCRYPTION_KEY=NEW, OLD_ENCRYPTION_KEY=OLD).run("encryption-key-rotate", "-y")
        assert (refused.returncode, "Stop every server first" in refused.stderr) == (1, True)
        server.stop()
        server.start()


def test_a_server_whose_key_was_exchanged_while_it_started_ends(db: None, settings) -> None:
    key_rotation.prepare("RS256")
    retired = signing_keys.ensure("ES256")
    SigningKey.objects.filter(pk=retired.pk).update(state="retired", private_key="deadbeef.nobody can read it")
    encryption.refuse_another()
    SigningKey.objects.filter(pk=retired.pk).delete()
    encryption.reencrypt(settings.ENCRYPTION_KEY, NEW)
    with pytest.raises(secrets.CannotDecrypt, match="start it again"):
        encryption.refuse_another()


def started(made: Installation, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "pocketid.cli", "encryption-key-rotate", "-y", *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=made.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_of_several_runs_at_once_one_exchanges_the_key(made: Installation) -> None:
    """Forced, so that only the key file keeps them apart."""
    file = made.folder / "data/encryption.key"
    for _round in range(3):
        before = file.read_text()
        processes = [started(made, "--force") for _process in range(3)]
        said = [process.communicate(timeout=60) for process in processes]
        done = [process.returncode for process in processes]
        assert 0 in done
        for status, (out, problem) in zip(done, said, strict=True):
            assert "Traceback" not in problem
            assert before.strip() not in out + problem
            # A run that began when another had ended exchanges the key again, which is no harm.
            assert status == 0 or "another run of this command" in problem or "neither of the two keys" in problem
        assert file.read_text() != before
        assert made.run("migrate").returncode == 0
        kept = {path.name: path.read_text() for path in file.parent.glob("encryption.key.????????")}
        assert before in kept.values()
        assert file.read_text() not in kept.values()
    assert not list(file.parent.glob("*.next"))
    assert not list(file.parent.glob("*.part"))


def test_whenever_it_is_killed_the_next_run_finishes_it(made: Installation) -> None:
    """kill -9 at any moment of the run; the key is in one of the files, and one more run puts it right."""
    began = time.monotonic()
    assert started(made).wait(60) == 0
    whole = time.monotonic() - began
    for number in range(8):
        process = started(made)
        time.sleep(whole * (0.4 + 0.6 * number / 7))
        process.kill()
        process.wait()
        if made.run("migrate").returncode:  # killed between the database and the file
            assert (made.folder / "data/encryption.key.next").exists()
            assert made.run("encryption-key-rotate", "-y").returncode == 0
            assert made.run("migrate").returncode == 0
    assert made.run("encryption-key-rotate", "-y").returncode == 0


@pytest.mark.parametrize("left", ["", "half a k"])
def test_a_run_that_was_killed_while_it_wrote_the_new_key_leaves_nothing_to_mend(made: Installation, left: str) -> None:
    (made.folder / "data/encryption.key.next").write_text(left)
    done = made.run("encryption-key-rotate")
    assert done.returncode == 0, done.stderr
    assert made.run("migrate").returncode == 0


def test_the_same_key_twice_is_said_to_be_that(made: Installation) -> None:
    same = (made.folder / "data/encryption.key").read_text().strip()
    refused = made.run("encryption-key-rotate", ENCRYPTION_KEY=same, OLD_ENCRYPTION_KEY=same)
    assert (refused.returncode, "are the same key" in refused.stderr) == (1, True)
    assert same not in refused.stderr
