"""The forms of an HTML page, for tests that have no browser."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin


@dataclass
class Form:
    """Where it goes, what it would send as it stands, and its buttons: ``data-action`` -> (name, value)."""

    url: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)

    def press(self, action: str) -> dict[str, str]:
        """What pressing the button sends."""
        name, value = self.buttons[action]
        return self.fields | ({name: value} if name else {})


def forms(html: str, *, page_url: str) -> list[Form]:
    """All forms of the page, in its order."""
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
    """As much of HTML as our own pages and Django's admin use."""

    def __init__(self, page_url: str) -> None:
        super().__init__()
        self.page_url = page_url
        self.forms: list[Form] = []
        self._is_inside = False
        self._select = self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(urljoin(self.page_url, given.get("action", ""))))
            self._is_inside = True
            return
        if not self._is_inside:
            return
        form, name = self.forms[-1], given.get("name", "")
        if tag == "input" and name:
            kind = given.get("type", "text")
            if kind not in ("checkbox", "radio", "submit") or "checked" in given:
                form.fields[name] = given.get("value", "on" if kind == "checkbox" else "")
        elif tag == "button" and given.get("data-action"):
            form.buttons[given["data-action"]] = (name, given.get("value", ""))
        elif tag == "textarea":
            self._textarea = name
            form.fields[name] = ""
        elif tag == "select":
            self._select = "" if "multiple" in given else name
        elif tag == "option" and self._select and ("selected" in given or self._select not in form.fields):
            form.fields[self._select] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._textarea:
            # The first line break after the tag does not belong to the text.
            self.forms[-1].fields[self._textarea] += data.removeprefix("\r\n").removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        elif tag == "textarea":
            self._textarea = ""
        elif tag == "select":
            self._select = ""
