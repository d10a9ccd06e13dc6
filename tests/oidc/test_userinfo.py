"""The userinfo endpoint (OIDC Core section 5.3), and what is said about a person by scope."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import CustomClaim, Group
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, an_app, http, post_form, userinfo

pytestmark = pytest.mark.postgres


@pytest.fixture
def at_home(browser: Browser, person: Person) -> Browser:
    browser.sign_in(person)
    return browser


@pytest.fixture
def access_token(at_home: Browser, client_app: App) -> str:
    return client_app.tokens(at_home)["access_token"]


def refusal(response) -> tuple[int, str]:
    """RFC 6750 section 3: why, in the header and in the body."""
    challenge = response["WWW-Authenticate"]
    body = response.json()
    assert body["error_description"]
    assert "ü" not in challenge
    return response.status_code, challenge.partition('error="')[2].partition('"')[0]


@pytest.mark.spec("conformance", "R15")
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_the_token_comes_in_the_header(access_token: str, person: Person, method: str, scheme: str) -> None:
    response = getattr(http(), method)("/api/oidc/userinfo", headers={"Authorization": f"{scheme} {access_token}"})
    assert response["Content-Type"] == "application/json; charset=utf-8"
    assert response["Cache-Control"] == "private, no-store"
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response.json()["sub"] == person.subject


@pytest.mark.spec("RFC 6750", "2.2")
def test_or_in_a_form(access_token: str, person: Person) -> None:
    assert post_form("/api/oidc/userinfo", {"access_token": access_token}).json()["sub"] == person.subject


@pytest.mark.spec("attacks.md", "C26")
def test_but_never_in_the_address(access_token: str) -> None:
    for response in (
        http().get("/api/oidc/userinfo", {"access_token": access_token}),
        post_form(f"/api/oidc/userinfo?access_token={access_token}", {}),
    ):
        assert response.status_code == 401


@pytest.mark.spec("relying-parties.md", "3, rule 20")
def test_a_content_type_without_a_body_is_no_matter(access_token: str) -> None:
    assert (
        http()
        .get("/api/oidc/userinfo", headers={"Authorization": f"Bearer {access_token}"}, CONTENT_TYPE="application/json")
        .status_code
        == 200
    )


@pytest.mark.spec("RFC 6750", "3.1")
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic eDp5", "Token x", "x"])
def test_without_a_token_there_is_a_challenge_and_no_reason(db: None, header: str | None) -> None:
    response = http().get("/api/oidc/userinfo", headers={"Authorization": header} if header is not None else {})
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.spec("attacks.md", "C9")
@pytest.mark.parametrize(
    "change",
    [
        lambda t: t[:-1],
        lambda t: t + "A",
        lambda t: t + " x",
        lambda t: "A" + t[1:],
        lambda t: t.upper(),
        lambda t: t.replace(".", ".."),
        lambda t: "x",
        lambda t: "a.b.c",
        lambda t: "ü",
        lambda t: "\x7f",
        lambda t: "x" * 60_000,
    ],
)
def test_a_changed_token_is_no_token(access_token: str, change) -> None:
    assert refusal(http().get("/api/oidc/userinfo", headers={"Authorization": "Bearer " + change(access_token)})) == (
        401,
        "invalid_token",
    )


@pytest.mark.spec("attacks.md", "C10")
def test_another_kind_of_token_is_no_access_token(at_home: Browser, client_app: App) -> None:
    code = client_app.code(at_home, scope="openid offline_access")
    tokens = client_app.redeem(code).json()
    for other in (tokens["id_token"], tokens["refresh_token"], code, at_home.session_key):
        assert refusal(userinfo(other)) == (401, "invalid_token")


@pytest.mark.spec("RFC 6750", "3.1")
def test_an_access_token_ends(at_home: Browser) -> None:
    tokens = an_app("Short", access_token_minutes=5).tokens(at_home)
    assert tokens["expires_in"] == 300
    with time_machine.travel(timezone.now() + timedelta(seconds=301)):
        assert refusal(userinfo(tokens["access_token"])) == (401, "invalid_token")


@pytest.mark.spec("RFC 6750", "3.1")
def test_a_disabled_person_is_not_told_of(access_token: str, person: Person) -> None:
    person.user.disabled = True
    person.user.save()
    assert refusal(userinfo(access_token)) == (401, "invalid_token")


@pytest.mark.spec("OIDC Core", "5.3")
def test_without_openid_there_is_nothing_to_see(at_home: Browser, client_app: App) -> None:
    for scope in ("profile", ""):
        tokens = client_app.tokens(at_home, scope=scope)
        assert "id_token" not in tokens
        assert refusal(userinfo(tokens["access_token"])) == (403, "insufficient_scope")


@pytest.mark.spec("OIDC Core", "5.3.1")
@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_only_get_and_post(db: None, method: str) -> None:
    assert getattr(http(), method)("/api/oidc/userinfo").status_code == 404
    assert http().options("/api/oidc/userinfo").status_code == 204


# Claims


def claims(browser: Browser, app: App, scope: str) -> dict[str, object]:
    return userinfo(app.tokens(browser, scope=scope)["access_token"]).json()


@pytest.mark.spec("OIDC Core", "5.4")
@pytest.mark.spec("Pocket ID contract", "8.3")
def test_each_scope_tells_its_own(at_home: Browser, client_app: App, person: Person) -> None:
    sub = {"sub": person.subject}
    profile = {
        "given_name": "Bob",
        "family_name": "Example",
        "name": "Bob Example",
        "display_name": "Bob Example",
        "preferred_username": "bob",
        "picture": f"http://localhost:1411/api/users/{person.subject}/profile-picture.png",
        "locale": "en",
        "updated_at": int(person.user.updated_at.timestamp()),
    }
    email = {"email": "bob@example.org", "email_verified": True}
    assert claims(at_home, client_app, "openid") == sub
    assert claims(at_home, client_app, "openid profile") == sub | profile
    assert claims(at_home, client_app, "openid email") == sub | email
    assert claims(at_home, client_app, "openid groups") == sub | {"groups": []}
    assert claims(at_home, client_app, "openid profile email groups offline_access") == sub | profile | email | {
        "groups": []
    }


@pytest.mark.spec("conformance", "R16")
def test_what_is_unknown_is_left_out(at_home: Browser, client_app: App, person: Person) -> None:
    person.user.email, person.user.first_name, person.user.last_name, person.user.display_name = None, "", "", ""
    person.user.save()
    told = claims(at_home, client_app, "openid profile email")
    assert told.keys() == {"sub", "name", "preferred_username", "picture", "locale", "updated_at"}
    assert told["name"] == "bob"


@pytest.mark.spec("OIDC Core", "5.1.2")
def test_groups_are_told_by_name(at_home: Browser, client_app: App, person: Person) -> None:
    for name in ("writers", "admins", "Ünïcode 'quotes\""):
        person.user.groups.add(Group.objects.create(name=name, friendly_name=name.title()))
    Group.objects.create(name="others", friendly_name="Others")
    assert claims(at_home, client_app, "openid groups")["groups"] == sorted(["writers", "admins", "Ünïcode 'quotes\""])


@pytest.mark.spec("OIDC Core", "5.1.2")
def test_custom_claims_come_with_the_profile_as_json_or_text(at_home: Browser, client_app: App, person: Person) -> None:
    staff = Group.objects.create(name="staff", friendly_name="Staff")
    person.user.groups.add(staff)
    for key, value in {"shift": "night", "level": "1", "both": "group"}.items():
        CustomClaim.objects.create(group=staff, key=key, value=value)
    for key, value in {
        "both": "own",
        "list": '["a", 1]',
        "object": '{"a": {"b": null}}',
        "yes": "true",
        "text": "not json",
        "quote": 'a"b',
        "name": "Somebody Else",
        "huge": "1e999",
    }.items():
        CustomClaim.objects.create(user=person.user, key=key, value=value)
    told = claims(at_home, client_app, "openid profile")
    assert {key: told[key] for key in ("shift", "level", "both", "list", "object", "yes", "text", "quote", "name")} == {
        "shift": "night",
        "level": 1,
        "both": "own",
        "list": ["a", 1],
        "object": {"a": {"b": None}},
        "yes": True,
        "text": "not json",
        "quote": 'a"b',
        "name": "Bob Example",
    }
    assert "shift" not in claims(at_home, client_app, "openid email")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "[NaN]"])
@pytest.mark.spec("RFC 8259", "6")
def test_a_custom_claim_never_makes_the_answer_anything_but_json(
    at_home: Browser, client_app: App, person: Person, value: str
) -> None:
    import json

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    CustomClaim.objects.create(user=person.user, key="number", value=value)
    tokens = client_app.tokens(at_home, scope="openid profile")
    json.loads(userinfo(tokens["access_token"]).content, parse_constant=refuse)


@pytest.mark.spec("attacks.md", "C22")
@pytest.mark.parametrize(
    "key", ["sub", "iss", "aud", "exp", "acr", "amr", "auth_time", "nonce", "groups", "email_verified"]
)
def test_a_reserved_claim_cannot_be_made_and_would_have_no_effect(
    at_home: Browser, client_app: App, person: Person, key: str
) -> None:
    from django.core.exceptions import ValidationError

    from oidc.tokens import unverified_claims

    claim = CustomClaim(user=person.user, key=key, value="evil")
    with pytest.raises(ValidationError, match="reserved"):
        claim.full_clean()
    claim.save()
    tokens = client_app.tokens(at_home, scope="openid profile email groups")
    assert userinfo(tokens["access_token"]).json().get(key) != "evil"
    assert unverified_claims(tokens["id_token"]).get(key) != "evil"


# The rest of the standard claims


@pytest.mark.spec("OIDC Core", "5.1")
@pytest.mark.spec("conformance", "oidcc-scope-profile")
def test_the_profile_can_be_complete(at_home: Browser, client_app: App, person: Person) -> None:
    """All fourteen claims of the scope: those nobody but an administrator knows are custom claims."""
    given = {
        "middle_name": "Quentin",
        "nickname": "Bobby",
        "profile": "https://example.org/bob",
        "website": "https://bob.example.org",
        "gender": "male",
        "birthdate": "1990",
        "zoneinfo": "Europe/Berlin",
    }
    for key, value in given.items():
        person.user.custom_claims.create(key=key, value=value)
    person.user.locale = "de-DE"
    person.user.save()
    told = claims(at_home, client_app, "openid profile")
    assert given.items() <= told.items()  # as texts, also the year
    assert told["locale"] == "de-DE"
    assert isinstance(told["updated_at"], int)
    names = "name given_name family_name middle_name nickname preferred_username profile picture website gender birthdate zoneinfo locale updated_at"
    assert set(names.split()) <= told.keys()
    assert set(names.split()) <= set(http().get("/.well-known/openid-configuration").json()["claims_supported"])


def test_the_locale_is_the_persons_then_a_custom_claim_then_english(
    at_home: Browser, client_app: App, person: Person
) -> None:
    assert claims(at_home, client_app, "openid profile")["locale"] == "en"
    person.user.custom_claims.create(key="locale", value="fr")
    assert claims(at_home, client_app, "openid profile")["locale"] == "fr"
    person.user.locale = "de"
    person.user.save()
    assert claims(at_home, client_app, "openid profile")["locale"] == "de"


def test_a_change_of_what_is_told_is_a_newer_profile(at_home: Browser, client_app: App, person: Person) -> None:
    from accounts import custom_claims

    before = claims(at_home, client_app, "openid profile")["updated_at"]
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        custom_claims.replace(person.user, [("nickname", "Bobby")])
    person.user.refresh_from_db()
    assert person.user.updated_at.timestamp() - before > 200


@pytest.mark.spec("conformance", "R16")
def test_an_empty_standard_claim_is_left_out(at_home: Browser, client_app: App, person: Person) -> None:
    person.user.custom_claims.create(key="website", value="")
    assert "website" not in claims(at_home, client_app, "openid profile")
