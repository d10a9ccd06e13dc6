"""Several programs that set up one new server at the same moment: one of them does, and nothing is there twice."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.automation.installation import Installation
from tests.support.server import Server

pytestmark = [pytest.mark.postgres, pytest.mark.spec("attacks.md", "D9")]

AT_ONCE = 8
TIMEOUT = 30.0  # seconds
STATIC = "a static key of the tests"
KEY = {"name": "automation", "expiresAt": "2099-01-01T00:00:00Z"}


@pytest.fixture
def server(live_database: str) -> Iterator[Server]:
    quick = {"DISABLE_RATE_LIMITING": "true", "STATIC_API_KEY": STATIC}
    with Server(database_url=live_database, environment=quick) as running:
        yield running
        assert "Traceback" not in running.log, running.log[-4000:]


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def post(server: Server, path: str, body: object = None, **headers: str) -> requests.Response:
    return requests.post(server.base_url + path, json=body, headers=headers, timeout=TIMEOUT)


def read(server: Server, path: str) -> dict:
    """By the operator's own key, whose user is nobody."""
    return requests.get(server.base_url + path, headers={"X-API-Key": STATIC}, timeout=TIMEOUT).json()


def bearer(server: Server) -> dict[str, str]:
    answer = post(server, "/api/one-time-access-token/setup")
    assert answer.status_code == 200, answer.text
    return {"Authorization": "Bearer " + answer.headers["Set-Cookie"].split(";")[0].split("=")[1]}


def statuses(answers: list[requests.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def events(server: Server) -> Counter[str]:
    return Counter(entry["event"] for entry in read(server, "/api/audit-logs/all?pagination[limit]=100")["data"])


@pytest.mark.parametrize("whose", ["one session", "a session each"])
def test_one_key_is_made_however_many_ask(server: Server, whose: str) -> None:
    """A stranger who came in beside the operator does not leave with a key of their own."""
    first = bearer(server)
    sessions = [first if whose == "one session" else bearer(server) for _ in range(AT_ONCE)]
    answers = at_once([lambda each=each: post(server, "/api/api-keys", KEY, **each) for each in sessions])
    assert statuses(answers) == {201: 1, 401: AT_ONCE - 1}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 401} == {"not_signed_in"}
    assert events(server)["API_KEY_CREATED"] == 1
    key = next(answer for answer in answers if answer.status_code == 201).json()["token"]
    own = requests.get(f"{server.base_url}/api/api-keys", headers={"X-API-Key": key}, timeout=TIMEOUT).json()
    assert own["pagination"]["totalItems"] == 1
    assert post(server, "/api/one-time-access-token/setup").status_code == 401


def test_many_that_begin_become_one_administrator(server: Server) -> None:
    answers = at_once([lambda: post(server, "/api/one-time-access-token/setup")] * AT_ONCE)
    assert statuses(answers) == {200: AT_ONCE}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert events(server) == {"SETUP_COMPLETED": 1, "SETUP_SIGN_IN": AT_ONCE - 1}


def test_a_person_and_programs_become_one_administrator(server: Server) -> None:
    def person(number: int) -> requests.Response:
        return post(server, "/api/signup/setup", {"username": f"alice{number}"})

    calls = [lambda number=number: person(number) for number in range(AT_ONCE // 2)]
    calls += [lambda: post(server, "/api/one-time-access-token/setup")] * (AT_ONCE // 2)
    answers = at_once(calls)
    people = statuses(answers[: AT_ONCE // 2])
    assert people in ({200: 1, 409: 3}, {409: 4})
    assert statuses(answers[AT_ONCE // 2 :]) == {200: AT_ONCE // 2}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 200}) == 1
    assert events(server)["SETUP_COMPLETED"] == 1


def test_the_user_of_the_static_key_is_made_once(server: Server) -> None:
    answers = at_once([lambda: read(server, "/api/users/me")] * AT_ONCE)
    assert len({answer["id"] for answer in answers}) == 1
    assert len({answer["username"] for answer in answers}) == 1


def test_of_commands_one_writes_a_key_and_the_others_leave_no_file(
    server: Server, live_database: str, tmp_path: Path
) -> None:
    database = {"DB_CONNECTION_STRING": live_database} if live_database else {}
    installation = Installation(tmp_path, DATA_PATH=str(server.data_path), APP_URL=server.base_url, **database)
    paths = [tmp_path / f"key{number}" for number in range(3)]
    session = bearer(server)
    calls: list[Callable[[], int]] = [
        lambda path=path: installation.run("bootstrap", "--api-key-file", path).returncode for path in paths
    ]
    ended = at_once(calls)
    assert sorted(ended) == [0, 1, 1]
    assert [path.exists() for path in paths] == [status == 0 for status in ended]
    assert post(server, "/api/api-keys", KEY, **session).status_code == 401
    assert events(server)["API_KEY_CREATED"] == 1


def test_a_declaration_that_is_applied_twice_at_once_is_there_once(
    server: Server, live_database: str, tmp_path: Path
) -> None:
    """Whoever comes second finds everything as declared, or says what was in its way and changes nothing."""
    database = {"DB_CONNECTION_STRING": live_database} if live_database else {}
    installation = Installation(tmp_path, DATA_PATH=str(server.data_path), APP_URL=server.base_url, **database)
    file = tmp_path / "declared.yaml"
    file.write_text(
        "users: [{username: alice, email: alice@example.org, isAdmin: true}]\n"
        "groups: [{name: family, members: [alice]}]\n"
        "clients: [{id: wiki, name: Wiki, secret: {generate: secret}}]\n"
    )
    done = at_once([lambda: installation.run("apply", file)] * 3)
    assert "Traceback" not in "".join(each.stderr for each in done)
    assert 0 in {each.returncode for each in done}
    assert all(each.returncode == 0 or "nothing was changed" in each.stderr for each in done), done
    assert read(server, "/api/users")["pagination"]["totalItems"] == 2  # and the one of the static key
    assert read(server, "/api/oidc/clients")["pagination"]["totalItems"] == 1
    secret = (tmp_path / "secret").read_text().strip()
    token = requests.post(
        f"{server.base_url}/api/oidc/introspect", data={"token": "x"}, auth=("wiki", secret), timeout=TIMEOUT
    )
    assert token.status_code == 200
    assert installation.run("apply", file, "--dry-run").returncode == 0
