"""Users, groups, custom claims and passkeys. Ids stay: apps know people by them, and so do passkeys."""

import base64
from uuid import UUID

from django.utils import timezone

from accounts import public_keys
from accounts.lifecycle import STATIC_USER_ID
from accounts.models import CustomClaim, Group, Passkey, RetiredId, User
from core.claim_names import RESERVED_CLAIMS
from moving.pocket_id.arrival import Arrival
from moving.pocket_id.rows import Row
from moving.writing import writing
from siteconfig.models import SiteConfiguration


def bring(arrival: Arrival) -> None:
    _groups(arrival)
    _users(arrival)
    _memberships(arrival)
    _claims(arrival)
    _passkeys(arrival)


def _groups(arrival: Arrival) -> None:
    report = arrival.report
    here = dict(Group.objects.values_list("pk", "name"))
    names = {name: pk for pk, name in here.items()}
    with writing(Group) as writer:
        for row in arrival.rows("user_groups", "created_at"):
            pk, name = row.uuid("id"), row.text("name")
            name = arrival.fitted(Group, "name", name, what="groups")
            if row.text("ldap_id"):
                report.leave_out("ldap", "no ldap", name)
            if pk in here:
                report.already_there["groups"] += 1
            elif name in names:
                report.clash("groups", name, "name taken", name)
                continue
            else:
                names[name] = pk
                writer.add(
                    id=pk,
                    name=name,
                    friendly_name=arrival.fitted(
                        Group, "friendly_name", row.text("friendly_name"), what="groups", name=name
                    ),
                    created_at=row.when(),
                )
            arrival.groups.add(pk)
    report.came["groups"] += writer.count


def _users(arrival: Arrival) -> None:
    report = arrival.report
    here = dict(User.objects.values_list("pk", "username"))
    names = {username.lower() for username in here.values()}
    addresses = {email.lower() for email in User.objects.exclude(email=None).values_list("email", flat=True) if email}
    retired = set(RetiredId.objects.values_list("pk", flat=True))
    has_administrator = False
    with writing(User) as writer:
        for row in arrival.rows("users", "created_at"):
            pk, username = row.uuid("id"), row.text("username")
            if pk == STATIC_USER_ID:
                report.leave_out("users", "static user", username)
                continue
            if pk in here:
                report.already_there["users"] += 1
                arrival.people[pk] = here[pk]
                continue
            email = _email(arrival, row)
            if refusal := _clash(username, email, names, addresses) or ("id retired" if pk in retired else ""):
                report.clash("users", username, refusal, username if refusal == "name taken" else email or "")
                continue
            names.add(username.lower())
            if email:
                addresses.add(email.lower())
            if row.text("ldap_id"):
                report.leave_out("ldap", "no ldap", username)
            has_administrator = has_administrator or row.flag("is_admin")
            arrival.people[pk] = username
            _add(arrival, writer.add, pk, row, email)
    report.came["users"] += writer.count
    if has_administrator:
        # The server is set up: nobody becomes its first administrator any more.
        SiteConfiguration.objects.filter(pk=1, setup_completed_at=None).update(setup_completed_at=timezone.now())


def _email(arrival: Arrival, row: Row) -> str | None:
    """Not cut to fit, which could make it somebody else's."""
    email, longest = row.text_or_none("email"), User._meta.get_field("email").max_length or 0
    if email is None or len(email) <= longest:
        return email
    arrival.report.change("users", "unusable email", row.text("username"), str(longest))
    return None


def _clash(username: str, email: str | None, names: set[str], addresses: set[str]) -> str:
    if username.lower() in names:
        return "name taken"
    return "email taken" if email and email.lower() in addresses else ""


def _add(arrival: Arrival, add, pk: UUID, row: Row, email: str | None) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001 - Writer.add
    username = row.text("username")

    def fitted(column: str) -> str:
        return arrival.fitted(User, column, row.text(column), what="users", name=username)

    add(
        id=pk,
        username=fitted("username"),
        email=email,
        email_verified=email is not None and row.flag("email_verified"),
        first_name=fitted("first_name"),
        last_name=fitted("last_name"),
        display_name=fitted("display_name"),
        locale=fitted("locale") or None,
        is_admin=row.flag("is_admin"),
        disabled=row.flag("disabled"),
        created_at=row.when(),
    )


def _memberships(arrival: Arrival) -> None:
    through = User.groups.through
    here = set(through._default_manager.values_list("user_id", "group_id")) if arrival.is_merge else set()
    with writing(through) as writer:
        for row in arrival.rows("user_groups_users"):
            pair = row.uuid("user_id"), row.uuid("user_group_id")
            if pair[0] not in arrival.people or pair[1] not in arrival.groups:
                arrival.report.tally("memberships", "owner missing")
            elif pair in here:
                arrival.report.already_there["memberships"] += 1
            else:
                writer.add(user_id=pair[0], group_id=pair[1])
    arrival.report.came["memberships"] += writer.count


def _claims(arrival: Arrival) -> None:
    report = arrival.report
    here: set[tuple[UUID | None, UUID | None, str]] = set(CustomClaim.objects.values_list("user_id", "group_id", "key"))
    with writing(CustomClaim) as writer:
        for row in arrival.rows("custom_claims", "created_at"):
            user, group, key = row.uuid_or_none("user_id"), row.uuid_or_none("user_group_id"), row.text("key")
            if user is not None:
                group = None
            if user not in arrival.people and group not in arrival.groups:
                report.leave_out("claims", "owner missing", key)
            elif (user, group, key) in here:
                report.already_there["claims"] += 1
            elif key in RESERVED_CLAIMS:
                report.leave_out("claims", "reserved claim", key)
            else:
                here.add((user, group, key))
                writer.add(
                    user_id=user,
                    group_id=group,
                    key=arrival.fitted(CustomClaim, "key", key, what="claims"),
                    value=row.text("value"),
                )
    report.came["claims"] += writer.count


def _passkeys(arrival: Arrival) -> None:
    report = arrival.report
    here: dict[str, UUID | None] = (
        dict(Passkey.objects.values_list("credential_id", "user_id")) if arrival.is_merge else {}
    )
    ids = set(Passkey.objects.values_list("pk", flat=True)) if arrival.is_merge else set()
    with writing(Passkey) as writer:
        for row in arrival.rows("webauthn_credentials", "created_at"):
            user, name = row.uuid_or_none("user_id"), row.text("name")
            owner = arrival.people.get(user) if user else None
            if owner is None:
                report.leave_out("passkeys", "owner missing", name)
                continue
            called = f"{owner}: {name}"
            credential_id = base64.urlsafe_b64encode(row.blob("credential_id")).rstrip(b"=").decode()
            if here.get(credential_id) == user:
                report.already_there["passkeys"] += 1
                continue
            if credential_id in here or row.uuid("id") in ids:
                report.clash("passkeys", called, "taken")
                continue
            public_key = row.blob("public_key")
            try:
                public_keys.check(public_key)
            except public_keys.WeakKey as weak:
                report.leave_out("passkeys", "weak key", called, str(weak))
                continue
            here[credential_id] = user
            writer.add(
                id=row.uuid("id"),
                user_id=user,
                name=arrival.fitted(Passkey, "name", name, what="passkeys", name=called),
                credential_id=credential_id,
                public_key=public_key,
                aaguid=row.uuid_or_none("aaguid") or UUID(int=0),
                attestation_type=row.text("attestation_type")[:32] or "none",
                transports=[each for each in row.json("transport") or [] if isinstance(each, str)],
                backup_eligible=row.flag("backup_eligible"),
                backup_state=row.flag("backup_state"),
                created_at=row.when(),
            )
    report.came["passkeys"] += writer.count
