"""The lists of the console: what their search finds, what is chosen in them, and how they are addressed."""

from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from django.contrib import admin as console_site
from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.test import RequestFactory
from django.utils import timezone

from accounts import signup
from accounts.models import Group, Passkey, Session, SignupToken, User
from apikeys import keys
from audit.models import Entry
from core.console import Listed
from oidc.models import Client, Consent, LogoutDelivery
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.console.forms import notes
from tests.oidc.app import App, an_app

pytestmark = pytest.mark.postgres

USERS = "/admin/accounts/user/"


@pytest.fixture
def console(browser: Browser, admin: Person) -> Browser:
    browser.sign_in(admin)
    return browser


def found(console: Browser, path: str, words: str) -> set[str]:
    page = console.get(path, {"q": words})
    assert page.status_code == 200, words
    return {str(row) for row in page.context["cl"].result_list}


# Searching


@pytest.fixture
def people(db: None) -> None:
    for username, first, last in (
        ("ivan", "ИВАН", "Петров"),
        ("jose", "José", "Ñandú"),
        ("weiss", "Karl", "Weiß"),
        ("zhang", "伟", "张"),
    ):
        User.objects.create(username=username, first_name=first, last_name=last, email=f"{username}@example.org")


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("иван", {"ivan"}),
        ("JOSÉ", {"jose"}),
        ("Jose\N{COMBINING ACUTE ACCENT}", {"jose"}),
        ("ñandú josé", {"jose"}),
        ("josé петров", set()),
        ("WEISS", {"weiss"}),
        ('"karl"', {"weiss"}),
        ("张", {"zhang"}),
        ("EXAMPLE.ORG", {"alice", "ivan", "jose", "weiss", "zhang"}),
        ("%", set()),
        (".*é", set()),
        ('"', {"alice", "ivan", "jose", "weiss", "zhang"}),
    ],
)
def test_people_are_found_in_any_case_and_script(console: Browser, people: None, words: str, names: set[str]) -> None:
    assert found(console, USERS, words) == names


def test_so_is_everything_else_that_has_a_name(console: Browser, admin: Person) -> None:
    Group.objects.create(name="aerzte", friendly_name="ÄRZTE (Köln)")
    an_app("Öffnungszeiten")
    Entry.objects.create(event="SIGN_IN", username="alice", client_name="Öffnungszeiten")
    assert found(console, "/admin/accounts/group/", "ärzte (KÖLN)") == {"ÄRZTE (Köln)"}
    assert found(console, "/admin/oidc/client/", "ÖFFNUNG") == {"Öffnungszeiten"}
    assert len(found(console, "/admin/audit/entry/", "öffnung")) == 1
    assert console.get("/api/user-groups?search=AERZTE").json()["pagination"]["totalItems"] == 1
    assert console.get("/api/oidc/clients?search=öffnung").json()["pagination"]["totalItems"] == 1


def test_a_person_finds_an_app_in_any_case(console: Browser) -> None:
    an_app("Öffnungszeiten", launch_url="https://times.example.org/")
    an_app("Photos", launch_url="https://photos.example.org/")
    page = console.get("/settings/apps?q=öffnung")
    assert [app.name for app in page.context["launchable"]] == ["Öffnungszeiten"]


def test_fields_that_suggest_rows_search_alike(console: Browser, people: None) -> None:
    """Also for what no form sends."""
    asked = RequestFactory().get("/")
    list_of_people = console_site.site.get_model_admin(User)
    for words, names in (("ИВАН", {"ivan"}), ("\0иван", {"ivan"})):
        rows, _may_repeat = list_of_people.get_search_results(asked, User.objects.all(), words)
        assert {row.username for row in rows} == names


# Choosing


def with_actions() -> list[ModelAdmin]:
    return [each for each in console_site.site._registry.values() if each.actions is not None]


@pytest.fixture
def one_of_each(admin: Person, client_app: App) -> None:
    Group.objects.create(name="staff", friendly_name="Staff")
    signup.create_token(usage_limit=1)
    keys.create(admin.user, name="Backup", expires_at=timezone.now() + timedelta(days=9))
    Consent.objects.create(user=admin.user, client=client_app.client)


@pytest.mark.parametrize("key", ["zzz", "9" * 40, "-1", "\0", "' OR 1=1", ""])
def test_what_is_no_row_chooses_none(console: Browser, one_of_each: None, key: str) -> None:
    before = rows()
    tried = set()
    for each in with_actions():
        path = f"/admin/{each.opts.app_label}/{each.opts.model_name}/"
        token = console.get(path).context["csrf_token"]
        for action in each.get_actions(console.get(path).wsgi_request):
            form = {"action": action, "_selected_action": key, "post": "yes", "csrfmiddlewaretoken": token}
            answer = console.post(path, form)
            assert answer.status_code in (200, 302), (path, action, answer.status_code)
            tried.add((each.opts.model_name, action))
    assert {("user", "delete_selected"), ("session", "end_sessions"), ("client", "delete_selected")} <= tried
    assert rows() == before


def rows() -> dict[type[Model], int]:
    models = (User, Group, Passkey, Session, SignupToken, Client, Consent)
    return {model: model._default_manager.count() for model in models}


def test_it_is_said_that_nothing_was_chosen_and_what_was_meant_goes(console: Browser) -> None:
    group = Group.objects.create(name="staff", friendly_name="Staff")
    path = "/admin/accounts/group/"
    token = console.get(path).context["csrf_token"]
    form = {"action": "delete_selected", "post": "yes", "csrfmiddlewaretoken": token}
    console.post(path, form | {"_selected_action": "zzz"})
    assert "Items must be selected" in notes(console)
    console.post(path, form | {"_selected_action": ["zzz", str(group.pk)]})
    assert not Group.objects.exists()


def test_every_list_does_so_our_way() -> None:
    assert all(isinstance(each, Listed) for each in console_site.site._registry.values())


# Filtering


@pytest.mark.parametrize(
    "asked",
    [
        "accounts/user/?email__regex=(",
        "accounts/user/?created_at__year=-1",
        "accounts/user/?session_seed__startswith=a",
        "accounts/session/?key_hash__startswith=a",
        "oidc/client/?id__in=" + "9" * 30,
        "oidc/client/?jwks__contains={",
        "oidc/consent/?client=" + "9" * 30,
        "oidc/signingkey/?private_key__range=",
        "audit/entry/?client_name__range=1",
        "moving/import/?id__regex=(",
    ],
)
def test_a_list_is_filtered_by_what_its_filters_send_alone(console: Browser, asked: str) -> None:
    answer = console.get(f"/admin/{asked}")
    assert answer.status_code == 302
    assert answer["Location"] == f"/admin/{asked.split('?', maxsplit=1)[0]}?e=1"
    assert console.get(answer["Location"]).status_code == 200


def test_every_filter_that_a_list_shows_can_be_chosen(console: Browser, person: Person, client_app: App) -> None:
    person.user.groups.add(Group.objects.create(name="staff", friendly_name="Staff"))
    client_app.tokens(console)
    LogoutDelivery.objects.create(client_id="wiki", client_name="Wiki", url="https://wiki.example.org/bye")
    tried = set()
    for path in (USERS, "/admin/audit/entry/", "/admin/oidc/logoutdelivery/"):
        for spec in console.get(path).context["cl"].filter_specs:
            for choice in spec.choices(console.get(path).context["cl"]):
                address = path + choice["query_string"]
                assert console.get(address).status_code == 200, address
                tried.update(parse_qs(address.partition("?")[2]))
    assert {"is_admin__exact", "groups__id__exact", "created_at__gte", "event__exact", "client_name"} <= tried


@pytest.mark.parametrize("value", ["zzz", "%00", "9" * 40, "(", "0000-00-00"])
def test_a_filter_with_a_value_that_is_none_shows_the_list(console: Browser, value: str) -> None:
    for path, name in (
        (USERS, "is_admin__exact"),
        (USERS, "groups__id__exact"),
        ("/admin/audit/entry/", "created_at__gte"),
        ("/admin/audit/entry/", "event__exact"),
        ("/admin/oidc/logoutdelivery/", "client_name"),
    ):
        assert console.get(f"{path}?{name}={value}", follow=True).status_code == 200, (name, value)


# Addresses


@pytest.mark.parametrize("path", ["/admin", "/admin/accounts/user", "/admin/oidc/client/add"])
def test_the_last_slash_may_be_missing(console: Browser, path: str) -> None:
    answer = console.get(f"{path}?q=1")
    assert answer.status_code == 302
    assert answer["Location"] == f"{path}/?q=1"
    assert console.get(answer["Location"]).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/admin/nowhere",
        "/admin/accounts/nowhere",
        "/administration",
        "/admin/nowhere/",
        "/admin/siteconfig/image/banner/replace/",
    ],
)
def test_what_is_nowhere_is_not_found(console: Browser, path: str) -> None:
    assert console.get(path).status_code == 404


def test_nothing_sent_is_lost_for_want_of_a_slash(console: Browser) -> None:
    token = console.get(USERS).context["csrf_token"]
    form = {"name": "staff", "friendly_name": "Staff", "csrfmiddlewaretoken": token}
    assert console.post("/admin/accounts/group/add", form).status_code == 404
    assert not Group.objects.exists()
