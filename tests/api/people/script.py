"""A program that calls the REST API with a key, as Terraform and Ansible do."""

import json
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import User
from apikeys import keys


class Script(Client):
    """Sends JSON and the key of ``user``; without one it is a stranger. An exception in a view is raised here."""

    def __init__(self, user: User | None = None, *, scopes: tuple[str, ...] = (), key: str = "") -> None:
        super().__init__(SERVER_NAME="localhost", SERVER_PORT="1411")
        if user is not None:
            self.key, key = keys.create(
                user, name="of the tests", expires_at=timezone.now() + timedelta(days=1), scopes=scopes
            )
        self.secret = key

    def call(self, method: str, path: str, body: object = None, **kwargs: Any) -> HttpResponse:
        headers = ({"X-API-Key": self.secret} if self.secret else {}) | kwargs.pop("headers", {})
        if body is not None:
            kwargs = {"data": json.dumps(body), "content_type": "application/json"} | kwargs
        return self.generic(method, path, headers=headers, **kwargs)

    def read(self, path: str) -> HttpResponse:
        return self.call("GET", path)

    def make(self, path: str, body: object = None, **kwargs: Any) -> HttpResponse:
        return self.call("POST", path, body, **kwargs)

    def change(self, path: str, body: object = None, **kwargs: Any) -> HttpResponse:
        return self.call("PUT", path, body, **kwargs)

    def remove(self, path: str) -> HttpResponse:
        return self.call("DELETE", path)

    def upload(self, path: str, name: str, content: bytes, *, field: str = "file", method: str = "PUT") -> HttpResponse:
        body = b'--x\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n%s\r\n--x--\r\n' % (
            field.encode(),
            name.encode(),
            content,
        )
        return self.call(method, path, data=body, content_type="multipart/form-data; boundary=x")


def refusal(answer: HttpResponse) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def wrong_fields(answer: HttpResponse) -> list[tuple[str, str]]:
    assert refusal(answer) == (400, "validation_failed"), answer.content
    return [(each["field"], each["code"]) for each in answer.json()["details"]["fields"]]
