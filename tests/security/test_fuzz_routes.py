"""Every address there is, also those that were added after this was written: an administrator's senseless requests."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLResolver, get_resolver

from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.security.soundness import is_sound

pytestmark = pytest.mark.postgres


def routes(patterns: list[Any] | None = None, prefix: str = "/") -> Iterator[str]:
    for each in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(each, URLResolver):
            if each.app_name != "admin":
                yield from routes(each.url_patterns, prefix + str(each.pattern))
        else:
            yield re.sub(r"<[^>]+>", "{0}", prefix + str(each.pattern))


BODIES = [
    b"",
    b"{}",
    b"[" * 50_000,
    b'{"name": "a\\u0000b", "username": "\\ud800"}',
    json.dumps(
        {
            name: [{}]
            for name in (
                "name",
                "username",
                "email",
                "id",
                "token",
                "code",
                "ttl",
                "expiresAt",
                "description",
                "userIds",
                "groups",
                "step",
                "value",
                "callbackURLs",
                "isPublic",
                "credentials",
            )
        }
    ).encode(),
    json.dumps(
        dict.fromkeys(("name", "ttl", "expiresAt", "usageLimit", "accessTokenDurationMinutes"), -(10**30))
    ).encode(),
]
QUERY = "?pagination[page]=-1&pagination[limit]=1e9&sort[column]=password&sort[direction]=%00&filters[x][]=%00&search=%00&code=%00"


@pytest.mark.parametrize("route", sorted(set(routes())))
def test_every_route_as_an_administrator(browser: Browser, admin: Person, route: str) -> None:
    """DELETE never names the administrator herself."""
    calls = (
        [("GET", part, b"") for part in ("x", admin.subject, "%00", "~%ff")]
        + [(method, "x", body) for method in ("POST", "PUT", "PATCH") for body in BODIES]
        + [("PUT", admin.subject, BODIES[4]), ("DELETE", "x", b""), ("DELETE", "%00", b"")]
    )
    for method, part, body in calls:
        if not browser.session_key or route.endswith(("logout", "finish")):
            browser.sign_in(admin)  # some of these sign out
        assert is_sound(
            browser.generic(method, route.format(part) + QUERY, body, content_type="application/json"),
            (method, route, part, body[:30]),
        )
