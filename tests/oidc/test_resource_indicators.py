"""Tokens for APIs (RFC 8707): registered APIs and permissions, at every endpoint that gives tokens."""

from typing import Any
from urllib.parse import urlencode

import pytest

from oidc import api_access
from oidc.api_access import Access, Permission
from oidc.models import ApiAccess, ApiResource, Consent
from oidc.tokens import unverified_claims
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, an_app, answer, basic, http, post_form, userinfo
from tests.oidc.test_token import refusal

pytestmark = pytest.mark.postgres
ORDERS, ISSUER = "https://orders.example.com", "http://localhost:1411"
TARGET, SCOPE = (400, "invalid_target"), (400, "invalid_scope")


@pytest.fixture
def at_home(browser: Browser, person: Person) -> Browser:
    browser.sign_in(person)
    return browser


@pytest.fixture
def orders(db: None) -> ApiResource:
    api = api_access.create(name="Orders", audience=ORDERS)
    permissions = [Permission("orders:read", "Read orders", "All of them"), Permission("orders:write", "Change orders")]
    return api_access.set_permissions(str(api.pk), permissions)


@pytest.fixture
def shop(orders: ApiResource) -> App:
    """May read for people, and read and write for itself."""
    app = an_app("Shop", refresh_tokens="always")
    read, write = orders.permissions.all()
    api_access.grant(orders, app.client, Access(user_permissions=(read.pk,), own_permissions=(read.pk, write.pk)))
    return app


def error(response: Any) -> str:
    return answer(response)["error"]


@pytest.mark.spec("RFC 8707", "2.1")
@pytest.mark.spec("RFC 9068", "3")
def test_a_person_lets_an_app_use_an_api(at_home: Browser, shop: App, person: Person) -> None:
    page = shop.ask(at_home, scope="openid orders:read", resource=ORDERS + "/")
    consent = at_home.get(page["Location"])
    assert "Orders" in consent.text
    assert "Read orders" in consent.text
    tokens = shop.tokens(at_home, scope="openid orders:read", resource=ORDERS)
    claims = unverified_claims(tokens["access_token"])
    assert claims["aud"] == [ORDERS, ISSUER]
    assert (claims["scope"], claims["scp"]) == ("openid orders:read", ["openid", "orders:read"])
    assert tokens["scope"] == "openid orders:read"
    assert unverified_claims(tokens["id_token"])["aud"] == [shop.client.client_id]
    assert userinfo(tokens["access_token"]).json() == {"sub": person.subject}
    # The next time nobody is asked; for something else, they are (contract section 8.10).
    assert "code" in answer(shop.ask(at_home, scope="openid orders:read", resource=ORDERS))
    assert shop.ask(at_home, scope="openid email", resource=ORDERS).status_code == 302
    assert f"{ORDERS}\x1forders:read" in Consent.objects.get().scope.split(" ")


@pytest.mark.spec("RFC 8707", "2")
def test_without_identity_the_token_is_for_the_api_alone(at_home: Browser, shop: App) -> None:
    tokens = shop.tokens(at_home, scope="orders:read", resource=ORDERS)
    assert unverified_claims(tokens["access_token"])["aud"] == [ORDERS]
    assert "id_token" not in tokens
    assert userinfo(tokens["access_token"]).status_code == 403


def sent_twice(path: str, form: dict[str, str | None], **kwargs: Any) -> Any:
    """With two APIs, one of which the client may use."""
    given = {name: value for name, value in form.items() if value is not None}
    body = urlencode([*given.items(), ("resource", ORDERS), ("resource", "https://billing.example.com")])
    return http().post(path, body, content_type="application/x-www-form-urlencoded", **kwargs)


@pytest.mark.spec("RFC 8707", "2")
def test_several_apis_in_one_request_are_refused_by_name(at_home: Browser, shop: App) -> None:
    """The address to answer at is good, so the app is told, as RFC 8707 says it."""
    headers = {"Authorization": basic(shop.client.client_id, shop.secret)}
    asked = shop.request(scope="openid orders:read")
    sent_back = answer(at_home.get("/authorize?" + urlencode([*asked.items(), *[("resource", ORDERS)] * 2])))
    assert sent_back["error"] == "invalid_target"
    assert "one API only" in sent_back["error_description"]
    assert sent_back["state"] == asked["state"]
    tokens = shop.tokens(at_home, scope="openid orders:read", resource=ORDERS)
    for path, form in (
        ("/api/oidc/par", asked),
        ("/api/oidc/device/authorize", {"scope": "openid orders:read"}),
        ("/api/oidc/token", {"grant_type": "client_credentials"}),
        ("/api/oidc/token", {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}),
    ):
        refused = sent_twice(path, form, headers=headers)
        assert refusal(refused) == TARGET, path
        assert "one API only" in refused.json()["error_description"]
    # Nothing was used up by it.
    assert shop.refresh(tokens["refresh_token"], resource=ORDERS).status_code == 200


@pytest.mark.spec("RFC 8707", "2")
@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"resource": "orders"}, "invalid_target"),
        ({"resource": ""}, "invalid_target"),
        ({"resource": ORDERS + "#x"}, "invalid_target"),
        ({"resource": "https://unknown.example.com"}, "invalid_target"),
        ({"resource": ISSUER}, "invalid_target"),
        ({"resource": ORDERS, "scope": "openid orders:write"}, "invalid_target"),
        ({"resource": ORDERS, "scope": "openid nonsense"}, "invalid_target"),
        ({"scope": "openid orders:read"}, "invalid_scope"),
    ],
    ids=str,
)
def test_what_cannot_be_had_is_refused(at_home: Browser, shop: App, parameters: dict[str, str], expected: str) -> None:
    assert error(shop.ask(at_home, **parameters)) == expected
    form = {k: v for k, v in shop.request(**parameters).items() if k != "client_id"}
    pushed = post_form("/api/oidc/par", form, headers={"Authorization": basic(shop.client.client_id, shop.secret)})
    assert refusal(pushed) == (400, expected)


def test_strangers_learn_nothing_of_apis(at_home: Browser, shop: App, client_app: App) -> None:
    """An API that the client may not use is refused as one that does not exist."""
    said = {
        answer(client_app.ask(at_home, resource=address))["error_description"]
        for address in (ORDERS, "https://unknown.example.com")
    }
    assert len(said) == 1


@pytest.mark.spec("RFC 8707", "2.2")
def test_the_token_request_may_repeat_the_api_but_name_no_other(at_home: Browser, shop: App) -> None:
    asked = {"scope": "openid orders:read", "resource": ORDERS}
    assert shop.redeem(shop.code(at_home, **asked), resource=ORDERS).status_code == 200
    code = shop.code(at_home, **asked)
    assert refusal(shop.redeem(code, resource="https://other.example.com")) == TARGET
    assert refusal(shop.redeem(code, resource="x")) == TARGET
    assert shop.redeem(code).status_code == 200  # nothing was used up
    assert refusal(shop.redeem(shop.code(at_home, scope="openid"), resource=ORDERS)) == TARGET


@pytest.mark.spec("RFC 8707", "2.2")
@pytest.mark.spec("RFC 6749", "6")
def test_a_refresh_may_want_less_and_gets_everything_again(at_home: Browser, shop: App) -> None:
    tokens = shop.tokens(at_home, scope="openid email orders:read", resource=ORDERS)
    narrow = shop.refresh(tokens["refresh_token"], scope="orders:read", resource=ORDERS).json()
    assert narrow["scope"] == "orders:read"
    assert unverified_claims(narrow["access_token"])["aud"] == [ORDERS]
    assert "id_token" not in narrow
    full = shop.refresh(narrow["refresh_token"]).json()
    assert full["scope"] == "openid email orders:read"
    assert unverified_claims(full["access_token"])["aud"] == [ORDERS, ISSUER]
    assert refusal(shop.refresh(full["refresh_token"], resource="https://other.example.com")) == TARGET
    assert refusal(shop.refresh(full["refresh_token"], scope="openid orders:write")) == SCOPE


@pytest.mark.spec("Pocket ID contract", "3.3")
def test_what_was_taken_away_is_refused_at_the_next_refresh(at_home: Browser, shop: App, orders: ApiResource) -> None:
    token = shop.tokens(at_home, scope="openid orders:read", resource=ORDERS)["refresh_token"]
    code = shop.code(at_home, scope="openid orders:read", resource=ORDERS)
    api_access.grant(orders, shop.client, Access(for_users=True))
    assert refusal(shop.refresh(token)) == SCOPE
    assert refusal(shop.redeem(code)) == SCOPE
    api_access.revoke(orders, shop.client)
    assert refusal(shop.refresh(token)) == TARGET
    assert refusal(shop.redeem(code)) == TARGET


@pytest.mark.spec("RFC 8707", "2.2")
@pytest.mark.parametrize(
    ("form", "scope"),
    [
        ({"resource": ORDERS}, "orders:read orders:write"),
        ({"resource": ORDERS + "/"}, "orders:read orders:write"),
        ({"resource": ORDERS, "scope": "orders:write"}, "orders:write"),
        ({"resource": ORDERS, "scope": "openid orders:write"}, "orders:write"),
        ({"resource": ORDERS, "scope": "openid"}, ""),
    ],
    ids=str,
)
def test_an_app_uses_an_api_for_itself(shop: App, form: dict[str, str], scope: str) -> None:
    body = shop.token(grant_type="client_credentials", **form).json()
    claims = unverified_claims(body["access_token"])
    assert (body["scope"], claims["scope"], claims["aud"]) == (scope, scope, [ORDERS])
    assert claims["sub"] == f"client-{shop.client.client_id}"


@pytest.mark.spec("RFC 8707", "2.2")
def test_an_app_gets_nothing_that_it_was_not_granted(shop: App, client_app: App) -> None:
    form = {"grant_type": "client_credentials"}
    assert refusal(shop.token(**form, resource=ORDERS, scope="nonsense")) == SCOPE
    assert refusal(shop.token(**form, scope="orders:read")) == SCOPE
    assert refusal(shop.token(**form, resource="https://unknown.example.com")) == TARGET
    assert refusal(client_app.token(**form, resource=ORDERS)) == (403, "access_denied")
    ApiAccess.objects.filter(subject=ApiAccess.Subject.CLIENT).delete()
    assert refusal(shop.token(**form, resource=ORDERS)) == (403, "access_denied")


@pytest.mark.spec("RFC 8628", "3.1")
def test_a_device_may_be_let_use_an_api(at_home: Browser, shop: App, person: Person) -> None:
    header = {"Authorization": basic(shop.client.client_id, shop.secret)}
    asked = {"client_id": shop.client.client_id, "scope": "openid orders:read", "resource": ORDERS}
    device = post_form("/api/oidc/device/authorize", asked, headers=header).json()
    page = at_home.get("/device?user_code=" + device["user_code"])
    assert "Read orders" in page.text
    at_home.press("device-allow", page)
    tokens = shop.token(
        grant_type="urn:ietf:params:oauth:grant-type:device_code", device_code=device["device_code"]
    ).json()
    assert unverified_claims(tokens["access_token"])["aud"] == [ORDERS, ISSUER]
    fresh = shop.refresh(tokens["refresh_token"]).json()
    assert unverified_claims(fresh["access_token"])["aud"] == [ORDERS, ISSUER]
    unknown = asked | {"resource": "https://unknown.example.com"}
    assert refusal(post_form("/api/oidc/device/authorize", unknown, headers=header)) == TARGET


@pytest.mark.spec("RFC 7662", "2.1")
@pytest.mark.spec("attacks.md", "C12")
def test_the_api_asks_about_its_own_tokens_and_no_others(
    at_home: Browser, shop: App, client_app: App, orders: ApiResource, person: Person
) -> None:
    tokens = shop.tokens(at_home, scope="openid orders:read", resource=ORDERS)
    plain = shop.tokens(at_home, scope="openid")
    server = an_app("Orders' server")

    def asks(app: App, token: str) -> dict[str, Any]:
        header = {"Authorization": basic(app.client.client_id, app.secret)}
        return post_form("/api/oidc/introspect", {"token": token}, headers=header).json()

    assert asks(server, tokens["access_token"]) == {"active": False}
    api_access.set_introspection_client(str(orders.pk), server.client)
    told = asks(server, tokens["access_token"])
    assert (told["active"], told["client_id"], told["sub"], told["aud"], told["scope"]) == (
        True,
        shop.client.client_id,
        person.subject,
        [ORDERS, ISSUER],
        "openid orders:read",
    )
    assert asks(server, tokens["refresh_token"]) == {"active": False}
    assert asks(server, plain["access_token"]) == {"active": False}
    assert asks(client_app, tokens["access_token"]) == {"active": False}
    own = shop.token(grant_type="client_credentials", resource=ORDERS).json()["access_token"]
    assert asks(server, own)["sub"] == f"client-{shop.client.client_id}"
    post_form(
        "/api/oidc/revoke",
        {"token": tokens["access_token"]},
        headers={"Authorization": basic(shop.client.client_id, shop.secret)},
    )
    assert asks(server, tokens["access_token"]) == {"active": False}


@pytest.mark.spec("RFC 9068", "2.2.3")
def test_introspection_tells_an_api_what_its_token_says(at_home: Browser, shop: App, orders: ApiResource) -> None:
    """Nothing of offline_access either, at first and after a refresh; the app itself is told that it has it."""
    shop.client.refresh_tokens = "offline_access"
    shop.client.save()
    server = an_app("Orders' server")
    api_access.set_introspection_client(str(orders.pk), server.client)
    tokens = shop.tokens(at_home, scope="orders:read offline_access", resource=ORDERS)
    for _time in range(2):
        for app in (server, shop):
            header = {"Authorization": basic(app.client.client_id, app.secret)}
            told = post_form("/api/oidc/introspect", {"token": tokens["access_token"]}, headers=header).json()
            assert told["scope"] == unverified_claims(tokens["access_token"])["scope"] == "orders:read"
        assert tokens["scope"] == "orders:read offline_access"
        tokens = shop.refresh(tokens["refresh_token"]).json()


@pytest.mark.spec("Pocket ID contract", "3.1")
def test_programs_are_told_what_the_scopes_stand_for(at_home: Browser, shop: App) -> None:
    page = shop.ask(at_home, scope="openid orders:read", resource=ORDERS)
    interaction = page["Location"].rpartition("=")[2]
    body = at_home.get(f"/api/oidc/interactions/{interaction}").json()
    assert body["scopeInfo"] == [{"key": "orders:read", "name": "Read orders", "description": "All of them"}]
