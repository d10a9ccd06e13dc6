"""What has no place here, by name: nothing is dropped without a word."""

from moving.pocket_id import settings
from moving.pocket_id.arrival import Arrival

# Columns that are read by the other files of this package, or whose loss means nothing.
_READ = {
    "users": "id created_at updated_at username email email_verified first_name last_name display_name is_admin ldap_id locale disabled",
    "user_groups": "id created_at updated_at friendly_name name ldap_id",
    "user_groups_users": "user_id user_group_id",
    "custom_claims": "id created_at key value user_id user_group_id",
    "webauthn_credentials": "id created_at name credential_id public_key attestation_type transport user_id backup_eligible backup_state aaguid icon_hidden",
    "oidc_clients": "id created_at name description callback_urls logout_callback_urls image_type dark_image_type created_by_id is_public pkce_enabled "
    "pkce_supported requires_reauthentication requires_pushed_authorization_requests skip_consent is_group_restricted launch_url credentials secret "
    "client_type metadata_expires_at metadata_grant_types access_token_duration_minutes refresh_token_duration_minutes backchannel_logout_url",
    "oidc_clients_allowed_user_groups": "oidc_client_id user_group_id",
    "user_authorized_oidc_clients": "user_id client_id scope last_used_at",
    "apis": "id created_at updated_at name audience allow_cimd_clients",
    "api_permissions": "id created_at api_id key name description allowed_for_cimd_clients",
    "oidc_clients_allowed_apis": "oidc_client_id api_id subject_type",
    "oidc_clients_allowed_api_permissions": "oidc_client_id api_permission_id subject_type",
    "oauth2_sessions": "id created_at kind key request_id client_id access_token_signature active request_data expires_at rotated_at",
    "oidc_refresh_tokens": "id created_at token expires_at scope user_id client_id authentication_method id_token_jti",
    "api_keys": "id name key description expires_at last_used_at created_at user_id expiration_email_sent",
    "audit_logs": "id created_at event ip_address user_agent country city data user_id",
    "scim_service_providers": "id created_at endpoint token last_synced_at oidc_client_id",
    "signup_tokens": "id created_at token expires_at usage_limit usage_count",
    "signup_tokens_user_groups": "signup_token_id user_group_id",
    "app_config_variables": "key value",
    "kv": "key value",
    "storage": "path data size mod_time created_at",
    "schema_migrations": "version dirty",
}
# Rows that end by themselves, or serve the old program only.
_SHORT_LIVED = (
    "webauthn_sessions",
    "reauthentication_tokens",
    "interaction_sessions",
    "oauth2_jtis",
    "oidc_authorization_codes",
    "oidc_device_codes",
    "oidc_pushed_authorization_requests",
    "email_verification_tokens",
)
_LOGIN_CODES = "one_time_access_tokens"
_INTERNAL = ("francis_",)
_KNOWN_VALUES = frozenset(
    ("instance_id", "jwt_private_key.json", "config_migrated", "signup_tokens_migrated", "session_key.json")
)
_WAITING = ("EmailVerification", "DeviceLogin")
_CODES = ("OneTimeAccess", "OneTimeToken", "LoginCode")
_JOBS = ("francis.builtin.", "ScimSync", "LdapSync", "GeoLite", "Analytics", "BackchannelLogout")
_MERELY_NOTED = {("oidc_clients", "created_by_id"), ("webauthn_credentials", "icon_hidden")}


def tell(arrival: Arrival) -> None:
    report = arrival.report
    for table, count in sorted(arrival.source.tables().items()):
        if not count or table.startswith(_INTERNAL):
            continue
        if table in _SHORT_LIVED:
            report.leave_out("rows", "short lived", table, count=count)
        elif table == _LOGIN_CODES:
            report.leave_out("login codes", "make again", count=count)
        elif table in _READ:
            _columns(arrival, table)
        else:
            report.leave_out("tables", "unknown", f"{table} ({count})", count=count)
    for key in arrival.source.key_values():
        if key not in _KNOWN_VALUES:
            report.leave_out("state", "unknown", key)
    for actor in arrival.source.actors():
        if actor.kind.startswith(_WAITING):
            report.tally("waiting", "short lived")
        elif actor.kind.startswith(_CODES):
            report.tally("login codes", "make again")
        elif actor.kind not in (settings.CONFIGURATION, settings.SIGNUP) and not actor.kind.startswith(_JOBS):
            report.leave_out("state", "unknown", f"{actor.kind} {actor.id}")
    report.leave_out("sessions", "sign in again")


def _columns(arrival: Arrival, table: str) -> None:
    """Columns of a newer version that hold something."""
    unknown: set[str] = set()
    for row in arrival.source.rows(table):
        unknown |= {name for name in row.values.keys() - _KNOWN[table] if row.raw(name) not in (None, "", False, 0)}
    for name in sorted(unknown):
        arrival.report.leave_out("columns", "unknown", f"{table}.{name}")
    for noted, column in _MERELY_NOTED:
        if noted == table and any(row.raw(column) for row in arrival.source.rows(table)):
            arrival.report.leave_out("columns", "not kept", f"{table}.{column}")


_KNOWN = {table: frozenset(columns.split()) for table, columns in _READ.items()}
