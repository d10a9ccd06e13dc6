"""The forms of an HTML page, for tests that have no browser."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin


@dataclass
class Form:
    """Where it goes, what it would send, and its buttons: ``data-action`` -> (name, value)."""

    url: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)

    def press(self, action: str) -> dict[str, str]:
        """What pressing the button sends."""
        name, value = self.buttons[action]
        return self.fields | ({name: value} if name else {})


def forms(html: str, *, page_url: str) -> list[Form]:
    """Selects and textareas are left out: fill them in yourself."""
    parser = _Parser(page_url)
    parser.feed(html)
    return parser.forms


def form_with(action: str, html: str, *, page_url: str) -> Form:
    """The form that has the button ``data-action``; raise ``LookupError``."""
    for form in forms(html, page_url=page_url):
        if action in form.buttons:
            return form
    raise LookupError(f"no form with the button {action} on {page_url}")


class _Parser(HTMLParser):
    def __init__(self, page_url: str) -> None:
        super().__init__()
        self.page_url = page_url
        self.forms: list[Form] = []
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(urljoin(self.page_url, given.get("action", ""))))
            self._is_inside = True
        elif self._is_inside and tag == "input" and given.get("name"):
            kind = given.get("type", "text")
            if kind not in ("checkbox", "radio", "submit") or "checked" in given:
                self.forms[-1].fields[given["name"]] = given.get("value", "on" if kind == "checkbox" else "")
        elif self._is_inside and tag == "button" and given.get("data-action"):
            self.forms[-1].buttons[given["data-action"]] = (given.get("name", ""), given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
