"""Programs that bring a server to a wanted state over REST, with the requests that real ones send (contract section 10).

``Terraform`` remembers the ids of what it made and looks at each again; ``Ansible`` finds everything by name. Both write
only what differs, and count what they wrote.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import requests

TIMEOUT = 30.0  # seconds, as both clients have it

Body = dict[str, Any]


class Client:
    """Sends a JSON content type with every request, also where there is no body."""

    KEY_HEADER = "X-API-Key"

    def __init__(self, base_url: str, key: str) -> None:
        self.base_url, self.key = base_url, key
        self.session = requests.Session()
        self.session.headers.update(
            {self.KEY_HEADER: key, "Content-Type": "application/json", "Accept": "application/json"}
        )
        self.writes: list[str] = []

    def send(self, method: str, path: str, body: object = None) -> requests.Response:
        if method != "GET":
            self.writes.append(f"{method} {path}")
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Length": "0"} if method == "POST" and body is None else {}
        return self.session.request(
            method, self.base_url + path, data=data, headers=headers, timeout=TIMEOUT, allow_redirects=False
        )

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The JSON of an answer that must be a success; the key must not be in it."""
        answer = self.send(method, path, body)
        assert 200 <= answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        assert self.key not in answer.text
        return answer.json() if answer.content else None

    def writes_now(self) -> list[str]:
        """What was written since this was asked the last time."""
        written, self.writes = self.writes, []
        return written


class Terraform(Client):
    """The provider Trozz/pocketid: create once, read at every plan, replace what differs, in a state of ids."""

    KEY_HEADER = "X-API-KEY"

    def __init__(self, base_url: str, key: str) -> None:
        super().__init__(base_url, key)
        self.state: dict[str, str] = {}

    def keep(self, name: str, path: str, wanted: Body, *, update: Body | None = None) -> str:
        """One object of ``path``; its id. Whatever was sent must be in the answer, letter by letter."""
        if name not in self.state:
            made = self.ask("POST", path, wanted)
            self._expect(wanted, made)
            self.state[name] = made["id"]
        shown = self.ask("GET", f"{path}/{self.state[name]}")
        if not _contains(shown, wanted):
            self._expect(wanted, self.ask("PUT", f"{path}/{self.state[name]}", update or wanted))
        return self.state[name]

    def keep_groups(self, user_id: str, group_ids: Sequence[str]) -> None:
        """A set: the order is free."""
        present = {group["id"] for group in self.ask("GET", f"/api/users/{user_id}")["userGroups"]}
        if present != set(group_ids):
            self.ask("PUT", f"/api/users/{user_id}/user-groups", {"userGroupIds": list(group_ids)})

    def keep_claims(self, kind: str, owner_id: str, claims: Mapping[str, str]) -> None:
        path = f"/api/{'users' if kind == 'user' else 'user-groups'}/{owner_id}"
        present = {claim["key"]: claim["value"] for claim in self.ask("GET", path)["customClaims"]}
        if present != dict(claims):
            body = [{"key": key, "value": claims[key]} for key in sorted(claims)]
            stored = self.ask("PUT", f"/api/custom-claims/{kind}/{owner_id}", body)
            assert {claim["key"]: claim["value"] for claim in stored} == dict(claims)

    def keep_allowed_groups(self, client_id: str, group_ids: Sequence[str] | None) -> None:
        """A list: the order counts. Without the attribute the provider sends null."""
        shown = self.ask("GET", f"/api/oidc/clients/{client_id}")
        if [group["id"] for group in shown["allowedUserGroups"]] != list(group_ids or ()):
            body = {"userGroupIds": None if group_ids is None else list(group_ids)}
            self.ask("PUT", f"/api/oidc/clients/{client_id}/allowed-user-groups", body)

    def keep_configuration(self, wanted: Mapping[str, str], *, known: Sequence[str]) -> None:
        """Reads everything, and sends back every key that it knows."""
        present = self._configuration()
        if any(present[name] != value for name, value in wanted.items()):
            body = {name: present[name] for name in known} | dict(wanted)
            answer = {each["key"]: each["value"] for each in self.ask("PUT", "/api/application-configuration", body)}
            self._expect(body, answer)
            assert answer == self._configuration()

    def keep_scim(self, client_id: str, wanted: Body) -> None:
        if self.send("GET", f"/api/oidc/clients/{client_id}/scim-service-provider").status_code == 404:
            made = self.ask("POST", "/api/scim/service-provider", wanted | {"oidcClientId": client_id})
            shown = self.ask("GET", f"/api/oidc/clients/{client_id}/scim-service-provider")
            assert (shown["createdAt"], shown["lastSyncedAt"]) == (made["createdAt"], None)
        shown = self.ask("GET", f"/api/oidc/clients/{client_id}/scim-service-provider")
        if not _contains(shown, wanted):
            self.ask("PUT", f"/api/scim/service-provider/{shown['id']}", wanted | {"oidcClientId": client_id})

    def _configuration(self) -> dict[str, str]:
        return {each["key"]: each["value"] for each in self.ask("GET", "/api/application-configuration/all")}

    def _expect(self, wanted: Mapping[str, Any], shown: Mapping[str, Any]) -> None:
        """What Terraform calls an inconsistent result after apply."""
        different = {name: (value, shown.get(name)) for name, value in wanted.items() if shown.get(name) != value}
        different.pop("credentials", None)
        assert not different
        if "credentials" in wanted:
            assert _contains(shown["credentials"], wanted["credentials"])


class Ansible(Client):
    """The collection trozz.pocketid: one connection for each request, ``?page=N``, and only the options that were given."""

    def __init__(self, base_url: str, key: str) -> None:
        super().__init__(base_url, key)
        self.session.headers.update(
            {
                "Connection": "close",
                "Accept-Encoding": "identity",
                "User-Agent": "Python-urllib/3.13",
            }
        )
        self.pages = 0

    def everything(self, path: str) -> Iterator[Body]:
        """Page by page until the last; a server that does not know ``page`` would answer the first for ever."""
        page = 1
        while True:
            answer = self.ask("GET", f"{path}?page={page}")
            self.pages += 1
            assert self.pages < 200
            yield from answer["data"]
            if not answer["data"] or answer["pagination"]["currentPage"] >= answer["pagination"]["totalPages"]:
                return
            page += 1

    def find(self, path: str, **by: str) -> Body | None:
        ((name, value),) = by.items()
        return next((each for each in self.everything(path) if each[name] == value), None)

    def present(self, path: str, wanted: Body, *, by: str, new: Body | None = None, lists: Sequence[str] = ()) -> str:
        """The object of this name as wanted; its id. ``lists`` are compared without their order."""
        found = self.find(path, **{by: wanted[by]})
        if found is None:
            made: str = self.ask("POST", path, (new or {}) | wanted)["id"]
            return made
        shown = self.ask("GET", f"{path}/{found['id']}")
        same = all(
            sorted(shown[name]) == sorted(value) if name in lists else shown.get(name) == value
            for name, value in wanted.items()
        )
        if not same:
            self.ask("PUT", f"{path}/{found['id']}", wanted)
        return str(found["id"])

    def members(self, group: str, usernames: Sequence[str]) -> None:
        """Through each person's groups, after reading them."""
        group_id = self.find("/api/user-groups", name=group)["id"]
        present = {user["username"]: user["id"] for user in self.ask("GET", f"/api/user-groups/{group_id}")["users"]}
        for username in sorted(set(usernames) ^ set(present)):
            user = self.find("/api/users", username=username)
            ids = {each["id"] for each in self.ask("GET", f"/api/users/{user['id']}")["userGroups"]} ^ {group_id}
            self.ask("PUT", f"/api/users/{user['id']}/user-groups", {"userGroupIds": sorted(ids)})

    def claims(self, kind: str, owner_id: str, claims: Mapping[str, str]) -> None:
        path = f"/api/{'users' if kind == 'user' else 'user-groups'}/{owner_id}"
        present = {claim["key"]: claim["value"] for claim in self.ask("GET", path)["customClaims"]}
        if present != dict(claims):
            body = [{"key": key, "value": value} for key, value in claims.items()]
            self.ask("PUT", f"/api/custom-claims/{kind}/{owner_id}", body)

    def configuration(self, wanted: Mapping[str, str]) -> None:
        """Puts back the complete set that it has read, with what is wanted."""
        present = {each["key"]: each["value"] for each in self.ask("GET", "/api/application-configuration/all")}
        assert "XXXXXXXXXX" not in present.values()
        if any(present[name] != value for name, value in wanted.items()):
            present.pop("instanceId", None)
            self.ask("PUT", "/api/application-configuration", present | dict(wanted))


def _contains(shown: Any, wanted: Any) -> bool:
    """Whether everything wanted is shown, and what is shown besides is of no interest; a list that is left out is empty."""
    if isinstance(wanted, dict):
        return isinstance(shown, dict) and all(_contains(shown.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):
        items = shown or []
        return len(items) == len(wanted) and all(_contains(*pair) for pair in zip(items, wanted, strict=True))
    return bool(shown == wanted)
