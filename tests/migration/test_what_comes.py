"""What an import takes, what it leaves out and says so, and what it does with what is there already."""

import base64
import hmac
import json
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.utils import timezone, translation
from jwcrypto.jwk import JWK

from accounts.models import Group, Passkey, ProfilePicture, SignupToken, User
from audit.models import Entry
from moving.models import Import
from moving.report import REASONS, Line, Report, sections
from oidc import client_secrets
from oidc.models import Client, ClientSecret, Consent, Grant, RefreshToken, SigningKey
from oidc.redirect_uris import is_allowed
from siteconfig.models import current
from tests.migration.altered import Tables, altered, encoded
from tests.migration.former import VERSIONS, Former

pytestmark = pytest.mark.postgres
OLD, NEW = Former("2.9"), Former("2.14")


def reasons(report: Report, where: str = "left_out") -> set[tuple[str, str]]:
    return {(line.what, line.reason) for line in report.lines(where)}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_dry_run_tells_the_same_as_the_import_and_keeps_nothing(take, nothing_came, version: str) -> None:
    former = Former(version)
    told = take(former.export, former, is_dry_run=True)
    assert nothing_came()
    assert take(former.export, former).as_json() == told.as_json()
    assert Import.objects.get().report == told.as_json()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_export_and_the_data_directory_give_the_same(take, tmp_path: Path, version: str) -> None:
    former = Former(version)
    told = [take(source, former, is_dry_run=True).came for source in (former.export, former.data_directory(tmp_path))]
    assert told[0] == told[1]
    assert told[0]["users"] == 3


def test_apps_are_told_of_as_little_as_before(take) -> None:
    """Pocket ID tells nobody that the time of a session is over."""
    take(NEW.export, NEW)
    assert set(Client.objects.values_list("backchannel_logout_on_session_expiry", flat=True)) == {False}


def test_times_and_details_are_the_old_ones(take) -> None:
    take(NEW.export, NEW)
    ada = User.objects.get(username="ada")
    assert ada.created_at == datetime(2026, 11, 21, 11, 22, 58, tzinfo=UTC)
    assert str(ada.pk) == NEW.manifest["users"]["ada"]["id"]
    passkey = Passkey.objects.get(user=ada)
    assert (passkey.transports, passkey.backup_eligible, passkey.backup_state) == (["internal", "hybrid"], True, True)
    assert Entry.objects.order_by("id").first().created_at == ada.created_at
    assert list(Entry.objects.order_by("id").values_list("created_at")) == sorted(
        Entry.objects.values_list("created_at")
    )
    consent = Consent.objects.get(user=ada)
    assert consent.scope == "openid profile email groups"
    grant = Grant.objects.get(user=ada)
    assert (grant.amr, grant.auth_time) == ("phr", datetime(2026, 11, 21, 11, 22, 58, tzinfo=UTC))
    assert grant.refresh_tokens.get().expires.year == 2027
    assert current().app_name == "Fixture ID"
    assert current().setup_completed_at is not None


def test_a_merge_takes_what_is_not_there_and_lists_what_contradicts(take) -> None:
    ours = User.objects.create(username="ADA", email="somebody@example.org")
    User.objects.create(username="benjamin", email="Ben@Example.com")
    Group.objects.create(name="finance", friendly_name="Ours")
    signing = SigningKey.objects.get(algorithm="RS256", state="current").pk
    name = current().app_name
    report = take(NEW.export, NEW, is_merge=True)
    assert reasons(report, "clashes") == {("users", "name taken"), ("users", "email taken"), ("groups", "name taken")}
    assert {line.name for line in report.clashes} == {"ada", "ben", "finance"}
    assert report.came["users"] == 1
    assert report.came["passkeys"] == 1  # cleo's
    assert ("passkeys", "owner missing") in reasons(report)
    assert User.objects.get(pk=ours.pk).email == "somebody@example.org"
    assert current().app_name == name
    assert SigningKey.objects.get(algorithm="RS256", state="current").pk == signing
    old = SigningKey.objects.get(pk=NEW.manifest["jwks"]["keys"][0]["kid"])
    assert (old.state, old.public_jwk) == ("retired", NEW.manifest["jwks"]["keys"][0])
    assert old.last_token_expires_at > timezone.now()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_second_merge_brings_nothing(take, version: str) -> None:
    former = Former(version)
    take(former.export, former)
    again = take(former.export, former, is_merge=True)
    assert +again.came == {}
    assert again.clashes == []
    assert again.already_there["audit"] == former.manifest["expected"]["audit_events"]


def test_what_cannot_come_is_named_with_its_reason(take, tmp_path: Path) -> None:
    def change(tables: Tables) -> None:
        ada, ben, _cleo = sorted(tables["users"], key=lambda row: row["username"])
        ada["ldap_id"] = "uid=ada"
        ben["display_name"] = "B" * 150
        tables["custom_claims"][0]["key"] = "sub"
        tables["webauthn_credentials"][0]["public_key"] = base64.b64encode(b"no key").decode()
        wiki, phone = (
            next(row for row in tables["oidc_clients"] if row["name"] == name) for name in ("Wiki", "Phone app")
        )
        wiki["callback_urls"] = encoded(["*", "https://app.example.com/callback"])
        wiki["from_the_future"] = "yes"
        secrets = json.loads(base64.b64decode(wiki["credentials"]))
        secrets["secrets"][0]["alg"] = "argon2"
        wiki["credentials"] = encoded(secrets)
        phone |= {"id": "https://app.example.com/client.json", "client_type": "cimd"}
        tables["kv"].append({"key": "new_thing", "value": "x"})
        tables["holograms"] = [{"id": 1}]
        tables["webauthn_sessions"] = [{"id": "x"}]
        for row in tables["oauth2_sessions"]:
            if row["kind"] == "refresh_token" and row["client_id"] == wiki["id"]:
                request = json.loads(base64.b64decode(row["request_data"]))
                row["request_data"] = encoded(request | {"granted_audience": ["https://gone.example.com"]})

    actors = (("OneTimeAccessToken", "abc", {"UserID": "x"}), ("Telepathy", "singleton", {"On": True}))
    files = {"uploads/oidc-client-images/unknown.png": b"x", "uploads/application-images/logoDark.png": b"no picture"}
    source = altered(NEW, tmp_path / "export.zip", change, actors=actors, files=files)
    report = take(source, NEW)
    assert reasons(report) >= {
        ("ldap", "no ldap"),
        ("claims", "reserved claim"),
        ("passkeys", "weak key"),
        ("callbacks", "unusable callback"),
        ("secrets", "unknown secret"),
        ("clients", "metadata client"),
        ("state", "unknown"),
        ("tables", "unknown"),
        ("columns", "unknown"),
        ("columns", "not kept"),
        ("rows", "short lived"),
        ("refresh tokens", "other resource"),
        ("login codes", "make again"),
        ("logos", "no such client"),
        ("images", "unusable image"),
        ("sessions", "sign in again"),
    }
    assert ("users", "shortened") in reasons(report, "changed")
    lines = [line.text() for line in report.lines("left_out")]
    assert any("holograms" in line for line in lines)
    assert any("oidc_clients.from_the_future" in line for line in lines)
    assert any("Telepathy" in line for line in lines)
    assert any(line.startswith("passkeys: ada: Ada laptop") for line in lines)
    assert Client.objects.get(name="Wiki").redirect_uris == "https://app.example.com/callback"
    with translation.override("zh-hans"):
        assert any(heading == "未迁入及原因" for heading, _lines in sections(report))


def test_an_api_that_could_not_be_made_here_does_not_come(take, tmp_path: Path) -> None:
    """Nor what is for it: a token for this server itself would open its userinfo."""

    def change(tables: Tables) -> None:
        api, permission = tables["apis"][0], tables["api_permissions"][0]
        tables["apis"].append(api | {"id": str(uuid4()), "name": "Pretender", "audience": NEW.app_url})
        for key in ("openid", "two words", "x" * 200):
            tables["api_permissions"].append(permission | {"id": str(uuid4()), "key": key})

    report = take(altered(NEW, tmp_path / "export.zip", change), NEW)
    assert {line.name for line in report.left_out if line.what == "apis"} == {f"Pretender ({NEW.app_url})"}
    keys = {line.name for line in report.left_out if (line.what, line.reason) == ("permissions", "unusable scope")}
    assert keys == {"openid", "two words", "x" * 200}
    assert (report.came["apis"], report.came["permissions"]) == (1, 1)


def test_a_callback_that_names_a_host_goes_on_standing_for_every_path(take, tmp_path: Path) -> None:
    def change(tables: Tables) -> None:
        wiki = next(row for row in tables["oidc_clients"] if row["name"] == "Wiki")
        wiki["callback_urls"] = encoded(["https://wiki.example.com", "https://wiki.example.com/"])

    report = take(altered(NEW, tmp_path / "export.zip", change), NEW)
    assert ("callbacks", "every path") in reasons(report, "changed")
    patterns = Client.objects.get(name="Wiki").redirect_uris.split()
    assert patterns == ["https://wiki.example.com", "https://wiki.example.com/", "https://wiki.example.com/**"]
    assert is_allowed("https://wiki.example.com/oauth/callback", patterns)
    assert not is_allowed("https://wiki.example.org/oauth/callback", patterns)


def test_every_reason_makes_a_sentence() -> None:
    for reason in REASONS:
        assert "%" not in Line("users", reason, "somebody", "100").text()


@pytest.mark.parametrize("former", [OLD, NEW], ids=VERSIONS)
def test_sign_up_links_come_with_their_use_and_groups(take, tmp_path: Path, former: Former) -> None:
    pk, group = "5ff00dd4-1f36-4bd1-8d9e-7bde0c01cb5f", former.manifest["groups"]["engineers"]["id"]
    until = datetime(2099, 1, 1, tzinfo=UTC)

    def change(tables: Tables) -> None:
        if former is OLD:
            row = {"id": pk, "token": "abcdefgh", "usage_limit": 5, "usage_count": 2}
            tables["signup_tokens"] = [
                row | {"created_at": "2026-11-21T11:22:59Z", "expires_at": "2099-01-01T00:00:00Z"}
            ]
            tables["signup_tokens_user_groups"] = [{"signup_token_id": pk, "user_group_id": group}]

    state = {"ID": pk, "UsageLimit": 5, "UsageCount": 2, "UserGroupIDs": [group]}
    state |= {"CreatedAt": datetime(2026, 11, 21, 11, 22, 59, tzinfo=UTC), "ExpiresAt": until}
    report = take(altered(former, tmp_path / "e.zip", change, actors=(("SignupToken", "abcdefgh", state),)), former)
    assert report.came["signup tokens"] == 1
    token = SignupToken.objects.usable().matching("abcdefgh").get()
    assert (str(token.pk), token.usage_limit, token.usage_count, token.expires_at) == (pk, 5, 2, until)
    assert token.token == "abcdefgh"
    assert [str(each.pk) for each in token.groups.all()] == [group]


def test_a_key_of_another_algorithm_signs_on_for_the_clients_that_came(take, tmp_path: Path) -> None:
    kid = "old-ed25519"
    key = JWK.generate(kty="OKP", crv="Ed25519", kid=kid, alg="EdDSA", use="sig")
    take(altered(NEW, tmp_path / "e.zip", lambda tables: _sign_with(tables, key)), NEW)
    assert SigningKey.objects.get(algorithm="EdDSA", state="current").pk == kid
    assert set(Client.objects.values_list("algorithm", flat=True)) == {"EdDSA"}


def test_a_key_that_this_server_cannot_sign_with_is_left_out(take, tmp_path: Path) -> None:
    key = JWK.generate(kty="EC", crv="P-384", kid="old-p384", alg="ES384", use="sig")
    report = take(altered(NEW, tmp_path / "e.zip", lambda tables: _sign_with(tables, key)), NEW)
    assert [line.detail for line in report.left_out if line.what == "signing keys"] == ["ES384"]
    assert set(Client.objects.values_list("algorithm", flat=True)) == {"RS256"}


def _sign_with(tables: Tables, key: JWK) -> None:
    """Put this key in the place of the old one, encrypted as Pocket ID does (contract section 11.2)."""
    values = {row["key"]: row for row in tables["kv"]}
    message = f"pocketid/{values['instance_id']['value']}/jwk-kek"
    kek = hmac.digest(NEW.encryption_key.encode(), message.encode(), "sha3_256")
    nonce = os.urandom(12)
    sealed = nonce + AESGCM(kek).encrypt(nonce, key.export_private().encode(), None)
    values["jwt_private_key.json"]["value"] = base64.b64encode(sealed).decode()


def test_a_family_of_refresh_tokens_keeps_what_was_used_before(take, tmp_path: Path) -> None:
    """So that a stolen one that comes back still ends the family."""

    def change(tables: Tables) -> None:
        rows = tables["oauth2_sessions"]
        live = next(row for row in rows if row["kind"] == "refresh_token")
        rows.append(live | {"id": "before", "key": "K" * 43, "active": False, "created_at": "2026-11-21T11:22:58Z"})
        dead = next(row for row in rows if row["kind"] == "refresh_token" and row["request_id"] != live["request_id"])
        dead["active"] = False

    report = take(altered(NEW, tmp_path / "e.zip", change), NEW)
    assert report.came["refresh tokens"] == 2
    assert ("refresh tokens", "family ended") in reasons(report)
    assert RefreshToken.objects.count() == 3
    assert RefreshToken.objects.exclude(rotated_at=None).count() == 1


def test_a_bcrypt_secret_matches_only_itself(take) -> None:
    take(OLD.export, OLD)
    secret = OLD.manifest["clients"]["Wiki"]["secrets"][0]
    stored = ClientSecret.objects.get(client__name="Wiki").secret_hash
    assert stored.startswith("bcrypt$")
    assert client_secrets.matches(secret, stored)
    for wrong in ("", secret[:-1], secret + "x", secret + "x" * 72, "\0", secret + "\0"):
        assert not client_secrets.matches(wrong, stored)
    for algorithm, digest in (("sha256", "x"), ("bcrypt", "$2a$31$" + "a" * 53), ("md5", "0" * 32), ("", "")):
        with pytest.raises(client_secrets.UnknownHash):
            client_secrets.foreign(algorithm, digest)


def test_pictures_of_another_shape_are_made_ours_and_it_is_said(take, tmp_path: Path) -> None:
    ada = NEW.manifest["users"]["ada"]["id"]
    files = {f"uploads/profile-pictures/{ada}.png": NEW.upload("application-images/background")}
    files["uploads/profile-pictures/defaults/AL.png"] = b"initials"
    report = take(altered(NEW, tmp_path / "e.zip", files=files), NEW)
    assert ("pictures", "re-encoded") in reasons(report, "changed")
    assert ("pictures", "derived") in reasons(report)
    assert ProfilePicture.objects.count() == 2


def test_the_log_of_another_address_is_kept_with_its_text(take, tmp_path: Path) -> None:
    def change(tables: Tables) -> None:
        tables["audit_logs"][0] |= {"ip_address": "unknown", "user_agent": "x" * 2000}

    take(altered(NEW, tmp_path / "e.zip", change), NEW)
    assert Entry.objects.get(data__ipAddress="unknown").ip_address is None


def test_another_address_is_refused_unless_it_is_meant(take, nothing_came) -> None:
    from moving.errors import CannotMove

    with pytest.raises(CannotMove, match="no passkey works any more"):
        take(NEW.export, NEW, app_url="https://id.example.org")
    with pytest.raises(CannotMove, match="every app must be given the new address") as refused:
        take(NEW.export, NEW, app_url="https://localhost")
    assert "passkey" not in str(refused.value).split("Set APP_URL")[0].replace("ID tokens", "")
    assert nothing_came()
    report = take(NEW.export, NEW, app_url="https://id.example.org", is_new_address=True)
    assert any("no passkey works" in note for note in report.notes)


def test_tokens_whose_time_is_over_are_counted(take) -> None:
    import time_machine

    with time_machine.travel(OLD.moving_day + timedelta(days=60)):
        report = take(OLD.export, OLD)
    assert ("refresh tokens", "expired") in reasons(report)
    assert report.came["refresh tokens"] == 0


def test_a_column_of_tomorrow_is_named_whichever_row_fills_it(take, tmp_path: Path) -> None:
    def change(tables: Tables) -> None:
        for row in tables["users"]:
            row["pronouns"] = None
        tables["users"][-1]["pronouns"] = "she"

    report = take(altered(NEW, tmp_path / "e.zip", change), NEW)
    assert "users.pronouns" in {line.name for line in report.lines("left_out") if line.reason == "unknown"}


def test_links_among_the_pictures_are_named_and_not_followed(take, tmp_path: Path) -> None:
    data = NEW.data_directory(tmp_path)
    ada = NEW.manifest["users"]["ada"]["id"]
    (tmp_path / "elsewhere.png").write_bytes(NEW.upload("profile-pictures/"))
    (data / "uploads/profile-pictures" / f"{ada}.png").symlink_to(tmp_path / "elsewhere.png")
    (data / "uploads/more").symlink_to(tmp_path)
    report = take(data, NEW)
    assert {line.name for line in report.lines("left_out") if line.reason == "link"} == {
        "more",
        f"profile-pictures/{ada}.png",
    }
    assert not ProfilePicture.objects.filter(pk=ada).exists()


def test_tokens_that_live_longer_than_a_year_are_shortened_and_said(take, tmp_path: Path) -> None:
    source = altered(
        NEW, tmp_path / "e.zip", lambda tables: tables["oidc_clients"][0].update(access_token_duration_minutes=10**12)
    )
    report = take(source, NEW)
    (line,) = (line for line in report.lines("changed") if line.reason == "lifetime")
    assert Client.objects.get(name=line.name).access_token_minutes == 525_600


def test_a_scim_provider_at_no_web_address_is_left_out_and_said(take, tmp_path: Path) -> None:
    source = altered(
        NEW,
        tmp_path / "e.zip",
        lambda tables: tables["scim_service_providers"][0].update(endpoint="file:///etc/passwd"),
    )
    report = take(source, NEW)
    assert ("scim", "unusable address") in reasons(report)
    assert not report.came["scim"]


@pytest.mark.parametrize("shape", ["export", "data directory"])
def test_a_character_that_no_text_may_hold_is_replaced_and_said(take, tmp_path: Path, shape: str) -> None:
    """Anybody could have put it into their own name, and PostgreSQL refuses it."""
    ada = NEW.manifest["users"]["ada"]["id"]
    if shape == "export":

        def change(tables: Tables) -> None:
            person = next(row for row in tables["users"] if row["id"] == ada)
            person["first_name"] = "A\0da"
            tables["audit_logs"][0] |= {"user_agent": "\0", "data": encoded({"clientName": "a\0b", "path": "\\u0000"})}
            tables["oidc_clients"][0]["launch_url"] = "https://app.example.com/\0"

        source = altered(NEW, tmp_path / "e.zip", change)
    else:
        source = NEW.data_directory(tmp_path)
        with closing(sqlite3.connect(source / "pocket-id.db")) as database:
            database.execute("UPDATE users SET first_name = ? WHERE id = ?", ("A\0da", ada))
            first = "rowid = (SELECT min(rowid) FROM audit_logs)"
            data = json.dumps({"clientName": "a\0b", "path": "\\u0000"}).encode()
            database.execute(f"UPDATE audit_logs SET user_agent = ?, data = ? WHERE {first}", ("\0", data))
            database.execute("UPDATE oidc_clients SET launch_url = ? WHERE name = 'Ledger'", ("https://x.org/\0",))
            database.commit()
    report = take(source, NEW)
    told = [line.name for line in report.lines("changed") if line.reason == "nul"]
    assert f"users.first_name: {ada}" in told
    assert {name.partition(":")[0] for name in told} == {
        "users.first_name",
        "audit_logs.user_agent",
        "audit_logs.data",
        "oidc_clients.launch_url",
    }
    assert len(told) == 4
    assert User.objects.get(pk=ada).first_name == "A\N{REPLACEMENT CHARACTER}da"
    entry = Entry.objects.get(user_agent="\N{REPLACEMENT CHARACTER}")
    assert (entry.client_name, entry.data["path"]) == ("a\N{REPLACEMENT CHARACTER}b", "\\u0000")


def test_a_language_and_an_address_that_do_not_fit_stop_nobody(take, tmp_path: Path) -> None:
    ada = NEW.manifest["users"]["ada"]["id"]

    def change(tables: Tables) -> None:
        person = next(row for row in tables["users"] if row["id"] == ada)
        person |= {"locale": "x" * 100, "email": "x" * 300 + "@example.com", "email_verified": True}

    report = take(altered(NEW, tmp_path / "e.zip", change), NEW)
    assert reasons(report, "changed") == {("users", "shortened"), ("users", "unusable email")}
    came = User.objects.get(pk=ada)
    assert (came.locale, came.email, came.email_verified) == ("x" * 35, None, False)
