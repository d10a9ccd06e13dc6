"""Groups and who is in them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Count, Model, OuterRef, Subquery
from django.db.models.functions import Coalesce

from accounts.models import Group, User
from accounts.signals import membership_changed
from core.errors import AlreadyInUse, NotFound
from core.related_rows import linked, relate, selected
from core.rest_fields import uuid_or_none


def find(group_id: str) -> Group:
    """The group of this id; raise ``NotFound`` also for what is no id at all."""
    wanted = uuid_or_none(group_id)
    found = Group.objects.filter(pk=wanted).first() if wanted else None
    if found is None:
        raise NotFound("User group")
    return found


def user_count() -> Coalesce:
    """How many people are in a group, as a column of a query for groups."""
    memberships: Any = User.groups.through._default_manager.filter(group=OuterRef("pk")).order_by().values("group")
    return Coalesce(Subquery(memberships.annotate(n=Count("*")).values("n")), 0)


class Claim(NamedTuple):
    """What is shown of a custom claim."""

    key: str
    value: str


# Put in order here: asked to do it, SQLite goes through all claims there are in the order of their key.
_NUMBERS_AND_CLAIMS = """SELECT g.id, (SELECT COUNT(*) FROM accounts_user_groups m WHERE m.group_id = g.id), 0, '', '' FROM accounts_group g WHERE g.id {among}
 UNION ALL SELECT c.group_id, 0, c.id, c.key, c.value FROM accounts_customclaim c WHERE c.group_id {among}"""
_CLAIMS_OF_PEOPLE = "SELECT c.user_id, c.id, c.key, c.value FROM accounts_customclaim c WHERE c.user_id {among}"


def with_claims(rows: Iterable[Group]) -> list[Group]:
    """What groups are shown with in lists, each with ``user_count``: in one statement."""
    found = list(rows)
    numbers: dict[Any, int] = {}
    claims: list[tuple[Any, int, str, str]] = []
    for group, number, claim, key, value in selected(_NUMBERS_AND_CLAIMS, [group.pk for group in found]):
        if claim:
            claims.append((group, claim, key, value))
        else:
            numbers[group] = number
    for each in found:
        each.user_count = numbers.get(each.pk, 0)  # type: ignore[attr-defined] # as by an annotation
    relate(found, "custom_claims", _in_order(claims))
    return found


def with_groups_and_claims(rows: Iterable[User]) -> list[User]:
    """What people are shown with, in three statements."""
    users = list(rows)
    keys = [user.pk for user in users]
    relate(users, "groups", of_each(User.groups.through, "user_id", keys, order="r.created_at, r.id"))
    relate(users, "custom_claims", _in_order(selected(_CLAIMS_OF_PEOPLE, keys)))
    return users


def _in_order(claims: Iterable[tuple[Any, ...]]) -> list[tuple[Any, Claim]]:
    return [(owner, Claim(key, value)) for owner, _id, key, value in sorted(claims, key=lambda claim: claim[1])]


def of_each(through: type[Model], owner: str, keys: Iterable[Any], *, order: str) -> list[tuple[Any, Group]]:
    """(key, group) for each group that the table ``through`` links with one of ``keys``, as ``with_claims`` has them.

    By hand, and each group once: Django's prefetching would make and count a group anew for each time it is shown.
    """
    pairs = linked(through, owner, Group, "group_id", keys, order=order)
    with_claims({id(group): group for _key, group in pairs}.values())
    return pairs


def create(*, name: str, friendly_name: str) -> Group:
    """Raise ``AlreadyInUse``."""
    return _save(Group(name=name, friendly_name=friendly_name), force_insert=True)


def update(group: Group, fields: Mapping[str, Any]) -> Group:
    """Raise ``AlreadyInUse``."""
    for name, value in fields.items():
        setattr(group, name, value)
    return _save(group)


def delete(group: Group) -> None:
    """The people in it lose what it opened to them."""
    members = list(group.members.values_list("pk", flat=True))
    group.delete()
    _tell(members)


def set_members(group: Group, user_ids: Sequence[str]) -> Group:
    """Exactly these people are in the group from now on; ids of nobody are dropped."""
    wanted = [found for text in user_ids if (found := uuid_or_none(text))]
    with transaction.atomic():
        Group.objects.select_for_update().get(pk=group.pk)
        before = set(group.members.values_list("pk", flat=True))
        group.members.set(User.objects.filter(pk__in=wanted))
        after = set(group.members.values_list("pk", flat=True))
    _tell(sorted(before ^ after))
    return group


def set_groups(user: User, group_ids: Sequence[str]) -> User:
    """The person is in exactly these groups from now on; unknown ids are dropped."""
    wanted = [found for text in group_ids if (found := uuid_or_none(text))]
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        before = set(user.groups.values_list("pk", flat=True))
        user.groups.set(Group.objects.filter(pk__in=wanted))
        after = set(user.groups.values_list("pk", flat=True))
    if before != after:
        _tell([user.pk])
    return user


def _tell(users: Sequence[Any]) -> None:
    if users:
        membership_changed.send(sender=Group, users=list(users))


def _save(group: Group, *, force_insert: bool = False) -> Group:
    try:
        with transaction.atomic():
            group.save(force_insert=force_insert)
    except IntegrityError:
        raise AlreadyInUse("name") from None
    return group
