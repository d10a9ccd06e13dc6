"""Ten thousand people, a thousand apps and a million entries in the audit log; run in the server's environment.

``python -m benchmarks.fill_lists PEOPLE CLIENTS ENTRIES`` prints as JSON how many there are.
"""

import json
import sys
from datetime import UTC, datetime, timedelta

import django

GROUPS, APIS, KEYS, TOKENS = 200, 200, 200, 200

# Made by the database itself: the ORM needs a minute for as many. People and apps in turn, over three months.
ENTRIES = """WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})
INSERT INTO audit_entry (created_at, event, user_id, username, actor_username, ip_address, country, city, user_agent, data, client_name)
SELECT {time}, CASE n % 4 WHEN 0 THEN 'SIGN_IN' WHEN 1 THEN 'CLIENT_AUTHORIZATION' WHEN 2 THEN 'SIGN_OUT' ELSE 'PASSKEY_REJECTED' END,
 people.id, people.username, '', {address}, CASE n % 3 WHEN 0 THEN 'Internal Network' ELSE '' END, '', 'Mozilla/5.0', '{{}}',
 CASE n % 4 WHEN 1 THEN 'App ' || (n % {clients}) ELSE '' END
FROM numbers JOIN (SELECT id, username, row_number() OVER (ORDER BY username) AS place FROM accounts_user) people
 ON people.place = 1 + n % {people}"""
DIALECTS = {
    "sqlite": {"time": "datetime('now', '-' || (n * 8 % 7776000) || ' seconds')", "address": "'192.0.2.' || (n % 250)"},
    "postgresql": {
        "time": "now() - (n * 8 % 7776000) * interval '1 second'",
        "address": "('192.0.2.' || (n % 250))::inet",
    },
}


def fill(people: int, clients: int, entries: int) -> dict[str, int]:
    """Rows as a server has them that has been in use for years; how many of what there are many of."""
    from accounts.models import User
    from audit.models import Entry
    from oidc.models import Client

    fill_people(people)
    fill_apps(clients)
    fill_keys()
    fill_audit_log(entries, people=people, clients=clients)
    return {"people": User.objects.count(), "clients": Client.objects.count(), "entries": Entry.objects.count()}


def fill_people(count: int) -> None:
    """Groups with a claim each, and people in two of them each."""
    from accounts.models import CustomClaim, Group, User

    groups = Group.objects.bulk_create(
        Group(name=f"group-{n}", friendly_name=f"Group {n}", created_at=_later()) for n in range(GROUPS)
    )
    CustomClaim.objects.bulk_create(CustomClaim(group=group, key="quota", value="10") for group in groups)
    people = User.objects.bulk_create(
        (
            User(
                username=f"person{n}",
                email=f"person{n}@example.org",
                first_name="Person",
                last_name=f"Number {n}",
                display_name=f"Person Number {n}",
            )
            for n in range(count)
        ),
        batch_size=2000,
    )
    membership = User.groups.through
    membership.objects.bulk_create(
        (
            membership(user_id=person.pk, group_id=groups[(n + step) % GROUPS].pk)
            for n, person in enumerate(people)
            for step in (0, 3)
        ),
        batch_size=5000,
    )


def fill_apps(count: int) -> None:
    """Apps with a secret each, every other for two groups only, let in by three people; and APIs with permissions."""
    from accounts.models import Group, User
    from apikeys import static_key
    from oidc.models import ApiPermission, ApiResource, Client, ClientSecret, Consent

    groups = list(Group.objects.all())
    apps = Client.objects.bulk_create(
        Client(name=f"App {n}", redirect_uris="https://app.example.org/callback", is_group_restricted=n % 2 == 1)
        for n in range(count)
    )
    allowed = Client.allowed_groups.through
    allowed.objects.bulk_create(
        allowed(client_id=app.pk, group_id=groups[(n + step) % GROUPS].pk)
        for n, app in enumerate(apps)
        if n % 2
        for step in (0, 7)
    )
    ClientSecret.objects.bulk_create(ClientSecret(client=app, secret_hash="x", prefix="abcd") for app in apps)
    who = [static_key.user(), *User.objects.filter(username__in=("person0", "person1"))]
    Consent.objects.bulk_create(
        Consent(user=person, client=app, scope="openid profile") for app in apps for person in who
    )
    apis = ApiResource.objects.bulk_create(
        ApiResource(name=f"API {n}", audience=f"https://api{n}.example.org") for n in range(APIS)
    )
    ApiPermission.objects.bulk_create(
        ApiPermission(api=api, key=f"read{n}", name="Read", position=n) for api in apis for n in range(3)
    )


def fill_keys() -> None:
    """API keys of who asks, and sign-up tokens."""
    from accounts.models import SignupToken
    from apikeys import static_key
    from apikeys.models import ApiKey
    from core.secrets import hash_token, new_token

    me, later = static_key.user(), _later()
    ApiKey.objects.bulk_create(
        ApiKey(user=me, name=f"key {n}", key_hash=hash_token(new_token()), prefix="pid_000000", expires_at=later)
        for n in range(KEYS)
    )
    tokens = [SignupToken(usage_limit=1, created_at=later, expires_at=later) for _ in range(TOKENS)]
    for token in tokens:
        token.token = new_token()
    SignupToken.objects.bulk_create(tokens)


def fill_audit_log(count: int, *, people: int, clients: int) -> None:
    """Entries by one statement, and what the database is to know of all tables."""
    from django.db import connection

    dialect = DIALECTS[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(ENTRIES.format(count=count, clients=clients, people=people, **dialect))
        cursor.execute("ANALYZE")


def _later() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)


if __name__ == "__main__":
    django.setup()
    json.dump(fill(*map(int, sys.argv[1:4])), sys.stdout)
