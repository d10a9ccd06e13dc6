"""Somebody can always administer the server, and no key does what its owner may not: from every side, and at once (attacks.md D8, G5)."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from accounts import groups, lifecycle
from accounts.models import User
from core.errors import AppError
from tests.accounts.browser import Browser
from tests.accounts.people import Person, a_person
from tests.api.people.script import Script
from tests.console.forms import act, fill_in
from tests.support.server import Server

pytestmark = [pytest.mark.postgres, pytest.mark.spec("attacks.md", "D8, G5")]

LAST = (409, "last_administrator")
STEPS: dict[str, Callable[[User], object]] = {
    "delete": lifecycle.delete,
    "demote": lambda user: lifecycle.update(user, {"is_admin": False}),
    "disable": lambda user: lifecycle.update(user, {"disabled": True}),
}


def administrators() -> int:
    return User.objects.filter(is_admin=True, disabled=False).count()


def test_nothing_on_the_account_page_ends_the_account_or_its_rights(admin: Person, browser: Browser) -> None:
    browser.sign_in(admin)
    own = Script(admin.user)
    body = {"username": "alice", "email": "alice@example.org", "isAdmin": False, "disabled": True}
    assert own.change("/api/users/me", body).json()["isAdmin"] is True
    assert own.remove("/api/users/me").status_code in (404, 405)
    fill_in(browser, "/settings/account/edit", having="username", is_admin="", disabled="on")
    assert administrators() == 1


def test_no_list_in_the_console_takes_the_last_one(admin: Person, browser: Browser) -> None:
    """However many are chosen: with all of them none goes."""
    browser.sign_in(admin)
    everybody = [admin.user, a_person("second", is_admin=True).user, a_person("bob").user]
    page = act(browser, "/admin/accounts/user/", "delete_selected", *everybody, post="yes")
    assert page.status_code == 302
    assert User.objects.count() == 3
    others = everybody[1:]
    assert act(browser, "/admin/accounts/user/", "delete_selected", *others, post="yes").status_code == 302
    assert [user.username for user in User.objects.all()] == ["alice"]


def test_groups_and_claims_make_nobody_an_administrator_or_less_than_one(admin: Person, person: Person) -> None:
    """The rights of this server hang on nothing but the account's own column."""
    script = Script(admin.user)
    for name in ("admin", "administrators", "_pocket_id_admins"):
        group = groups.create(name=name, friendly_name=name)
        groups.set_members(group, [person.subject, admin.subject])
        assert (
            script.change(f"/api/users/{person.subject}/user-groups", {"userGroupIds": [str(group.pk)]}).status_code
            == 200
        )
        assert script.remove(f"/api/user-groups/{group.pk}").status_code == 204
    claims = [{"key": "is_admin", "value": "true"}]
    script.change(f"/api/custom-claims/user/{person.subject}", claims)
    assert list(User.objects.filter(is_admin=True)) == [admin.user]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", STEPS)
@pytest.mark.parametrize("second", STEPS)
def test_of_two_who_take_each_others_rights_one_stays(first: str, second: str) -> None:
    one, two = (User.objects.create(username=name, is_admin=True) for name in ("one", "two"))
    ready, outcomes = threading.Barrier(2), []

    def take(step: Callable[[User], object], user: User) -> None:
        ready.wait()
        try:
            step(user)
            outcomes.append("done")
        except AppError as refused:
            outcomes.append(refused.code)
        finally:
            connection.close()

    steps = ((STEPS[first], one), (STEPS[second], two))
    threads = [threading.Thread(target=take, args=step) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "last_administrator"]
    assert administrators() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", STEPS)
def test_who_was_promoted_a_moment_ago_counts_as_what_they_are(step: str) -> None:
    """Read before they were an administrator, and changed when they had become the only one."""
    one, two = User.objects.create(username="one", is_admin=True), User.objects.create(username="two")
    read_before = User.objects.get(pk=two.pk)
    lifecycle.update(two, {"is_admin": True})
    lifecycle.delete(one)
    with pytest.raises(AppError, match="last administrator"):
        STEPS[step](read_before)
    assert administrators() == 1


def test_a_key_is_refused_from_the_moment_its_owner_loses_what_it_used(live_database: str) -> None:
    """On a server of two processes that are asked all the time: once a change is answered no later request goes through."""
    import requests

    static = "a static key of the tests"
    environment = {"DISABLE_RATE_LIMITING": "true", "STATIC_API_KEY": static}

    def call(method: str, path: str, body: object = None, **headers: str) -> requests.Response:
        return requests.request(method, server.base_url + path, json=body, headers=headers, timeout=30)

    with Server(database_url=live_database, environment=environment) as server:
        operator = {"X-API-Key": static}
        alice = {"username": "alice", "email": "alice@example.org", "isAdmin": True}
        call("POST", "/api/users", alice | {"username": "keeper", "email": "k@example.org"}, **operator)
        person = call("POST", "/api/users", alice, **operator).json()["id"]
        for change, expected in (({"isAdmin": False}, 403), ({"disabled": True}, 403), (None, 401)):
            call("PUT", f"/api/users/{person}", alice | {"isAdmin": True, "disabled": False}, **operator)
            code = call("POST", f"/api/users/{person}/one-time-access-token", {"ttl": "1h"}, **operator).json()["token"]
            session = (
                call("POST", f"/api/one-time-access-token/{code}").headers["Set-Cookie"].split(";")[0].split("=")[1]
            )
            made = call(
                "POST",
                "/api/api-keys",
                {"name": "automation", "expiresAt": "2099-01-01T00:00:00Z"},
                Authorization=f"Bearer {session}",
            )
            key = {"X-API-Key": made.json()["token"]}
            changed, stop = threading.Event(), threading.Event()

            def ask(
                key: dict[str, str] = key, changed: threading.Event = changed, stop: threading.Event = stop
            ) -> list[tuple[bool, int]]:
                answers = []
                while not stop.is_set():
                    was_changed = changed.is_set()
                    answers.append((was_changed, call("GET", "/api/users", **key).status_code))
                return answers

            with ThreadPoolExecutor(4) as pool:
                asking = [pool.submit(ask) for _ in range(4)]
                while call("GET", "/api/users", **key).status_code != 200:
                    pass
                if change is None:
                    assert call("DELETE", f"/api/users/{person}", **operator).status_code == 204
                else:
                    assert call("PUT", f"/api/users/{person}", alice | change, **operator).status_code == 200
                changed.set()
                for _ in range(8):
                    assert call("GET", "/api/users", **key).status_code == expected
                stop.set()
                answers = [each for future in asking for each in future.result()]
            assert {status for was_changed, status in answers if was_changed} <= {expected}
            assert {status for was_changed, status in answers if not was_changed} <= {200, expected}
        assert "Traceback" not in server.log, server.log[-4000:]
