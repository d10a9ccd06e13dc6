"""The settings of the installation, and sign-up links. Since 2.12 both are states of actors, before they were tables."""

from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from accounts.models import Group, SignupToken
from moving.pocket_id.arrival import Arrival
from moving.pocket_id.rows import Row, as_moment
from siteconfig.api.configuration import ConfigurationSerializer
from siteconfig.models import stored

CONFIGURATION, SIGNUP = "AppConfig", "SignupToken"
# Other keys of that table; the program's own, not the operator's.
_NOT_SETTINGS = frozenset(
    ("instanceid", "backgroundimagetype", "logoimagetype", "logolightimagetype", "logodarkimagetype")
)


def bring_configuration(arrival: Arrival) -> None:
    """Through the same checks as a client of the REST API: a value that is not allowed is named, and the others come."""
    given = _given(arrival)
    if not given:
        return
    if arrival.is_merge:
        arrival.report.leave_out("settings", "kept own", count=len(given))
        return
    row = stored()
    values = {name: str(value) for name, value in ConfigurationSerializer(row).data.items()}
    names = {name.lower(): name for name in values}
    for key, value in given.items():
        if key.lower() in names:
            values[names[key.lower()]] = value
        elif key.lower() not in _NOT_SETTINGS:
            arrival.report.leave_out("settings", "unknown setting", key)
    serializer = ConfigurationSerializer(data=values)
    if not serializer.is_valid():
        for name, problems in serializer.errors.items():
            arrival.report.leave_out("settings", "unusable setting", str(name), _sentence(problems))
            values[name] = str(ConfigurationSerializer(row).data[name])
        serializer = ConfigurationSerializer(data=values)
        serializer.is_valid(raise_exception=True)
    for column, value in serializer.validated_data.items():
        setattr(row, column, value)
    row.save()
    arrival.report.came["settings"] += sum(key.lower() in names for key in given)


def _given(arrival: Arrival) -> dict[str, str]:
    for actor in arrival.source.actors():
        if actor.kind == CONFIGURATION and isinstance(actor.state, dict):
            return {str(key): str(value) for key, value in actor.state.items() if value is not None}
    return {row.text("key"): row.text("value") for row in arrival.source.rows("app_config_variables")}


def _sentence(problems: Any) -> str:  # noqa: ANN401 - whatever REST framework says
    return "; ".join(map(str, problems)) if isinstance(problems, list) else str(problems)


def bring_signup_tokens(arrival: Arrival) -> None:
    report, now = arrival.report, timezone.now()
    here = set(SignupToken.objects.values_list("pk", flat=True))
    for row in _tokens(arrival):
        if row.when("expires_at") <= now:
            report.tally("signup tokens", "expired")
        elif row.uuid("id") in here:
            report.already_there["signup tokens"] += 1
        else:
            token = SignupToken(
                pk=row.uuid("id"),
                usage_limit=row.number("usage_limit"),
                usage_count=min(row.number("usage_count"), row.number("usage_limit")),
                created_at=row.when(),
                expires_at=row.when("expires_at"),
            )
            token.token = row.text("token")
            token.save(force_insert=True)
            token.groups.set(Group.objects.filter(pk__in=row.raw("groups") or ()))
            report.came["signup tokens"] += 1


def _tokens(arrival: Arrival) -> Iterator[Row]:
    groups: dict[str, list[str]] = {}
    for link in arrival.source.rows("signup_tokens_user_groups"):
        groups.setdefault(link.text("signup_token_id"), []).append(link.text("user_group_id"))
    for row in arrival.source.rows("signup_tokens"):
        yield Row(row.table, {**row.values, "groups": groups.get(row.text("id"))})
    for actor in arrival.source.actors():
        if actor.kind == SIGNUP and isinstance(actor.state, dict):
            # One actor for each token, whose id is the token; for a while one for all of them.
            for state in actor.state.get("Tokens") or [actor.state]:
                yield Row(
                    SIGNUP,
                    {
                        "id": state.get("ID"),
                        "token": state.get("Token") or actor.id,
                        "usage_limit": state.get("UsageLimit"),
                        "usage_count": state.get("UsageCount"),
                        "created_at": _time(state.get("CreatedAt")),
                        "expires_at": _time(state.get("ExpiresAt")),
                        "groups": state.get("UserGroupIDs"),
                    },
                )


def _time(value: Any) -> Any:  # noqa: ANN401 - a moment in any of the forms
    return as_moment(value) if value else None
