"""Secrets of clients over REST (contract sections 4.3 and 8.8)."""

import re
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from oidc import clients
from oidc.models import ClientSecret
from tests.api.apps.rest import NOBODY, Rest
from tests.oidc.app import basic, post_form

pytestmark = pytest.mark.postgres

SHOWN = {"id", "prefix", "createdAt", "expiresAt", "lastUsedAt", "isActive"}


@pytest.fixture
def path(rest: Rest) -> str:
    """The secrets of a client that has none."""
    client = rest.client(id="wiki")
    found = "/oidc/clients/wiki/secrets"
    assert rest.delete(f"{found}/{client['createdSecret']['id']}").status == 204
    return found


def knows(secret: str, client_id: str = "wiki") -> bool:
    """Whether the token endpoint takes the secret for the client's."""
    form: dict[str, str | None] = {
        "grant_type": "authorization_code",
        "code": "x",
        "redirect_uri": "https://app.example.com/callback",
    }
    answer = post_form("/api/oidc/token", form, headers={"Authorization": basic(client_id, secret)})
    return answer.json()["error"] != "invalid_client"


def test_a_secret_is_shown_once_and_then_only_by_its_beginning(rest: Rest, path: str) -> None:
    assert rest.get(path).json == []
    made = rest.post(path)
    assert made.status == 201
    secret = made.json.pop("secret")
    assert re.fullmatch(r"[A-Za-z0-9]{32}", secret)
    assert made.json.keys() == SHOWN
    assert (made.json["prefix"], made.json["expiresAt"], made.json["isActive"]) == (secret[:4], None, True)
    assert rest.get(path).json == [made.json]
    assert rest.get("/oidc/clients/wiki").json["credentials"] == {"secrets": [made.json]}
    assert knows(secret)
    assert not knows("x" * 32)


@pytest.mark.spec("attacks.md", "G1")
def test_no_secret_is_kept_in_clear_or_given_out_again(rest: Rest, path: str) -> None:
    secret = rest.post(path).json["secret"]
    assert secret not in str(ClientSecret.objects.values())
    for shown in (path, "/oidc/clients/wiki", "/oidc/clients"):
        answer = rest.get(shown).response.text
        assert secret not in answer
        assert ClientSecret.objects.get().secret_hash not in answer


def test_an_own_secret_with_an_end_works_until_then(rest: Rest, path: str) -> None:
    own = "an own-secret of 24 char!"
    made = rest.post(path, {"secret": own, "expiresAt": "2099-01-01T00:00:00Z"})
    assert (made.status, made.json["secret"], made.json["prefix"], made.json["expiresAt"]) == (
        201,
        own,
        "an o",
        "2099-01-01T00:00:00Z",
    )
    assert knows(own)
    ClientSecret.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert rest.get(path).json[0]["isActive"] is False
    assert not knows(own)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"secret": "short"}, "secret", "too_short"),
        ({"secret": "ünüsüäl but long enough"}, "secret", "printascii"),
        ({"secret": "sixteen or more\t\n"}, "secret", "printascii"),
        ({"secret": "x" * 256}, "secret", "too_long"),
    ],
)
def test_a_secret_nobody_should_use_is_refused(
    rest: Rest, path: str, body: dict[str, Any], field: str, code: str
) -> None:
    answer = rest.post(path, body)
    assert (answer.status, answer.fields) == (400, [(field, code)])


@pytest.mark.parametrize("moment", ["2001-01-01T00:00:00Z", "2001-01-01T00:00:00+09:00"])
def test_an_end_in_the_past_is_refused(rest: Rest, path: str, moment: str) -> None:
    answer = rest.post(path, {"expiresAt": moment})
    assert (answer.status, answer.json["code"], answer.json["error"]) == (
        400,
        "validation_failed",
        "The expiration date of a client secret must be in the future",
    )
    assert rest.post(path, {"expiresAt": "soon"}).json["code"] == "invalid_request_body"


def test_a_public_client_has_no_secret(rest: Rest) -> None:
    client = rest.client(isPublic=True)
    for route in ("secrets", "secret"):
        answer = rest.post(f"/oidc/clients/{client['id']}/{route}")
        assert (answer.status, answer.json["error"]) == (400, "Cannot create a secret for a public client")


def test_the_twenty_first_secret_is_refused_expired_ones_counted(rest: Rest, path: str) -> None:
    for _ in range(20):
        assert rest.post(path).status == 201
    ClientSecret.objects.update(expires_at=timezone.now() - timedelta(days=1))
    answer = rest.post(path)
    assert (answer.status, answer.json["code"], answer.json["error"]) == (
        400,
        "validation_failed",
        "A client cannot have more than 20 secrets",
    )


def test_a_deleted_secret_stops_working_at_once(rest: Rest, path: str) -> None:
    first, second = rest.post(path).json, rest.post(path).json
    assert knows(first["secret"])
    assert rest.delete(f"{path}/{first['id']}").status == 204
    assert not knows(first["secret"])
    assert knows(second["secret"])
    for gone in (first["id"], NOBODY, "no-id"):
        answer = rest.delete(f"{path}/{gone}")
        assert (answer.status, answer.json["details"]) == (404, {"resource": "Client secret"})


@pytest.mark.spec("attacks.md", "G2")
def test_a_secret_is_only_deleted_under_its_own_client(rest: Rest, path: str) -> None:
    secret, other = rest.post(path).json, rest.client(id="chat")
    assert rest.delete(f"/oidc/clients/{other['id']}/secrets/{secret['id']}").status == 404
    assert knows(secret["secret"])


def test_the_old_route_replaces_every_secret_by_one(rest: Rest, path: str) -> None:
    before = rest.post(path).json["secret"]
    answer = rest("POST", "/oidc/clients/wiki/secret", content_type="application/json")
    assert answer.status == 200
    assert answer.json.keys() == {"secret"}
    assert knows(answer.json["secret"])
    assert not knows(before)
    rest.put("/oidc/clients/wiki", {"name": "Renamed"})
    assert knows(answer.json["secret"])
    own = rest.post("/oidc/clients/wiki/secret", {"secret": "chosen by a person"}).json["secret"]
    assert own == "chosen by a person"
    assert len(rest.get(path).json) == 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_never_make_more_than_twenty(client_app: Any) -> None:
    for _ in range(18):  # the app has one already
        clients.add_secret(client_app.client)
    barrier, refused = Barrier(4), []

    def add() -> None:
        barrier.wait()
        try:
            clients.add_secret(client_app.client)
        except clients.ClientRefused as problem:
            refused.append(problem)
        finally:
            connection.close()

    threads = [Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client_app.client.secrets.count() == 20
    assert len(refused) == 3
