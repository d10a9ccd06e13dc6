"""The record of troubles sees what it should."""

import pytest
from playwright.sync_api import Browser, Route

from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser

PAGE = """<!DOCTYPE html><title>Bad</title><link rel="icon" href="data:,">
<script nonce="n">console.error("an error"); fetch("/broken"); setTimeout(() => nothing.at.all)</script>
<p style="color: red">inline</p>"""


def test_each_trouble_is_found(chromium: Browser) -> None:
    visitor = Visitor(chromium, "http://localhost:1")

    def answer(route: Route) -> None:
        if route.request.url.endswith("/broken"):
            route.fulfill(status=500)
        else:
            headers = {"Content-Security-Policy": "default-src 'self'; script-src 'nonce-n'; img-src data:"}
            route.fulfill(body=PAGE, content_type="text/html", headers=headers)

    visitor.context.route("**/*", answer)
    with visitor.page.expect_response("**/broken"):
        visitor.page.goto("/")
    visitor.troubles.expect("an error")
    found = "\n".join(visitor.close())
    for trouble in ("content security policy: style-src", "answered 500", "uncaught: nothing is not defined"):
        assert trouble in found
    assert "an error" not in found
