"""Accounts from their making to their end, whoever does it: the console, the REST API or a job."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts import custom_claims, sessions
from accounts.errors import LastAdministrator, UserNotFound
from accounts.models import DeviceLogin, Group, RetiredId, User
from accounts.signals import user_deleted, user_disabled, user_enabled
from core.errors import AlreadyInUse
from core.rest_fields import uuid_or_none
from siteconfig import json_text
from siteconfig.models import current

# The user that STATIC_API_KEY acts as; apikeys makes the row.
STATIC_USER_ID = uuid.UUID(int=0)

# What a person may change about themselves.
OWN_FIELDS = ("username", "email", "first_name", "last_name", "display_name", "locale")


def find(user_id: str) -> User:
    """The person of this id; raise ``UserNotFound`` also for what is no id at all."""
    wanted = uuid_or_none(user_id)
    found = User.objects.filter(pk=wanted).first() if wanted else None
    if found is None:
        raise UserNotFound
    return found


def named(name: str) -> User:
    """The person of this username, else of this e-mail address; raise ``UserNotFound``."""
    found = User.objects.filter(username__iexact=name).first() or User.objects.filter(email__iexact=name).first()
    if found is None:
        raise UserNotFound
    return found


def create(
    fields: Mapping[str, Any], *, groups: Sequence[Group] | None = None, user_id: uuid.UUID | None = None
) -> User:
    """A new account with the claims that new people get; without ``groups`` in the groups that new people join.

    ``fields`` are columns, already validated. Raise ``AlreadyInUse``.
    """
    configuration = current()
    user = User(**fields)
    if user_id is not None:
        user.pk = user_id
        _refuse_the_id_of_another(user)
    with transaction.atomic():
        _save(user, force_insert=True)
        if groups is None:
            groups = default_groups(json_text.texts(configuration.signup_default_user_group_ids))
        user.groups.set(groups)
        if claims := json_text.claims(configuration.signup_default_custom_claims):
            custom_claims.replace(user, claims)
    return user


def default_groups(group_ids: Sequence[str]) -> list[Group]:
    """The groups of these ids, as far as there are any."""
    wanted = [found for text in group_ids if (found := uuid_or_none(text))]
    return list(Group.objects.filter(pk__in=wanted))


def update(user: User, fields: Mapping[str, Any]) -> User:
    """Change columns of an account; raise ``AlreadyInUse`` or ``LastAdministrator``.

    Disabling ends for good what the person holds, so that enabling again revives nothing (attacks.md C5). Whatever a
    request that began before has written since ends when they are enabled.
    """
    with transaction.atomic():
        locked = _locked(user)
        was_active = locked.is_active
        loses_rights = locked.is_staff and not (
            fields.get("is_admin", locked.is_admin) and not fields.get("disabled", locked.disabled)
        )
        if loses_rights:
            _keep_an_administrator_besides(locked)
        for name, value in fields.items():
            setattr(locked, name, value)
        _save(locked)
        if was_active != locked.is_active:
            ended = _sign_out_everywhere(locked)
            if was_active:
                user_disabled.send(sender=User, user=locked, sessions=ended)
            else:
                user_enabled.send(sender=User, user=locked)
    return locked


def update_own(user: User, fields: Mapping[str, Any]) -> User:
    """What people change about themselves: the language always, the rest if the settings allow it.

    A new e-mail address counts as verified only where the settings say that all do (attacks.md D20).
    """
    configuration = current()
    if not configuration.allow_own_account_edit:
        return update(user, {"locale": fields.get("locale")})
    own = {name: value for name, value in fields.items() if name in OWN_FIELDS}
    if "email" in own and own["email"] != user.email:
        own["email_verified"] = bool(own["email"]) and configuration.emails_verified
    return update(user, own)


def delete(user: User) -> None:
    """End an account for good, and everything that is only this person's; raise ``LastAdministrator``."""
    with transaction.atomic():
        locked = _locked(user)
        if locked.is_staff:
            _keep_an_administrator_besides(locked)
        if locked.pk != STATIC_USER_ID:
            RetiredId.objects.update_or_create(pk=locked.pk, defaults={"username": locked.username})
        # Heard while the rows are still there that say which apps the person used.
        user_deleted.send(sender=User, user=locked, sessions=_sign_out_everywhere(locked))
        locked.delete()


def _locked(user: User) -> User:
    """The row as it is now, for this transaction alone; of an administrator with the others' rows.

    All at once and in one order: of two administrators who delete each other, one waits and is then the last.
    """
    wanted = Q(pk=user.pk) | Q(is_admin=True, disabled=False) if user.is_admin else Q(pk=user.pk)
    for found in User.objects.select_for_update().filter(wanted).order_by("pk"):
        if found.pk == user.pk:
            return found
    raise UserNotFound


def _keep_an_administrator_besides(user: User) -> None:
    # The user of STATIC_API_KEY is nobody: with the variable it is gone, and then nobody could sign in to the console.
    others = User.objects.select_for_update().filter(is_admin=True, disabled=False).order_by("pk")
    others = others.exclude(pk__in=(user.pk, STATIC_USER_ID))
    if not list(others.values_list("pk", flat=True)):
        raise LastAdministrator


def _sign_out_everywhere(user: User) -> list[uuid.UUID]:
    """End the person's sessions and what they let other browsers have; which sessions that were."""
    DeviceLogin.objects.filter(user=user).delete()
    ended = list(user.sessions.all())
    for session in ended:
        sessions.end(session)
    return [session.pk for session in ended]


def _refuse_the_id_of_another(user: User) -> None:
    """Who is declared again under the same name is the same person to whoever declares them."""
    retired = RetiredId.objects.filter(pk=user.pk).first()
    if user.pk == STATIC_USER_ID or (retired is not None and retired.username.lower() != user.username.lower()):
        raise AlreadyInUse("id")


def _save(user: User, *, force_insert: bool = False) -> None:
    """Raise ``AlreadyInUse`` with the column; the database's own constraints decide."""
    user.email = user.email or None
    others = User.objects.exclude(pk=user.pk)
    try:
        with transaction.atomic():
            user.save(force_insert=force_insert)
    except IntegrityError:
        if user.email and others.filter(email__iexact=user.email).exists():
            raise AlreadyInUse("email") from None
        if others.filter(username__iexact=user.username).exists():
            raise AlreadyInUse("username") from None
        raise AlreadyInUse("id") from None
