"""The SQL of the hot path, the same on SQLite and PostgreSQL, and how it is run."""

import re
from collections.abc import Sequence
from functools import cache
from itertools import count
from typing import Any

from django.db import connection

from core.rows import is_sqlite

# SQL that every statement shares. {array} makes a JSON array of the rows, {pair} one of two values.

_CLIENT = """c.id, c.client_id, c.name, c.client_type, c.redirect_uris, c.algorithm,
 (SELECT kid FROM oidc_signingkey k WHERE k.algorithm = c.algorithm AND k.state = 'current'),
 c.pkce_required, c.refresh_tokens, c.claims_in_id_token, c.access_token_minutes, c.refresh_token_minutes,
 c.id_token_minutes, c.refresh_token_absolute_minutes"""
_SECRETS = "(SELECT {array}({pair}(s.secret_hash, s.last_used_at)) FROM oidc_clientsecret s WHERE s.client_id = c.id AND (s.expires_at IS NULL OR s.expires_at > %s))"
_GRANT = "g.id, g.application_id, g.expires, g.redirect_uri, g.redirect_uri_given, g.scope, g.code_challenge, g.nonce, g.sid, g.auth_time, g.amr, g.used_at IS NOT NULL, g.revoked_at IS NOT NULL, g.claims, g.resource, g.created"
_PERSON = """u.id, u.username, u.email, u.email_verified, u.first_name, u.last_name, u.display_name, u.disabled, u.locale, u.updated_at,
 (SELECT {array}(gr.name) FROM accounts_user_groups m JOIN accounts_group gr ON gr.id = m.group_id WHERE m.user_id = u.id),
 (SELECT {array}({pair}(cc.key, cc.value)) FROM accounts_user_groups m JOIN accounts_customclaim cc ON cc.group_id = m.group_id WHERE m.user_id = u.id),
 (SELECT {array}({pair}(cc.key, cc.value)) FROM accounts_customclaim cc WHERE cc.user_id = u.id)"""
_DENIED = """(c.is_group_restricted AND NOT EXISTS (SELECT 1 FROM oidc_client_allowed_groups a JOIN accounts_user_groups m ON m.group_id = a.group_id
 WHERE a.client_id = c.id AND m.user_id = {user}))"""

_STATEMENTS = {
    "client": f"SELECT {_CLIENT}, {_SECRETS} FROM oidc_client c WHERE c.client_id = %s",
    "code": f"""SELECT {_CLIENT}, {_SECRETS}, {_GRANT}, {_PERSON}, {_DENIED.replace("{user}", "u.id")} FROM oidc_client c
 LEFT JOIN oidc_grant g ON g.code = %s LEFT JOIN accounts_user u ON u.id = g.user_id WHERE c.client_id = %s""",
    "refresh": f"""SELECT {_CLIENT}, {_SECRETS}, {_GRANT}, {_PERSON}, {_DENIED.replace("{user}", "u.id")}, r.id, r.expires, r.rotated_at,
 (SELECT n.rotated_at IS NOT NULL FROM oidc_refreshtoken n WHERE n.token_checksum = %s) FROM oidc_client c
 LEFT JOIN oidc_refreshtoken r ON r.token_checksum = %s LEFT JOIN oidc_grant g ON g.id = r.grant_id LEFT JOIN accounts_user u ON u.id = g.user_id WHERE c.client_id = %s""",
    "device": f"""SELECT {_CLIENT}, {_SECRETS}, d.id, d.status, d.interval, d.last_polled_at, d.application_id, d.expires, d.scope, d.nonce,
 d.sid, d.auth_time, d.amr, d.resource, {_PERSON}, {_DENIED.replace("{user}", "u.id")} FROM oidc_client c
 LEFT JOIN oidc_devicegrant d ON d.device_code = %s LEFT JOIN accounts_user u ON u.id = d.user_id WHERE c.client_id = %s""",
    "authorizing": f"""SELECT {_CLIENT}, c.skip_authorization, c.reauthentication_required, c.par_required, c.pkce_supported, c.logo_hash, {_DENIED.replace("{user}", "%s")}, o.id, o.scope, o.last_used_at FROM oidc_client c
 LEFT JOIN oidc_consent o ON o.client_id = c.id AND o.user_id = %s WHERE c.client_id = %s""",
    "access": f"""SELECT t.scope, t.expires, t.resource, c.client_id, g.claims, {_PERSON} FROM oidc_accesstoken t JOIN oidc_client c ON c.id = t.application_id
 LEFT JOIN oidc_grant g ON g.id = t.grant_id LEFT JOIN oidc_refreshtoken r ON r.id = t.refresh_token_id LEFT JOIN accounts_user u ON u.id = g.user_id
 WHERE t.token_checksum = %s AND t.expires > %s AND g.revoked_at IS NULL AND r.rotated_at IS NULL""",
    "token": f"""SELECT {_CLIENT}, {_SECRETS}, t.id, t.application_id, t.grant_id, t.scope, t.expires, t.created, t.resource,
 tg.revoked_at IS NULL AND tr.rotated_at IS NULL, r.id, g.application_id, r.grant_id, g.scope, r.expires, r.created, '[]',
 g.revoked_at IS NULL AND r.rotated_at IS NULL, u.id, u.disabled FROM oidc_client c
 LEFT JOIN oidc_accesstoken t ON t.token_checksum = %s LEFT JOIN oidc_grant tg ON tg.id = t.grant_id
 LEFT JOIN oidc_refreshtoken tr ON tr.id = t.refresh_token_id LEFT JOIN oidc_refreshtoken r ON r.token_checksum = %s
 LEFT JOIN oidc_grant g ON g.id = r.grant_id LEFT JOIN accounts_user u ON u.id = COALESCE(tg.user_id, g.user_id)
 WHERE c.client_id = %s""",
    "delete access": "DELETE FROM oidc_accesstoken WHERE id = %s",
    "poll device": "UPDATE oidc_devicegrant SET last_polled_at = %s, interval = %s WHERE id = %s",
    "use device": "DELETE FROM oidc_devicegrant WHERE id = %s AND status = 'authorized'",
    "use code": "UPDATE oidc_grant SET used_at = %s WHERE id = %s AND used_at IS NULL AND revoked_at IS NULL",
    "rotate": """UPDATE oidc_refreshtoken SET rotated_at = %s WHERE id = %s AND rotated_at IS NULL
 AND EXISTS (SELECT 1 FROM oidc_grant g WHERE g.id = oidc_refreshtoken.grant_id AND g.revoked_at IS NULL)""",
    "insert refresh": "INSERT INTO oidc_refreshtoken (token_checksum, grant_id, expires, rotated_at, created) VALUES (%s, %s, %s, NULL, %s) RETURNING id",
    "insert access": "INSERT INTO oidc_accesstoken (token_checksum, application_id, grant_id, refresh_token_id, expires, scope, resource, created) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
    "insert access beside": """INSERT INTO oidc_accesstoken (token_checksum, application_id, grant_id, refresh_token_id, expires, scope, resource, created)
 SELECT %s, %s, r.grant_id, r.id, %s, %s, %s, %s FROM oidc_refreshtoken r JOIN oidc_grant g ON g.id = r.grant_id WHERE r.token_checksum = %s AND r.rotated_at IS NULL AND g.revoked_at IS NULL""",
    "insert grant": """INSERT INTO oidc_grant (code, user_id, application_id, expires, redirect_uri, redirect_uri_given, scope, code_challenge, code_challenge_method, nonce, claims, resource,
 sid, auth_time, amr, created) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
    "insert used grant": """INSERT INTO oidc_grant (code, user_id, application_id, expires, redirect_uri, redirect_uri_given, scope, code_challenge,
 code_challenge_method, nonce, claims, resource, sid, auth_time, amr, created, used_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id""",
    "notice pkce": "UPDATE oidc_client SET pkce_supported = TRUE WHERE id = %s AND NOT pkce_supported",
    "touch secret": "UPDATE oidc_clientsecret SET last_used_at = %s WHERE client_id = %s AND secret_hash = %s",
    "touch consent": "UPDATE oidc_consent SET last_used_at = %s WHERE id = %s",
    "revoke": "UPDATE oidc_grant SET revoked_at = %s WHERE id = %s AND revoked_at IS NULL",
}
_DIALECTS = {
    "sqlite": {"array": "json_group_array", "pair": "json_array"},
    "postgresql": {"array": "json_agg", "pair": "json_build_array"},
}


@cache
def _sql(name: str) -> str:
    text = _STATEMENTS[name]
    for word, function in _DIALECTS["sqlite" if is_sqlite() else "postgresql"].items():
        text = text.replace("{" + word + "}", function)
    if is_sqlite():
        # For each %s Django searches the whole text with a regular expression, which takes longer than the longest of
        # these statements; names it only puts in.
        number = count()
        text = re.sub("%s", lambda _match: f"%(p{next(number)})s", text)
    return text


def _given(parameters: Sequence[Any]) -> Sequence[Any] | dict[str, Any]:
    return {f"p{n}": value for n, value in enumerate(parameters)} if is_sqlite() else parameters


def fetch(name: str, *parameters: Any) -> tuple[Any, ...] | None:  # noqa: ANN401 - SQL parameters and columns
    """The one row that a statement gives, if it gives one."""
    with connection.cursor() as cursor:
        cursor.execute(_sql(name), _given(parameters))
        found: tuple[Any, ...] | None = cursor.fetchone()
        return found


def run(name: str, *parameters: Any) -> int:  # noqa: ANN401 - SQL parameters
    """How many rows a statement changed."""
    with connection.cursor() as cursor:
        cursor.execute(_sql(name), _given(parameters))
        changed: int = cursor.rowcount
        return changed
