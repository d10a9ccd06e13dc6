"""``pocketid apply``: what a file declares, everything or nothing, and nothing the second time."""

import json
import stat

import pytest

from accounts import custom_claims, groups, lifecycle
from accounts.models import Group, User
from apikeys import static_key
from audit.models import Entry
from oidc import client_secrets, clients
from oidc.clients import ClientSettings
from oidc.models import ApiAccess, ApiResource, Client, ClientSecret
from pocketid import declared
from pocketid.declared.document import Refused
from siteconfig import configure
from siteconfig.models import SiteConfiguration, current
from tests.support.server import ROOT

pytestmark = pytest.mark.postgres


def everything() -> dict[str, list]:
    """Every row that a declaration can touch."""
    models = (User, Group, User.groups.through, SiteConfiguration, Client, Client.allowed_groups.through, ClientSecret)
    models += (ApiResource, ApiAccess, ApiAccess.permissions.through, Entry)
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}


def problems(file, text: str) -> list[tuple[int, str]]:
    """What is refused; nothing has changed by it, also in a dry run."""
    before = everything()
    found = []
    for dry_run in (True, False):
        with pytest.raises(Refused) as refused:
            file(text, dry_run=dry_run)
        found.append([(each.line, each.text) for each in refused.value.problems])
    assert everything() == before
    assert found[0] == found[1]
    return found[0]


def test_the_example_is_applied_once(file) -> None:
    text = (ROOT / "examples/pocketid.yaml").read_text()
    planned = file(text, dry_run=True)
    assert not User.objects.exists()
    assert not (file.folder / "wiki-secret").exists()
    assert file(text) == planned
    after = everything()
    assert file(text) == file(text, dry_run=True) == []
    assert everything() == after

    assert {user.username: user.is_admin for user in User.objects.all()} == {"alice": True, "bob": False}
    members = {group.name: sorted(user.username for user in group.members.all()) for group in Group.objects.all()}
    assert members == {"everybody": ["alice", "bob"], "family": ["alice", "bob"], "administrators": ["alice"]}
    assert current().app_name == "Example ID"
    assert current().session_duration == 120
    wiki = Client.objects.get(client_id="wiki")
    assert [group.name for group in clients.allowed_groups(wiki)] == ["family", "administrators"]
    assert (wiki.is_group_restricted, wiki.pkce_required) == (True, True)
    secret = (file.folder / "wiki-secret").read_text().strip()
    assert stat.S_IMODE((file.folder / "wiki-secret").stat().st_mode) == 0o600
    assert client_secrets.matches(secret, wiki.secrets.get().secret_hash)
    assert secret not in "".join(planned)
    own = wiki.api_access.get(subject="client")
    assert [permission.key for permission in own.permissions.all()] == ["recipes:read"]
    assert Client.objects.get(client_id="phone").is_public


def test_it_is_audited(file) -> None:
    file((ROOT / "examples/pocketid.yaml").read_text())
    events = list(Entry.objects.order_by("pk").values_list("event", flat=True))
    assert events[-1] == "DECLARATION_APPLIED"
    assert {"GROUP_CREATED", "ACCOUNT_CREATED", "SETTINGS_CHANGED", "CLAIMS_CHANGED"} <= set(events)
    assert {"CLIENT_CREATED", "CLIENT_SECRET_CREATED", "CLIENT_CHANGED", "API_CREATED", "API_CHANGED"} <= set(events)
    assert set(Entry.objects.filter(event__startswith="CLIENT_").values_list("data__method", flat=True)) == {
        "pocketid apply"
    }
    assert Entry.objects.latest("pk").data == {"file": "server.yaml", "made": "8", "changed": "1"}
    secret = (file.folder / "wiki-secret").read_text().strip()
    assert secret not in str(list(Entry.objects.values()))


def test_what_is_not_named_stays_as_it_is(file) -> None:
    alice = lifecycle.create(
        {"username": "alice", "first_name": "Alice", "email": "alice@example.org", "is_admin": True}
    )
    custom_claims.replace(alice, [("a", "1")])
    family = groups.create(name="family", friendly_name="Family")
    groups.set_members(family, [str(alice.pk)])
    settings = ClientSettings(
        name="Wiki", callback_urls=("https://a.example/cb",), skip_consent=True, is_group_restricted=True
    )
    clients.create(settings, client_id="wiki", with_secret=True)
    clients.set_allowed_groups("wiki", [str(family.pk)])
    configure.change({"app_name": "Ours", "smtp_password": "kept"})
    changes = file(
        "users: [{username: alice, lastName: Example}]\ngroups: [{name: family}]\n"
        "clients: [{id: wiki, description: Ours}]\nconfiguration: {sessionDuration: 90}"
    )
    assert changes == [
        '~ configuration\n    sessionDuration: "60" -> "90"',
        '~ user alice\n    lastName: "" -> "Example"',
        '~ client wiki\n    description: "" -> "Ours"',
    ]
    alice.refresh_from_db()
    assert (alice.first_name, alice.last_name, alice.email, alice.is_admin) == (
        "Alice",
        "Example",
        "alice@example.org",
        True,
    )
    assert alice.custom_claims.get().key == "a"
    assert family.members.get() == alice
    wiki = Client.objects.get()
    assert (wiki.redirect_uris, wiki.skip_authorization, wiki.secrets.count()) == ("https://a.example/cb", True, 1)
    assert clients.allowed_groups(wiki) == [family]
    assert (current().app_name, current().smtp_password) == ("Ours", "kept")


def test_whether_an_app_hears_that_the_time_is_over_is_declared(file) -> None:
    assert file("clients: [{id: wiki, name: Wiki, backchannelLogoutOnSessionExpiry: false}]")
    assert not Client.objects.get().backchannel_logout_on_session_expiry
    assert file("clients: [{id: wiki, name: Wiki}]") == []  # what is not declared stays
    assert file("clients: [{id: wiki, name: Wiki, backchannelLogoutOnSessionExpiry: true}]") == [
        "~ client wiki\n    backchannelLogoutOnSessionExpiry: false -> true"
    ]
    assert problems(file, "clients: [{id: wiki, name: Wiki, backchannelLogoutOnSessionExpiry: sometimes}]") == [
        (1, "client wiki: backchannelLogoutOnSessionExpiry must be true or false")
    ]


def test_the_algorithm_of_a_client_is_declared(file) -> None:
    assert file("clients: [{id: wiki, name: Wiki, signingAlgorithm: ES256}]")
    assert Client.objects.get().algorithm == "ES256"
    assert file("clients: [{id: wiki, name: Wiki, signingAlgorithm: EdDSA}]") == [
        '~ client wiki\n    signingAlgorithm: "ES256" -> "EdDSA"'
    ]
    assert file("clients: [{id: wiki, name: Wiki}]") == []  # what is not declared stays
    assert problems(file, "clients: [{id: wiki, name: Wiki, signingAlgorithm: HS256}]") == [
        (1, "client wiki: SigningAlgorithm must be one of RS256, ES256, PS256, EdDSA")
    ]
    assert Client.objects.get().algorithm == "EdDSA"


def test_drift_is_put_right(file) -> None:
    text = (ROOT / "examples/pocketid.yaml").read_text()
    file(text)
    lifecycle.update(User.objects.get(username="bob"), {"first_name": "Robert", "disabled": True})
    groups.set_members(Group.objects.get(name="family"), [])
    Client.objects.filter(client_id="wiki").update(redirect_uris="https://evil.example/cb", is_group_restricted=False)
    clients.set_allowed_groups("wiki", [])
    ApiAccess.objects.all().delete()
    configure.change({"app_name": "Other"})
    drift = file(text, dry_run=True)
    assert file(text) == drift
    told = "\n".join(drift)
    for words in (
        'firstName: "Robert" -> "Bob"',
        "members: +alice, +bob",
        'callbackURLs: ["https://evil.example/cb"] -> ["https://wiki.example.org/callback"]',
        "isGroupRestricted: false -> true",
        'allowedUserGroups: [] -> ["family", "administrators"]',
        'clientPermissions: [] -> ["recipes:read"]',
        'appName: "Other" -> "Example ID"',
    ):
        assert words in told
    assert "disabled" not in told  # it is not declared
    assert file(text) == []


def test_an_id_makes_a_rename(file) -> None:
    own_id = "11111111-2222-4333-8444-555555555555"
    file(f"users: [{{username: alice, id: {own_id}, email: a@example.org}}]")
    assert str(User.objects.get().pk) == own_id
    renamed = f"users: [{{username: alicia, id: {own_id}}}]"
    assert file(renamed) == ['~ user alicia\n    username: "alice" -> "alicia"']
    assert file(renamed) == []
    other = f"users:\n- username: alicia\n  id: {own_id.replace('1', '9')}"
    assert problems(file, other) == [(3, f"user alicia has the id {own_id}, which never changes")]


def test_people_without_an_address_are_left_in_peace(file) -> None:
    """As ``pocketid bootstrap`` makes its administrator, although everybody else must have one."""
    User.objects.create(username="admin", is_admin=True)
    assert file("users: [{username: admin, isAdmin: true}]") == []
    assert problems(file, "users: [{username: admin, firstName: Ada}]") == [(1, "user admin: Email is required")]


def test_an_administrator_is_made_before_another_is_unmade(file) -> None:
    lifecycle.create({"username": "alice", "email": "a@example.org", "is_admin": True})
    file("users:\n- {username: alice, isAdmin: false}\n- {username: bob, email: b@example.org, isAdmin: true}")
    assert User.objects.get(is_admin=True).username == "bob"
    refused = problems(file, "users:\n- {username: bob, isAdmin: false}")
    assert refused[0][0] == 2
    assert "last administrator" in refused[0][1]
    static_key.user()  # goes with its variable, so it does not count
    for change in ("isAdmin: false", "disabled: true"):
        assert "last administrator" in problems(file, f"users: [{{username: bob, {change}}}]")[0][1]


# Secrets


def test_a_secret_from_a_file_or_the_environment_replaces_others(file, monkeypatch: pytest.MonkeyPatch) -> None:
    (file.folder / "secret").write_text("the first secret of the wiki\n")
    text = "clients: [{id: wiki, name: Wiki, secret: {file: secret}}]"
    file(text)
    wiki = Client.objects.get()
    assert client_secrets.matches("the first secret of the wiki", wiki.secrets.get().secret_hash)
    assert file(text) == []
    monkeypatch.setenv("WIKI_SECRET", "the second secret of the wiki")
    by_name = "clients: [{id: wiki, secret: {env: WIKI_SECRET}}]"
    assert file(by_name) == ["~ client wiki\n    secret: from env WIKI_SECRET, in the place of all others"]
    assert client_secrets.matches("the second secret of the wiki", wiki.secrets.get().secret_hash)
    assert file(by_name) == []


def test_another_secret_beside_the_declared_one_may_stay(file) -> None:
    (file.folder / "secret").write_text("the first secret of the wiki")
    text = "clients: [{id: wiki, name: Wiki, secret: {file: secret}}]"
    file(text)
    clients.add_secret(Client.objects.get())
    assert file(text) == []
    assert ClientSecret.objects.count() == 2


def test_a_made_secret_outlives_the_database(file) -> None:
    text = "clients: [{id: wiki, name: Wiki, secret: {generate: secret}}]"
    file(text)
    secret = (file.folder / "secret").read_text()
    Client.objects.all().delete()
    file(text)
    assert (file.folder / "secret").read_text() == secret
    assert client_secrets.matches(secret.strip(), ClientSecret.objects.get().secret_hash)


def test_a_run_that_fails_leaves_no_secret_behind(file) -> None:
    text = "clients:\n- {id: wiki, name: Wiki, secret: {generate: secret}}\n- {id: mail}"
    assert problems(file, text) == [(3, "client mail: Name is required")]
    assert not (file.folder / "secret").exists()
    assert not Client.objects.exists()


def test_passwords_of_the_configuration_are_never_shown(file) -> None:
    (file.folder / "password").write_text("a password of the tests")
    changes = file("configuration: {smtpPassword: {file: password}}")
    assert changes == ["~ configuration\n    smtpPassword: another one, which is not shown"]
    assert current().smtp_password == "a password of the tests"
    assert file("configuration: {smtpPassword: {file: password}}") == []


@pytest.mark.spec("attacks.md", "G1")
def test_a_file_that_does_not_know_the_password_sends_it_to_no_other_server(file) -> None:
    """Whoever may propose a change of the file need not be whoever may read the password."""
    (file.folder / "password").write_text("a password of the tests")
    known = "  smtpPassword: {file: password}\n"
    file(f"configuration:\n  smtpHost: mail.example.org\n{known}")
    elsewhere = "configuration:\n  smtpHost: evil.example.org\n"
    assert problems(file, elsewhere) == [(1, "configuration: SmtpPassword is required for another server")]
    assert current().smtp_host == "mail.example.org"
    assert file(elsewhere + known) == ['~ configuration\n    smtpHost: "mail.example.org" -> "evil.example.org"']
    assert file(elsewhere) == []


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("configuration:\n  smtpPassword: hunter2", 2, "secrets do not belong in this file"),
        ("clients:\n- id: wiki\n  secret: hunter2", 3, "secrets do not belong in this file"),
        ("clients:\n- id: wiki\n  secret: {text: hunter2}", 3, "unknown key 'text'"),
        ("clients:\n- id: wiki\n  secret: {file: nowhere}", 1, ""),
        ("clients:\n- id: wiki\n  name: Wiki\n  secret: {file: nowhere}", 4, "there is no file"),
        ("clients:\n- id: wiki\n  name: Wiki\n  secret: {env: POCKETID_NOT_SET}", 4, "POCKETID_NOT_SET is not set"),
        ("clients:\n- id: wiki\n  name: Wiki\n  secret: {file: .}", 4, "cannot be read"),
        ("clients:\n- id: wiki\n  name: Wiki\n  secret: {file: empty}", 4, "is empty"),
        ("clients:\n- id: wiki\n  name: Wiki\n  secret: {file: short}", 4, "at least 16 characters"),
        ("clients:\n- id: wiki\n  name: Wiki\n  secret: {generate: no/folder}", 4, "cannot be written"),
        ("clients:\n- id: wiki\n  name: Wiki\n  isPublic: true\n  secret: {generate: x}", 2, "public client"),
    ],
)
def test_a_secret_that_cannot_be_had(file, text: str, line: int, words: str) -> None:
    (file.folder / "empty").write_text("\n")
    (file.folder / "short").write_text("hunter2")
    if "no/folder" in text:
        with pytest.raises(Refused) as refused:
            file(text)
        found = [(each.line, each.text) for each in refused.value.problems]
    else:
        found = problems(file, text)
    assert "hunter2" not in str(found)
    if words:
        assert found[0][0] == line
        assert words in found[0][1]


# What is refused, and in which line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("user: []", [(1, "the file: unknown key 'user'; did you mean 'users'?")]),
        (
            "clients:\n- id: wiki\n  name: Wiki\n  calbackURLs: []\n",
            [(4, "client wiki: unknown key 'calbackURLs'; did you mean 'callbackURLs'?")],
        ),
        (
            "users:\n- username: a\n  isadmin: true\n- username: b\n  nonsense: 1\n",
            [
                (3, "user a: unknown key 'isadmin'; did you mean 'isAdmin'?"),
                (5, "user b: unknown key 'nonsense'; known are "),
            ],
        ),
        ("users: [{firstName: A}]", [(1, "a user needs a username")]),
        ("groups: [{}]", [(1, "a group needs a name")]),
        ("clients: [{name: A}]", [(1, "a client needs an id")]),
        ("apis: [{name: A}]", [(1, "an API needs a resource, which is its address")]),
        ("users: {username: a}", [(1, "users must be a list")]),
        ("users: [a]", [(1, "a user must have names and values")]),
        ("- a", [(1, "the file must have names and values")]),
        ("users:\n- username: a\n  isAdmin: 'yes'", [(3, "user a: isAdmin must be true or false")]),
        ("users:\n- username: a\n  locale: no", [(3, "user a: locale must be text; put it in quotes")]),
        ("users:\n- username: a\n  firstName: 7", [(3, "user a: firstName must be text; put it in quotes")]),
        ("users:\n- username: a\n  email:", [(3, 'user a: email has no value; write "" for none, or leave it out')]),
        ("users:\n- username: -a", [(2, "user -a: Username must only contain letters")]),
        ("users:\n- username: a\n  email: x", [(3, "user a: Email must be a valid email address")]),
        ("users:\n- {username: a}\n- {username: A}", [(3, "user A is there twice, first in line 2")]),
        ("users:\n- username: a\n  username: b", [(3, "'username' is there twice, first in line 2")]),
        ("users:\n- username: a\n  customClaims: {sub: x}", [(3, "user a: customClaims: Claim sub is reserved")]),
        ("groups:\n- name: aa\n  members: [x]", [(3, "group aa: nobody has the username 'x'")]),
        ("groups:\n- name: aa\n  members: [x, x]", [(3, "'x' is there twice")]),
        ("clients:\n- id: a b", [(2, "client a b: Id is invalid")]),
        ("clients:\n- id: ab\n  callbackURLs:\n  - javascript:alert(1)", [(3, "client ab: CallbackURLs[0] ")]),
        ("clients:\n- id: ab\n  callbackURLs: https://a.example", [(3, "client ab: callbackURLs must be a list")]),
        ("clients:\n- id: ab\n  name: A\n  allowedUserGroups: [x]", [(4, "client ab: there is no group 'x'")]),
        (
            "clients:\n- id: ab\n  isGroupRestricted: false\n  allowedUserGroups: [x]",
            [(4, "client ab: allowedUserGroups is of no use without isGroupRestricted")],
        ),
        (
            "clients:\n- id: ab\n  credentials: {federatedIdentities: [{isuer: x}]}",
            [(3, "client ab: credentials.federatedIdentities[0]: unknown key 'isuer'; did you mean 'issuer'?")],
        ),
        (
            "clients:\n- id: ab\n  name: A\n  apis:\n  - resource: https://x.example",
            [(5, "client ab: there is no API https://x.example")],
        ),
        (
            "clients:\n- id: ab\n  name: A\n  isPublic: true\n  pkceEnabled: false",
            [(5, "client ab: a public client cannot do without PKCE")],
        ),
        (
            "clients:\n- id: ab\n  apis:\n  - resource: https://x.example\n  - resource: https://x.example/",
            [(5, "client ab: https://x.example is there twice")],
        ),
        ("apis:\n- resource: nonsense", [(2, "API nonsense: Resource must be an absolute URI")]),
        (
            "apis:\n- resource: https://x.example\n  name: X\n  permissions: [{key: openid, name: O}]",
            [(4, "API https://x.example: Permissions[0].key is reserved")],
        ),
        (
            "apis:\n- resource: https://x.example\n  name: X\n  permissions: [{key: a, name: O}, {key: a, name: O}]",
            [(4, "API https://x.example: Permissions[1].key is listed more than once")],
        ),
        ("apis: [{resource: https://x.example}]", [(1, "API https://x.example: Name is required")]),
        ("configuration: {appname: x}", [(1, "configuration: unknown key 'appname'; did you mean 'appName'?")]),
        ("configuration:\n  sessionDuration: 0", [(2, "configuration: SessionDuration must be between 1 and 43200")]),
        ("configuration:\n  smtpTls: ssl", [(2, "configuration: SmtpTls is invalid")]),
        ("configuration: {appName: [a]}", [(1, "configuration: appName must be one value")]),
        (
            "configuration:\n  signupDefaultUserGroupIDs: [nowhere]",
            [(2, "configuration: signupDefaultUserGroupIDs: there is no group 'nowhere'")],
        ),
        ("users: [", [(1, "this is not YAML: ")]),
        (
            "a: 1\nb: !!python/object:os.system x",
            [(2, "the tag tag:yaml.org,2002:python/object:os.system is not known")],
        ),
        ("users: &a [*a]", [(1, "this alias points to what it is in")]),
    ],
    ids=lambda value: value[:60].replace("\n", "/") if isinstance(value, str) else "",
)
def test_what_is_wrong_is_said_with_its_line(file, text: str, expected: list) -> None:
    found = problems(file, text)
    assert [line for line, _words in found] == [line for line, _words in expected]
    for (_line, words), (_same, beginning) in zip(found, expected, strict=True):
        assert words.startswith(beginning), words


def test_text_that_is_no_text_is_refused(file) -> None:
    path = file.folder / "server.yaml"
    path.write_bytes(b"users: []\n\xff")
    with pytest.raises(Refused, match="line 2: this is not UTF-8 text"):
        declared.apply(path)
    path.write_bytes(b"users: []\n\x00")
    with pytest.raises(Refused, match="line 1: this is not YAML that can be read"):
        declared.apply(path)


def test_an_empty_file_declares_nothing(file) -> None:
    assert file("") == file("# nothing\n") == file("users:\ngroups: []\nconfiguration: {}") == []


def test_what_yaml_takes_for_something_else_is_text(file) -> None:
    file(
        "users: [{username: alice, email: a@example.org, firstName: 2026-01-01, lastName: 1.50, customClaims: {n: 5, l: [a]}}]"
    )
    alice = User.objects.get()
    assert (alice.first_name, alice.last_name) == ("2026-01-01", "1.50")
    assert {claim.key: claim.value for claim in alice.custom_claims.all()} == {"n": "5", "l": '["a"]'}


def test_names_are_found_again_however_their_letters_are_composed(file) -> None:
    decomposed = "Zoe\u0308"
    text = (
        f"groups: [{{name: {decomposed}}}]\nusers: [{{username: zoe, email: z@example.org, firstName: {decomposed}}}]\n"
        f"apis: [{{resource: https://x.example, name: {decomposed}}}]\nclients: [{{id: ab, name: {decomposed}}}]"
    )
    assert len(file(text)) == 4
    assert file(text) == []
    assert Group.objects.get().name == "Zo\u00eb"


KEY = {"kty": "EC", "crv": "P-256", "kid": "one", "use": "sig", "alg": "ES256"}
KEY |= {"x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}


def test_credentials_are_declared_as_over_rest(file) -> None:
    identity = {"issuer": "https://ci.example.org", "subject": "repo", "publicKeys": [KEY]}
    text = "clients: " + json.dumps([{"id": "ab", "name": "A", "credentials": {"federatedIdentities": [identity]}}])
    file(text)
    assert file(text) == []
    client = Client.objects.get()
    assert client.federated_identities[0]["issuer"] == "https://ci.example.org"
    keys = "clients: " + json.dumps([{"id": "ab", "credentials": {"jwks": {"keys": [KEY]}}}])
    assert len(file(keys)) == 1
    assert file(keys) == file(text) == []
    none = "clients: [{id: ab, credentials: {federatedIdentities: []}}]"
    assert len(file(none)) == 1
    assert file(none) == []


def test_going_from_confidential_to_public_needs_no_second_run(file) -> None:
    file("clients: [{id: ab, name: A}]")
    public = "clients: [{id: ab, isPublic: true}]"
    assert len(file(public)) == 1
    assert file(public) == []
    assert Client.objects.get().pkce_required


def test_a_dry_run_writes_nothing_and_logs_nothing(file, caplog: pytest.LogCaptureFixture) -> None:
    before = everything()
    with caplog.at_level("INFO"):
        file((ROOT / "examples/pocketid.yaml").read_text(), dry_run=True)
    assert everything() == before
    assert list(file.folder.iterdir()) == [file.folder / "server.yaml"]
    assert "ACCOUNT_CREATED" not in caplog.text


def test_default_groups_may_be_declared_in_the_same_file(file) -> None:
    text = "groups: [{name: everybody}]\nconfiguration: {signupDefaultUserGroupIDs: [everybody], signupDefaultCustomClaims: {a: b}}"
    file(text)
    assert current().signup_default_user_group_ids == f'["{Group.objects.get().pk}"]'
    assert current().signup_default_custom_claims == '[{"key": "a", "value": "b"}]'
    assert file(text) == []


def test_an_address_can_be_taken_away(file) -> None:
    file("clients: [{id: ab, name: A, launchURL: https://a.example, backchannelLogoutURL: https://a.example/out}]")
    away = 'clients: [{id: ab, launchURL: "", backchannelLogoutURL: ""}]'
    assert len(file(away)) == 1
    assert file(away) == []
    assert (Client.objects.get().launch_url, Client.objects.get().backchannel_logout_url) == ("", "")
    file("users: [{username: bob, email: b@example.org}]\nconfiguration: {requireUserEmail: false}")
    assert len(file('users: [{username: bob, email: ""}]')) == 1
    assert file('users: [{username: bob, email: ""}]') == []
    assert User.objects.get().email is None
