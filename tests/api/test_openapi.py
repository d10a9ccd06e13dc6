"""The OpenAPI document: complete, valid, and its examples are what the server takes and gives."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import yaml
from django.conf import settings
from django.test import Client
from django.urls import URLResolver, get_resolver

from pocketid.openapi import NOT_DESCRIBED

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return dict(Client().get("/api/schema").json())


def addresses(patterns: list[Any] | None = None, prefix: str = "/") -> Iterator[str]:
    """Every address under /api as OpenAPI writes it."""
    for each in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(each, URLResolver):
            if each.app_name != "admin":
                yield from addresses(each.url_patterns, prefix + str(each.pattern))
        elif (path := prefix + str(each.pattern)).startswith("/api/"):
            yield re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert method in METHODS
            yield f"{method.upper()} {path}", operation


def answers(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for status, answer in operation["responses"].items():
        shared = answer.get("$ref", "").rpartition("/")[2]
        yield status, document["components"]["responses"][shared] if shared else answer


def test_every_address_is_described_or_says_why_not(document):
    """A new one is described in its app's ``api/openapi.py``; one that a specification describes is listed with its name."""
    assert set(addresses()) - set(document["paths"]) - set(NOT_DESCRIBED) == set()
    assert set(document["paths"]) & set(NOT_DESCRIBED) == set()
    assert set(document["paths"]) <= set(addresses())


def test_the_document_is_openapi_3_1(document):
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": settings.APP_URL}]
    for name, schema in document["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema), name
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names))


def test_every_operation_says_what_it_does_and_who_may_ask_for_it(document):
    public = {name for name, operation in operations(document) if not operation.get("security")}
    assert public == PUBLIC
    for name, operation in operations(document):
        assert operation["summary"], name
        assert operation["tags"], name
        statuses = set(operation["responses"])
        assert {"429", "503"} <= statuses, name
        assert ({"401", "403"} <= statuses) or name in PUBLIC, name


def test_every_refusal_is_typed(document):
    for name, operation in operations(document):
        for status, answer in answers(document, operation):
            if status >= "400":
                content = answer["content"]["application/json"]
                codes = content["schema"]["allOf"][1]["properties"]["code"]["enum"]
                assert {each["value"]["code"] for each in content["examples"].values()} == set(codes), name


def test_the_examples_are_true_to_their_schemas(document):
    checked = 0
    for name, operation in operations(document):
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        for body in [*bodies, *(answer for _, answer in answers(document, operation))]:
            content = body.get("content", {}).get("application/json")
            if content is None:
                continue
            examples = (
                [content["example"]] if "example" in content else [e["value"] for e in content["examples"].values()]
            )
            assert examples, name
            for example in examples:
                schema = content["schema"] | {"components": document["components"]}
                jsonschema.validate(example, schema, cls=jsonschema.Draft202012Validator)
                checked += 1
    assert checked > 300


def test_lists_name_their_options_in_every_spelling(document):
    names = {each["name"] for each in document["paths"]["/api/users"]["get"]["parameters"]}
    assert names >= {
        "pagination[page]",
        "pagination[limit]",
        "page",
        "limit",
        "search",
        "sort[column]",
        "sort[direction]",
    }
    assert names >= {"filters[isAdmin]", "filters[disabled]"}


def test_old_addresses_are_marked(document):
    old = {name for name, operation in operations(document) if operation.get("deprecated")}
    assert "POST /api/oidc/clients/{client_id}/secret" in old
    assert "GET /api/application-configuration/logo" in old
    assert not any(name.split("/api/")[1].startswith("users") for name in old)


def test_it_can_be_had_as_yaml_and_is_not_sent_twice():
    answer = Client().get("/api/schema?format=yaml")
    assert answer["Content-Type"] == "application/yaml; charset=utf-8"
    assert yaml.safe_load(answer.content) == Client().get("/api/schema").json()
    again = Client().get("/api/schema?format=yaml", headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_nothing_of_it_is_in_memory_until_somebody_asks(tmp_path):
    """In a server that is ready to serve: its views, their serializers and the addresses are there."""
    code = """
import sys
from pocketid import cli
assert cli._prepare() == 0
from django.urls import get_resolver
get_resolver().url_patterns
loaded = [name for name in sys.modules if name.startswith(("drf_spectacular", "core.openapi", "jsonschema", "yaml", "uritemplate"))]
from pocketid import openapi
openapi._as_yaml()
import json
print(json.dumps([loaded, "drf_spectacular.openapi" in sys.modules]))
"""
    environment = {**os.environ, "DATA_PATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=settings.BASE_DIR, env=environment
    )
    assert json.loads(done.stdout) == [[], True]


def test_the_page_loads_nothing_from_elsewhere(db):
    answer = Client().get("/api/docs")
    assert answer.status_code == 200
    text = answer.content.decode()
    assert 'data-document="/api/schema"' in text
    assert re.findall(r'(?:src|href)="(?!/)([^"#]+)"', text) == []
    assert "'unsafe-inline'" not in answer["Content-Security-Policy"]


# Operations for everybody. The list is short, and what is added to it is thought about.
PUBLIC = {
    "GET /api/application-configuration",
    "GET /api/application-configuration/background-image",
    "GET /api/application-configuration/favicon",
    "GET /api/application-configuration/logo",
    "GET /api/application-images/background",
    "GET /api/application-images/email",
    "GET /api/application-images/favicon",
    "GET /api/application-images/logo",
    "GET /api/oidc/clients/{client_id}/logo",
    "GET /api/oidc/clients/{client_id}/meta",
    "GET /api/signup/setup",
    "GET /api/users/{user_id}/profile-picture.png",
    "GET /api/version/latest",
    "POST /api/device-login/requests",
    "POST /api/device-login/requests/{code}/exchange",
    "POST /api/one-time-access-email",
    "POST /api/one-time-access-token/setup",
    "POST /api/one-time-access-token/{code}",
    "POST /api/signup",
    "POST /api/signup/setup",
}
