"""APIs in the console, changed by the verbs that REST calls too."""

import pytest

from audit.models import Entry, Event
from oidc import api_access
from oidc.api_access import Access, Permission
from oidc.models import ApiAccess, ApiResource
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.console.forms import act, fill_in, notes
from tests.oidc.app import App
from tests.support.html_form import forms

pytestmark = pytest.mark.postgres

APIS, CALENDAR = "/admin/oidc/apiresource/", "https://calendar.example.org"


@pytest.fixture
def console(browser: Browser, admin: Person) -> Browser:
    browser.sign_in(admin)
    return browser


@pytest.fixture
def api(db: None) -> ApiResource:
    made = api_access.create(name="Calendar", audience=CALENDAR)
    return api_access.set_permissions(str(made.pk), [Permission("read", "Read it"), Permission("write", "Change it")])


def change(console: Browser, api: ApiResource, **values: object):
    return fill_in(console, f"{APIS}{api.pk}/change/", having="introspection_client", **values)


def access(console: Browser, api: ApiResource, app: App, **checked: object):
    """Send the page's checkboxes: those that are not named are not checked."""
    address = f"{APIS}{api.pk}/apps/{app.client.pk}/"
    return console.post(address, {"csrfmiddlewaretoken": console.get(address).context["csrf_token"]} | checked)


def ids(api: ApiResource, *keys: str) -> list[str]:
    return [str(api.permissions.get(key=key).pk) for key in keys]


def keys_of(api: ApiResource) -> list[str]:
    return [row.key for row in api.permissions.all()]


def what_was_noted() -> list[tuple[str, str | None]]:
    found = Entry.objects.filter(event__startswith="API_").order_by("id")
    return [(entry.event, entry.data.get("what")) for entry in found]


def test_an_api_is_added_with_its_first_permission(console: Browser) -> None:
    first = {"permissions-0-key": "read", "permissions-0-name": "Read it", "permissions-0-description": "All of it"}
    done = fill_in(console, f"{APIS}add/", having="audience", name="Calendar", audience=f"{CALENDAR}/", **first)
    assert done.status_code == 302, done.text
    made = ApiResource.objects.get()
    assert (made.name, made.audience, keys_of(made)) == ("Calendar", CALENDAR, ["read"])
    assert made.permissions.get().description == "All of it"
    assert what_was_noted() == [(Event.API_CREATED, None), (Event.API_CHANGED, "permissions")]
    assert console.get(f"/api/apis/{made.pk}").json()["permissions"][0]["key"] == "read"


@pytest.mark.parametrize(
    ("audience", "words"),
    [
        ("calendar", "The address must be an absolute URI without whitespace or a fragment."),
        (f"{CALENDAR}/#x", "The address must be an absolute URI"),
        ("http://localhost:1411", "The address must not be the address of this server."),
        ("", "This field is required."),
    ],
)
def test_an_address_that_names_no_api_is_said_on_the_form(console: Browser, audience: str, words: str) -> None:
    page = fill_in(console, f"{APIS}add/", having="audience", name="Calendar", audience=audience)
    assert page.status_code == 200
    assert words in page.text
    assert 'value="Calendar"' in page.text
    assert not ApiResource.objects.exists()


def test_an_address_is_used_once(console: Browser, api: ApiResource) -> None:
    page = fill_in(console, f"{APIS}add/", having="audience", name="Another", audience=f"{CALENDAR}/")
    assert "Another API has this address." in page.text
    assert ApiResource.objects.count() == 1


def test_its_name_and_the_client_that_introspects_can_be_changed_and_its_address_not(
    console: Browser, api: ApiResource, client_app: App
) -> None:
    done = change(console, api, name="Dates", audience="https://x.example", introspection_client=client_app.client.pk)
    assert done.status_code == 302, done.text
    found = ApiResource.objects.get()
    assert (found.name, found.audience, found.introspection_client) == ("Dates", CALENDAR, client_app.client)
    assert what_was_noted() == [(Event.API_CHANGED, "settings")]
    change(console, api, introspection_client="")
    assert ApiResource.objects.get().introspection_client is None


def test_permissions_are_added_changed_and_deleted_and_those_that_stay_are_kept_by_whoever_has_them(
    console: Browser, api: ApiResource, client_app: App
) -> None:
    api_access.grant(api, client_app.client, Access(user_permissions=tuple(row.pk for row in api.permissions.all())))
    third = {"permissions-2-key": "share", "permissions-2-name": "Share it"}
    done = change(
        console,
        api,
        **third,
        **{"permissions-0-name": "See it", "permissions-0-key": "x", "permissions-1-DELETE": "on"},
    )
    assert done.status_code == 302, done.text
    assert keys_of(api) == ["read", "share"]
    assert api.permissions.get(key="read").name == "See it"
    assert api_access.permitted(client_app.client, CALENDAR, ApiAccess.Subject.USER) == {"read"}
    assert what_was_noted() == [(Event.API_CHANGED, "permissions")]


def test_a_permission_that_somebody_else_adds_meanwhile_stays(console: Browser, api: ApiResource) -> None:
    address = f"{APIS}{api.pk}/change/"
    page = console.get(address)
    form = next(each for each in forms(page.text, page_url=f"http://localhost:1411{address}") if "name" in each.fields)
    present = [Permission(row.key, row.name) for row in api.permissions.all()]
    api_access.set_permissions(str(api.pk), [*present, Permission("late", "Late")])
    added = {"permissions-2-key": "share", "permissions-2-name": "Share it"}
    assert console.post(address, form.fields | added).status_code == 302
    assert keys_of(api) == ["read", "write", "late", "share"]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("email", "tells something about the person"),
        ("a b", "without spaces or quotes"),
        ('a"b', "without spaces or quotes"),
        ("read", "duplicate"),
    ],
)
def test_a_wrong_scope_is_said_and_nothing_is_saved(console: Browser, api: ApiResource, key: str, words: str) -> None:
    page = change(console, api, name="Dates", **{"permissions-2-key": key, "permissions-2-name": "Another"})
    assert page.status_code == 200
    assert words in page.text
    assert (ApiResource.objects.get().name, keys_of(api)) == ("Calendar", ["read", "write"])


def test_an_api_is_deleted_alone_and_with_others(console: Browser, api: ApiResource, client_app: App) -> None:
    api_access.grant(api, client_app.client, Access(for_users=True))
    question = console.get(f"{APIS}{api.pk}/delete/").text
    assert "Apps get no more tokens for it" in question
    fill_in(console, f"{APIS}{api.pk}/delete/", having="post")
    others = [api_access.create(name=name, audience=f"urn:{name}") for name in ("one", "two")]
    act(console, APIS, "delete_selected", *others, post="yes")
    assert not ApiResource.objects.exists()
    assert [event for event, _what in what_was_noted()] == [Event.API_DELETED] * 3


def test_an_app_is_let_in_for_people_and_for_itself(console: Browser, api: ApiResource, client_app: App) -> None:
    page = console.get(f"{APIS}{api.pk}/apps/?app={client_app.client.pk}")
    assert page["Location"] == f"{APIS}{api.pk}/apps/{client_app.client.pk}/"
    done = access(
        console, api, client_app, user_permissions=ids(api, "read", "write"), for_itself="on", own_permissions=[]
    )
    assert done.status_code == 302, done.text
    assert api_access.permitted(client_app.client, CALENDAR, ApiAccess.Subject.USER) == {"read", "write"}
    assert api_access.permitted(client_app.client, CALENDAR, ApiAccess.Subject.CLIENT) == frozenset()
    shown = console.get(f"{APIS}{api.pk}/change/").text
    assert "Read it, Change it" in shown
    assert "without permissions" in shown
    assert "Read it, Change it" in console.get(f"{APIS}of/{client_app.client.pk}/").text
    assert client_app.client.name not in console.get(f"{APIS}{api.pk}/apps/").text.partition("<form")[2]
    entry = Entry.objects.get(event=Event.API_CHANGED)
    assert (entry.username, entry.data["what"], entry.data["app"]) == ("alice", "access", "Wiki")


def test_an_app_that_may_do_nothing_is_no_answer_and_access_is_taken_away_by_its_button(
    console: Browser, api: ApiResource, client_app: App
) -> None:
    api_access.grant(api, client_app.client, Access(for_users=True))
    page = access(console, api, client_app)
    assert "Choose what the app may do" in page.text
    assert api_access.permitted(client_app.client, CALENDAR, ApiAccess.Subject.USER) is not None
    address = f"{APIS}{api.pk}/apps/{client_app.client.pk}/"
    assert console.press("api-access-remove", console.get(address)).status_code == 302
    assert not ApiAccess.objects.exists()
    assert "may not use Calendar any more" in notes(console)


def test_an_app_without_a_secret_gets_nothing_for_itself(console: Browser, api: ApiResource, public_app: App) -> None:
    page = console.get(f"{APIS}{api.pk}/apps/{public_app.client.pk}/")
    assert 'name="for_itself"' not in page.text
    forced = {"for_users": "on", "for_itself": "on", "own_permissions": ids(api, "read")}
    assert access(console, api, public_app, **forced).status_code == 302
    assert [row.subject for row in ApiAccess.objects.all()] == [ApiAccess.Subject.USER]


def test_permissions_of_another_api_are_refused(console: Browser, api: ApiResource, client_app: App) -> None:
    other = api_access.create(name="Other", audience="urn:other")
    api_access.set_permissions(str(other.pk), [Permission("read", "Read")])
    page = access(console, api, client_app, user_permissions=ids(other, "read"))
    assert page.status_code == 200
    assert not ApiAccess.objects.exists()


def test_what_does_not_exist_is_said(console: Browser, api: ApiResource, client_app: App) -> None:
    nothing = "00000000-0000-4000-8000-000000000000"
    for address in (
        f"{APIS}{nothing}/apps/",
        f"{APIS}{nothing}/apps/{client_app.client.pk}/",
        f"{APIS}{api.pk}/apps/999/",
        f"{APIS}of/999/",
        f"{APIS}{nothing}/change/",
    ):
        assert console.get(address).status_code == 302, address
    assert console.get(f"{APIS}{api.pk}/apps/?app=x").status_code == 200


def test_a_person_without_rights_sees_none_of_it(api: ApiResource, person: Person, client_app: App) -> None:
    bobs = Browser()
    bobs.sign_in(person)
    for address in (f"{APIS}{api.pk}/apps/", f"{APIS}{api.pk}/apps/{client_app.client.pk}/", f"{APIS}of/1/"):
        assert bobs.get(address, follow=True).status_code == 403
