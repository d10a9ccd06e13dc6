"""Whatever is sent, the answer is a refusal in words and never a failure (attacks.md A18, J8)."""

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.api.apps.rest import Rest

pytestmark = pytest.mark.postgres

STRANGE_IDS = ["%00", "~AA", "~" + base64.urlsafe_b64encode("ä\n".encode()).decode().rstrip("="), "~~~", "%FF", "x" * 3000, "%2e%2e", "' OR 1=1 --", "%20", "00000000-0000-0000-0000-00000000000g", "{}"]  # fmt: skip


@pytest.mark.parametrize("strange", STRANGE_IDS)
def test_a_strange_id_is_not_found(rest: Rest, strange: str) -> None:
    client, body = (
        rest.client()["id"],
        {
            "name": "x",
            "userGroupIds": [],
            "oidcClientIds": [],
            "permissions": [],
            "endpoint": "https://a.example.com",
            "oidcClientId": "x",
        },
    )
    for method, path in [
        ("GET", f"/oidc/clients/{strange}"), ("PUT", f"/oidc/clients/{strange}"), ("DELETE", f"/oidc/clients/{strange}"), ("GET", f"/oidc/clients/{strange}/meta"), ("GET", f"/oidc/clients/{strange}/logo"), ("GET", f"/oidc/clients/{strange}/scim-service-provider"),
        ("PUT", f"/oidc/clients/{strange}/allowed-user-groups"), ("DELETE", f"/oidc/clients/{client}/secrets/{strange}"), ("GET", f"/oidc/clients/{client}/preview/{strange}?scopes=openid"), ("GET", f"/oidc/users/{strange}/authorized-clients"),
        ("DELETE", f"/oidc/users/me/authorized-clients/{strange}"), ("PUT", f"/user-groups/{strange}/allowed-oidc-clients"), ("GET", f"/apis/{strange}"), ("PUT", f"/apis/{strange}/permissions"), ("DELETE", f"/apis/{strange}/clients/{client}"),
        ("GET", f"/api-access/{strange}/apis"), ("PUT", f"/scim/service-provider/{strange}"), ("DELETE", f"/scim/service-provider/{strange}"),
    ]:  # fmt: skip
        answer = rest(method, path, None if method in ("GET", "DELETE") else body)
        assert answer.status == 404, (method, path, answer.response.content[:200])


JSON: SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["https://a.example.com/cb", "openid", "RSA"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["issuer", "publicKeys", "kty", "kid", "n", "federatedIdentities", "key", "name", "d"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
FIELDS = ["id", "name", "description", "callbackURLs", "logoutCallbackURLs", "isPublic", "credentials", "launchURL", "backchannelLogoutURL", "backchannelLogoutOnSessionExpiry", "accessTokenDurationMinutes", "refreshTokenDurationMinutes", "refreshTokens", "signingAlgorithm", "claimsInIdToken", "secret", "expiresAt", "userGroupIds", "resource", "permissions", "enabled", "permissionIds", "userDelegatedAccess", "userDelegatedPermissionIds", "clientPermissionIds", "endpoint", "token", "oidcClientId", "oidcClientIds"]  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=JSON | st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6), named=st.booleans())
def test_no_body_makes_the_server_fail(rest: Rest, body: Any, named: bool) -> None:
    if named and isinstance(body, dict):
        body = {"name": "Wiki", "endpoint": "https://a.example.com", "resource": "urn:x"} | body
    text = json.dumps(body)
    client = rest.client()["id"]
    api = rest.api(resource=f"urn:{client}")["id"]
    for method, path in [
        ("POST", "/oidc/clients"), ("PUT", f"/oidc/clients/{client}"), ("PUT", f"/oidc/clients/{client}/allowed-user-groups"), ("POST", f"/oidc/clients/{client}/secrets"), ("POST", "/apis"), ("PUT", f"/apis/{api}/permissions"),
        ("PUT", f"/apis/{api}/cimd-access"), ("PUT", f"/apis/{api}/clients/{client}"), ("POST", "/scim/service-provider"),
    ]:  # fmt: skip
        answer = rest(method, path, text)
        assert answer.status < 500, (method, path, text)
        if answer.status >= 400:
            assert answer.json.keys() >= {"error", "code", "request_id"}


@pytest.mark.parametrize(
    "query",
    [
        "search=%00",
        "search=%25_%5C",
        "filters[pkceEnabled]=%00",
        "filters[clientType]=%00",
        "filters[nonsense]=1",
        "sort[column]=secrets",
        "sort[column]=__class__",
        "pagination[page]=-1",
        "pagination[page]=99999999999999",
        "pagination[limit]=x",
        "page=%FF",
    ],
)
def test_no_query_makes_a_list_fail(rest: Rest, query: str) -> None:
    rest.client()
    rest.api()
    for path in ("/oidc/clients", "/oidc/users/me/clients", "/oidc/users/me/authorized-clients", "/apis"):
        answer = rest.get(f"{path}?{query}")
        assert answer.status == 200, (path, answer.response.content[:200])
        assert answer.json["pagination"]["totalPages"] >= 1
