"""APIs, their permissions, and which client may have what (RFC 8707; Pocket ID since 2.10)."""

from collections import Counter, defaultdict
from uuid import UUID

from moving.pocket_id.arrival import Arrival
from moving.writing import writing
from oidc import api_access
from oidc.models import ApiAccess, ApiPermission, ApiResource

Granted = tuple[int, UUID, str]  # client, API, subject


def bring(arrival: Arrival) -> None:
    apis = _resources(arrival)
    _permissions(arrival, apis)
    _access(arrival, apis)


def _resources(arrival: Arrival) -> set[UUID]:
    report, present = arrival.report, set()
    here = dict(ApiResource.objects.values_list("pk", "audience"))
    with writing(ApiResource) as writer:
        for row in arrival.rows("apis", "created_at"):
            pk, name = row.uuid("id"), row.text("name")
            try:
                audience = api_access.audience(row.text("audience"))
            except api_access.UnusableAudience as wrong:
                report.leave_out("apis", "unusable address", f"{name} ({row.text('audience')})", str(wrong))
                continue
            if pk in here:
                report.already_there["apis"] += 1
                audience = here[pk]
            elif audience in here.values():
                report.clash("apis", name, "name taken", audience)
                continue
            else:
                writer.add(
                    id=pk,
                    name=arrival.fitted(ApiResource, "name", name, what="apis"),
                    audience=audience,
                    allow_metadata_clients=row.flag("allow_cimd_clients"),
                    created_at=row.when(),
                )
            present.add(pk)
            arrival.audiences.add(audience)
    report.came["apis"] += writer.count
    return present


def _permissions(arrival: Arrival, apis: set[UUID]) -> None:
    report = arrival.report
    here = {pk: (api, key) for pk, api, key in ApiPermission.objects.values_list("pk", "api_id", "key")}
    taken = set(here.values())
    positions = Counter(api for api, _key in taken)
    with writing(ApiPermission) as writer:
        for row in arrival.rows("api_permissions", "created_at"):
            pk, api, key = row.uuid("id"), row.uuid("api_id"), row.text("key")
            if api not in apis:
                report.leave_out("permissions", "owner missing", key)
                continue
            if not api_access.is_scope(key):
                report.leave_out("permissions", "unusable scope", key)
                continue
            if pk in here:
                report.already_there["permissions"] += 1
            elif (api, key) in taken:
                report.clash("permissions", key, "name taken", key)
                continue
            else:
                writer.add(
                    id=pk,
                    api_id=api,
                    key=key,
                    name=arrival.fitted(ApiPermission, "name", row.text("name"), what="permissions", name=key),
                    description=arrival.fitted(
                        ApiPermission, "description", row.text("description"), what="permissions", name=key
                    ),
                    allowed_for_metadata_clients=row.flag("allowed_for_cimd_clients"),
                    position=positions[api],
                )
                positions[api] += 1
            arrival.permissions[pk] = api
    report.came["permissions"] += writer.count


def _access(arrival: Arrival, apis: set[UUID]) -> None:
    explicit: set[Granted] = set()
    permitted: defaultdict[Granted, list[UUID]] = defaultdict(list)
    for row in arrival.rows("oidc_clients_allowed_apis"):
        client, api = arrival.clients.get(row.text("oidc_client_id")), row.uuid("api_id")
        if client is None or api not in apis:
            arrival.report.tally("api access", "owner missing")
        else:
            explicit.add((client, api, row.text("subject_type")))
    for row in arrival.rows("oidc_clients_allowed_api_permissions"):
        client, permission = arrival.clients.get(row.text("oidc_client_id")), row.uuid("api_permission_id")
        if client is None or permission not in arrival.permissions:
            arrival.report.tally("api access", "owner missing")
        else:
            permitted[client, arrival.permissions[permission], row.text("subject_type")].append(permission)
    here = set(ApiAccess.objects.values_list("client_id", "api_id", "subject"))
    for granted in sorted(explicit | permitted.keys(), key=str):
        if granted in here:
            arrival.report.already_there["api access"] += 1
            continue
        client_pk, api, subject = granted
        made = ApiAccess.objects.create(
            client_id=client_pk, api_id=api, subject=subject, is_explicit=granted in explicit
        )
        made.permissions.set(ApiPermission.objects.filter(pk__in=permitted.get(granted, [])))
        arrival.report.came["api access"] += 1
