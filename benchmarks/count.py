"""Statements and signatures of one request of each work, counted in this process; run in the server's environment.

Prints JSON: work to [reading statements, writing statements, signatures].
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import django

from benchmarks.works import works


def count(filled: dict[str, Any]) -> dict[str, list[int]]:
    from django.db import connection
    from django.test import Client

    from oidc.signing_keys import Signer

    seen = {"read": 0, "written": 0, "signed": 0}

    def watch(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if not sql.startswith("BEGIN"):
            seen["read" if sql.lstrip().upper().startswith("SELECT") else "written"] += 1
        return execute(sql, *rest)

    sign = Signer._signature

    def watched(signer: Signer, data: bytes) -> bytes:
        seen["signed"] += 1
        return sign(signer, data)

    Signer._signature = watched  # type: ignore[method-assign]
    # From the end, and the last connections' chains: the load generator begins at the front.
    filled["codes"] = {work: codes[::-1] for work, codes in filled["codes"].items()}
    filled["revocable"] = filled["revocable"][::-1]
    counts = {}
    client = Client()
    for work in works(filled, 1):
        for number in (-1, -2):  # the first fills caches
            seen |= dict.fromkeys(seen, 0)
            for _step in range(work.steps):
                with connection.execute_wrapper(watch):
                    answer = _send(client, work.next_request(number))
                raw = _raw(answer)
                assert work.is_good(number, raw), (work.name, raw)
                if work.steps > 1 and work.learn is not None:
                    work.learn(number, raw)
        counts[work.name] = list(seen.values())
    return counts


def _send(client: Any, request: bytes) -> Any:
    """The same request through Django's test client."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, target, _version = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    kind = headers.pop("Content-Type", "")
    headers.pop("Content-Length", None)
    client.cookies.clear()
    return client.generic(method, target, body, content_type=kind or "text/plain", headers=headers)


def _raw(answer: Any) -> bytes:
    """As much of it as the load generator looks at."""
    head = f"HTTP/1.1 {answer.status_code}\r\nLocation: {answer.headers.get('Location', '')}\r\n\r\n"
    return head.encode() + answer.content


if __name__ == "__main__":
    django.setup()
    json.dump(count(json.load(sys.stdin)), sys.stdout)
