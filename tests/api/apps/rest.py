"""The management API as a script sees it: JSON in, status and JSON out."""

import json
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test.client import MULTIPART_CONTENT

from tests.accounts.browser import Browser

NOBODY = "00000000-0000-4000-8000-000000000000"
CALLBACK = "https://app.example.com/callback"


@dataclass
class Answer:
    status: int
    json: Any
    response: HttpResponse

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Which fields are wrong, and by which rule."""
        return [(each["field"], each["code"]) for each in self.json["details"]["fields"]]


@dataclass
class Rest:
    browser: Browser

    def __call__(self, method: str, path: str, body: Any = None, **kwargs: Any) -> Answer:
        if body is not None:
            kwargs = {
                "data": body if isinstance(body, bytes | str) else json.dumps(body),
                "content_type": "application/json",
            } | kwargs
        response = self.browser.generic(
            method,
            "/api" + path,
            headers={"Origin": "http://localhost:1411", "Accept": "application/json"} | kwargs.pop("headers", {}),
            **kwargs,
        )
        found = json.loads(response.content) if "json" in response.headers.get("Content-Type", "") else None
        return Answer(response.status_code, found, response)

    def get(self, path: str, **kwargs: Any) -> Answer:
        return self("GET", path, **kwargs)

    def post(self, path: str, body: Any = None, **kwargs: Any) -> Answer:
        return self("POST", path, body, **kwargs)

    def put(self, path: str, body: Any = None, **kwargs: Any) -> Answer:
        return self("PUT", path, body, **kwargs)

    def delete(self, path: str) -> Answer:
        return self("DELETE", path)

    def upload(self, path: str, name: str, content: bytes, *, part: str = "file") -> Answer:
        data = self.browser._encode_data({part: SimpleUploadedFile(name, content)}, MULTIPART_CONTENT)
        return self("POST", path, data, content_type=MULTIPART_CONTENT)

    def client(self, name: str = "Wiki", **fields: Any) -> dict[str, Any]:
        """A new client, as it was answered."""
        answer = self.post("/oidc/clients", {"name": name, "callbackURLs": [CALLBACK]} | fields)
        assert answer.status == 201, answer.response.content
        return dict(answer.json)

    def api(
        self,
        name: str = "Orders",
        resource: str = "https://orders.example.com",
        *,
        keys: tuple[str, ...] = ("read", "write"),
    ) -> dict[str, Any]:
        """A new API with these permissions, as it was answered."""
        made = self.post("/apis", {"name": name, "resource": resource})
        assert made.status == 201, made.response.content
        answer = self.put(
            f"/apis/{made.json['id']}/permissions", {"permissions": [{"key": key, "name": key.title()} for key in keys]}
        )
        assert answer.status == 200, answer.response.content
        return dict(answer.json)
