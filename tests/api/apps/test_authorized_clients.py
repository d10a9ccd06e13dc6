"""Which apps a person has let know about them, which they may use, and taking it back (contract section 4.1)."""

import json

import pytest

from accounts.models import Group
from audit.models import Entry, Event
from oidc import consent
from oidc.models import Client, Consent, Grant, LogoutDelivery
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.api.apps.rest import NOBODY, Rest
from tests.oidc.app import App, an_app, answer, userinfo

pytestmark = pytest.mark.postgres

META = {"id", "name", "description", "hasLogo", "hasDarkLogo", "launchURL", "requiresReauthentication", "clientType"}


@pytest.fixture
def wiki(as_bob: Rest) -> App:
    """An app that bob has signed in to."""
    app = an_app("Wiki", launch_url="https://wiki.example.com", refresh_tokens="always")
    app.tokens(as_bob.browser)
    return app


def test_a_person_sees_the_apps_they_let_know(as_bob: Rest, wiki: App) -> None:
    an_app("Never used")
    page = as_bob.get("/oidc/users/me/authorized-clients").json
    assert page["pagination"]["totalItems"] == 1
    (found,) = page["data"]
    assert found.keys() == {"scope", "client", "lastUsedAt"}
    assert json.loads(found["scope"]) == ["openid", "profile", "email"]
    assert found["client"].keys() == META
    assert (found["client"]["id"], found["client"]["name"]) == (wiki.client.client_id, "Wiki")
    assert found["lastUsedAt"].endswith("Z")


def test_an_administrator_sees_them_too_and_nobody_else_does(
    rest: Rest, as_bob: Rest, person: Person, wiki: App
) -> None:
    path = f"/oidc/users/{person.subject}/authorized-clients"
    assert rest.get(path).json == as_bob.get("/oidc/users/me/authorized-clients").json
    assert as_bob.get(path).status == 403
    assert rest.get("/oidc/users/me/authorized-clients").json["data"] == []
    for unknown in (NOBODY, "nobody"):
        assert rest.get(f"/oidc/users/{unknown}/authorized-clients").json["code"] == "user_not_found"


def test_a_scope_of_an_api_stays_in_one_piece(as_bob: Rest, wiki: App) -> None:
    Consent.objects.update(scope="openid https://orders.example.com\u001fread https://orders.example.com\u001f")
    (found,) = as_bob.get("/oidc/users/me/authorized-clients").json["data"]
    assert json.loads(found["scope"]) == [
        "openid",
        "https://orders.example.com\u001fread",
        "https://orders.example.com\u001f",
    ]


def test_lists_are_filtered_by_whether_the_app_can_be_started(
    rest: Rest, as_bob: Rest, person: Person, wiki: App
) -> None:
    an_app("Chat").tokens(as_bob.browser)
    paths = ["/oidc/users/me/authorized-clients", "/oidc/users/me/clients"]
    for who, path in [(as_bob, path) for path in paths] + [(rest, f"/oidc/users/{person.subject}/authorized-clients")]:
        names = {}
        for wanted in ("true", "false"):
            data = who.get(f"{path}?filters[hasLaunchURL]={wanted}").json["data"]
            names[wanted] = [each.get("client", each)["name"] for each in data]
        assert names == {"true": ["Wiki"], "false": ["Chat"]}


def test_the_apps_a_person_may_use_leave_out_those_of_other_groups(as_bob: Rest, person: Person, wiki: App) -> None:
    mine, others = (Group.objects.create(name=name, friendly_name=name) for name in ("mine", "others"))
    person.user.groups.add(mine)
    for name, group in (("For me", mine), ("For others", others)):
        an_app(name, is_group_restricted=True).client.allowed_groups.add(group)
    an_app("For nobody", is_group_restricted=True)
    page = as_bob.get("/oidc/users/me/clients?sort[column]=name").json
    assert [client["name"] for client in page["data"]] == ["For me", "Wiki"]
    assert page["data"][0].keys() == META | {"lastUsedAt"}
    assert page["data"][0]["lastUsedAt"] is None
    assert page["data"][1]["lastUsedAt"] is not None
    by_use = as_bob.get("/oidc/users/me/clients?sort[column]=lastUsedAt&sort[direction]=desc").json["data"]
    assert [client["name"] for client in by_use] == ["Wiki", "For me"]
    assert [client["name"] for client in as_bob.get("/oidc/users/me/clients?search=wik").json["data"]] == ["Wiki"]


def test_withdrawing_ends_consent_and_tokens_at_once(as_bob: Rest, person: Person, wiki: App) -> None:
    tokens = wiki.tokens(as_bob.browser)
    code = wiki.code(as_bob.browser)
    path = f"/oidc/users/me/authorized-clients/{wiki.client.client_id}"
    assert as_bob.delete(path).status == 204
    assert userinfo(tokens["access_token"]).status_code == 401
    assert wiki.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert wiki.redeem(code).json()["error"] == "invalid_grant"
    assert answer(wiki.ask(as_bob.browser, prompt="none"))["error"] == "consent_required"
    assert as_bob.get("/oidc/users/me/authorized-clients").json["data"] == []
    again = as_bob.delete(path)
    assert (again.status, again.json["details"]) == (404, {"resource": "Client authorization"})
    assert Entry.objects.filter(event=Event.TOKENS_REVOKED, user=person.user).exists()


@pytest.mark.spec("attacks.md", "G2")
def test_withdrawing_touches_nobody_else(rest: Rest, admin: Person, as_bob: Rest, wiki: App) -> None:
    chat = an_app("Chat")
    kept = [userinfo, [wiki.tokens(rest.browser), chat.tokens(as_bob.browser)]]
    as_bob.delete(f"/oidc/users/me/authorized-clients/{wiki.client.client_id}")
    for tokens in kept[1]:
        assert userinfo(tokens["access_token"]).status_code == 200
    assert consent.Consent.objects.filter(user=admin.user, client=wiki.client).exists()


def test_an_app_that_skips_consent_can_be_withdrawn_too(as_bob: Rest) -> None:
    app = an_app("Skips", skip_authorization=True)
    tokens = app.tokens(as_bob.browser)
    Consent.objects.all().delete()
    assert as_bob.delete(f"/oidc/users/me/authorized-clients/{app.client.client_id}").status == 204
    assert userinfo(tokens["access_token"]).status_code == 401


def test_nothing_to_withdraw_is_not_found(as_bob: Rest, as_nobody: Rest, client_app: App) -> None:
    for client_id in (client_app.client.client_id, NOBODY):
        assert as_bob.delete(f"/oidc/users/me/authorized-clients/{client_id}").json["details"] == {
            "resource": "Client authorization"
        }
    for method, path in (("GET", "authorized-clients"), ("GET", "clients"), ("DELETE", "authorized-clients/x")):
        assert as_nobody(method, f"/oidc/users/me/{path}").json["code"] == "not_signed_in"


def test_deleting_a_client_takes_its_grants_along(rest: Rest, as_bob: Rest, wiki: App) -> None:
    tokens = wiki.tokens(as_bob.browser)
    assert rest.delete(f"/oidc/clients/{wiki.client.client_id}").status == 204
    assert userinfo(tokens["access_token"]).status_code == 401
    assert not Client.objects.exists()
    assert not Grant.objects.exists()


# Back-channel logout (pocketid-newer.md section 1.2)


@pytest.fixture
def listening(as_bob: Rest, person: Person) -> App:
    """An app that bob signed in to as a developer, and that wants to hear of his end."""
    app = an_app("Listens", backchannel_logout_url="https://app.example.com/logout")
    app.tokens(as_bob.browser)
    group = Group.objects.create(name="developers", friendly_name="Developers")
    person.user.groups.add(group)
    app.client.allowed_groups.add(group)
    return app


def told() -> list[tuple[str, str]]:
    return list(LogoutDelivery.objects.values_list("client_name", "subject"))


def test_an_app_hears_when_it_is_withdrawn(as_bob: Rest, person: Person, listening: App) -> None:
    as_bob.delete(f"/oidc/users/me/authorized-clients/{listening.client.client_id}")
    assert told() == [("Listens", person.subject)]


def test_an_app_hears_when_it_is_deleted(rest: Rest, person: Person, listening: App) -> None:
    rest.delete(f"/oidc/clients/{listening.client.client_id}")
    assert told() == [("Listens", person.subject)]


def test_an_app_hears_of_those_whom_its_groups_shut_out(
    rest: Rest, as_bob: Rest, person: Person, listening: App
) -> None:
    path = f"/oidc/clients/{listening.client.client_id}"
    developers = str(Group.objects.get(name="developers").pk)
    body = rest.get(path).json
    assert rest.put(path, body | {"isGroupRestricted": True}).status == 200
    assert told() == []  # still one of the allowed
    rest.put(f"{path}/allowed-user-groups", {"userGroupIds": []})
    assert told() == [("Listens", person.subject)]
    rest.put(f"{path}/allowed-user-groups", {"userGroupIds": [developers]})
    rest.put(f"/user-groups/{developers}/allowed-oidc-clients", {"oidcClientIds": []})
    assert len(told()) == 1  # signed out there already
    rest.put(f"{path}/allowed-user-groups", {"userGroupIds": [developers]})
    listening.tokens(as_bob.browser)
    rest.put(f"/user-groups/{developers}/allowed-oidc-clients", {"oidcClientIds": []})
    assert len(told()) == 2


def test_an_app_hears_when_it_is_closed_to_all_but_some(rest: Rest, as_bob: Rest, person: Person) -> None:
    app = an_app("Listens", backchannel_logout_url="https://app.example.com/logout")
    app.tokens(as_bob.browser)
    path = f"/oidc/clients/{app.client.client_id}"
    rest.put(path, rest.get(path).json | {"isGroupRestricted": True})
    assert told() == [("Listens", person.subject)]


# Preview


def test_a_preview_shows_what_the_app_would_be_told(rest: Rest, person: Person) -> None:
    group = Group.objects.create(name="developers", friendly_name="Developers")
    person.user.groups.add(group)
    group.custom_claims.create(key="floor", value='{"n":3}')
    person.user.custom_claims.create(key="level", value="7")
    client = rest.client()
    answer = rest.get(f"/oidc/clients/{client['id']}/preview/{person.subject}?scopes=openid profile email groups phone")
    assert answer.status == 200
    assert answer.json.keys() == {"idToken", "accessToken", "userInfo"}
    userinfo_claims, id_token, access = answer.json["userInfo"], answer.json["idToken"], answer.json["accessToken"]
    assert (
        userinfo_claims["preferred_username"],
        userinfo_claims["groups"],
        userinfo_claims["floor"],
        userinfo_claims["level"],
    ) == ("bob", ["developers"], {"n": 3}, 7)
    assert userinfo_claims.items() <= id_token.items()
    assert (id_token["aud"], access["aud"]) == ([client["id"]], [client["id"], "http://localhost:1411"])
    assert access["scope"] == "openid profile email groups"
    assert all(token[name].endswith("Z") for token in (id_token, access) for name in ("iat", "exp"))
    rest.put(f"/oidc/clients/{client['id']}", {"name": "Wiki", "claimsInIdToken": False})
    lean = rest.get(f"/oidc/clients/{client['id']}/preview/{person.subject}?scopes=openid email").json
    assert "email" in lean["userInfo"]
    assert "email" not in lean["idToken"]


def test_a_preview_is_refused_where_a_sign_in_would_be(rest: Rest, person: Person) -> None:
    client = rest.client(isGroupRestricted=True)
    path = f"/oidc/clients/{client['id']}/preview"
    denied = rest.get(f"{path}/{person.subject}?scopes=openid")
    assert (denied.status, denied.json["code"]) == (403, "oidc_access_denied")
    assert rest.get(f"{path}/{person.subject}").fields == [("scopes", "required")]
    for unknown in (NOBODY, "nobody"):
        assert rest.get(f"{path}/{unknown}?scopes=openid").json["code"] == "user_not_found"
    group = Group.objects.create(name="developers", friendly_name="Developers")
    person.user.groups.add(group)
    rest.put(f"/oidc/clients/{client['id']}/allowed-user-groups", {"userGroupIds": [str(group.pk)]})
    assert rest.get(f"{path}/{person.subject}?scopes=openid").status == 200


def test_a_browser_of_the_same_person_keeps_its_session(as_bob: Rest, person: Person, wiki: App) -> None:
    other = Browser()
    other.sign_in(person)
    as_bob.delete(f"/oidc/users/me/authorized-clients/{wiki.client.client_id}")
    assert Rest(other).get("/oidc/users/me/clients").status == 200
