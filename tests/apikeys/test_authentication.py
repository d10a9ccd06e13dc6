"""Whose request it is (contract section 1.4), and what a key may do."""

from datetime import timedelta

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts.models import User
from apikeys import scopes
from apikeys.models import ApiKey
from core.rest_view import PublicResource, Resource
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.api.people.script import Script, refusal


@pytest.mark.parametrize("header", ["X-API-Key", "x-api-key", "X-API-KEY", "X-Api-Key"])
def test_the_header_in_any_case(admin: Person, header: str) -> None:
    script = Script(admin.user)
    assert Script().call("GET", "/api/users/me", headers={header: script.secret}).json()["id"] == admin.subject


@pytest.mark.spec("attacks.md", "G6")
@pytest.mark.parametrize(
    "how", ["wrong", "revoked", "expired", "other prefix", "cut short", "in the query", "as bearer", "blank"]
)
def test_a_key_that_is_not_good_is_nobodys(admin: Person, how: str) -> None:
    good = Script(admin.user)
    key, path, headers = good.secret, "/api/users/me", {}
    match how:
        case "wrong":
            key = "pid_" + "x" * 43
        case "revoked":
            good.key.delete()
        case "expired":
            ApiKey.objects.update(expires_at=timezone.now())
        case "other prefix":
            key = key.replace("pid_", "ppp_")
        case "cut short":
            key = key[:-1]
        case "in the query":
            key, path = "", f"/api/users/me?api_key={key}&X-API-Key={key}"
        case "as bearer":
            key, headers = "", {"Authorization": f"Bearer {key}"}
        case "blank":
            key = " "
    assert refusal(Script(key=key).call("GET", path, headers=headers)) == (401, "not_signed_in")


def test_a_session_counts_before_a_key(person: Person, admin: Person, browser: Browser) -> None:
    browser.sign_in(person)
    key = {"X-API-Key": Script(admin.user).secret}
    assert browser.get("/api/users/me", headers=key).json()["id"] == person.subject
    assert refusal(browser.get("/api/users", headers=key)) == (403, "forbidden")
    browser.cookies["access_token"] = "garbage"
    assert browser.get("/api/users/me", headers=key).json()["id"] == admin.subject


def test_a_disabled_owner_is_told_so(person: Person) -> None:
    script = Script(person.user)
    User.objects.filter(pk=person.user.pk).update(disabled=True)
    assert refusal(script.read("/api/users/me")) == (403, "user_disabled")


@pytest.mark.spec("attacks.md", "G5")
def test_a_key_may_what_its_owner_may_and_ends_with_them(person: Person, admin: Person) -> None:
    script = Script(person.user)
    assert refusal(script.read("/api/users")) == (403, "forbidden")
    User.objects.filter(pk=person.user.pk).update(is_admin=True)
    assert script.read("/api/users").status_code == 200
    User.objects.filter(pk=person.user.pk).update(is_admin=False)
    assert refusal(script.read("/api/users")) == (403, "forbidden")
    Script(admin.user).remove(f"/api/users/{person.subject}")
    assert not ApiKey.objects.filter(pk=script.key.pk).exists()


# Scopes


def test_a_key_with_scopes_may_no_more_than_they_say(admin: Person, person: Person) -> None:
    reader, writer = Script(admin.user, scopes=("users:read",)), Script(admin.user, scopes=("users:write",))
    assert reader.read("/api/users").status_code == writer.read("/api/users").status_code == 200
    refused = reader.make("/api/users", {"username": "x", "email": "x@example.com"})
    assert (refusal(refused), refused.json()["error"]) == (
        (403, "forbidden"),
        "This API key lacks the scope users:write",
    )
    assert refused.json()["details"] == {"scope": "users:write"}
    assert writer.make("/api/users", {"username": "x", "email": "x@example.com"}).status_code == 201
    assert writer.read("/api/user-groups").json()["details"] == {"scope": "user-groups:read"}
    assert writer.read("/api/api-keys").json()["details"] == {"scope": "api-keys:read"}


@pytest.mark.spec("attacks.md", "G5")
def test_a_key_with_scopes_makes_no_administrators_and_gets_into_none(admin: Person, person: Person) -> None:
    script = Script(admin.user, scopes=scopes.ALL)
    body = {"username": "x", "email": "x@example.com", "isAdmin": True}
    answers = [
        script.make("/api/users", body),
        script.change(f"/api/users/{person.subject}", body),
        script.change(f"/api/users/{admin.subject}", body),
        script.change("/api/users/me", body),
        script.remove(f"/api/users/{admin.subject}"),
        script.make(f"/api/users/{admin.subject}/one-time-access-token", {}),
        script.make(f"/api/users/{admin.subject}/one-time-access-email", {}),
        script.change(f"/api/custom-claims/user/{admin.subject}", []),
        script.remove(f"/api/users/{admin.subject}/webauthn-credentials/{admin.passkey.pk}"),
    ]
    assert {refusal(answer) for answer in answers} == {(403, "forbidden")}
    assert script.make(f"/api/users/{person.subject}/one-time-access-token", {}).status_code == 201


def resources() -> list[type[Resource]]:
    """Every REST resource that is served."""

    def views(resolver: URLResolver) -> list[object]:
        return [
            view
            for each in resolver.url_patterns
            for view in (views(each) if isinstance(each, URLResolver) else [each.callback])
        ]

    assert isinstance(get_resolver().url_patterns[0], URLPattern | URLResolver)
    found = {getattr(view, "view_class", None) for view in views(get_resolver())}
    return sorted(
        (view for view in found if isinstance(view, type) and issubclass(view, Resource)),
        key=lambda view: view.__qualname__,
    )


def test_every_resource_says_which_scope_it_belongs_to() -> None:
    """Without one a key with scopes is refused, and nobody could say which it needs."""
    by_session = {"Verification", "VerificationDecision"}
    unknown = [
        view.__qualname__
        for view in resources()
        if view.scope not in scopes.RESOURCES
        and not issubclass(view, PublicResource)
        and view.__name__ not in by_session
    ]
    assert unknown == []
    assert len(resources()) > 40


def test_a_key_that_expires_later_than_now_is_all_that_is_usable(admin: Person) -> None:
    soon = Script(admin.user)
    ApiKey.objects.filter(pk=soon.key.pk).update(expires_at=timezone.now() + timedelta(seconds=5))
    assert soon.read("/api/users/me").status_code == 200
