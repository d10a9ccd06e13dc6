"""Simplified Chinese is complete: every text for people is marked, translated, and reaches the page."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import django.contrib.admin
import polib
import pytest

from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "locale/zh_Hans/LC_MESSAGES/django.po"
SCRIPTS = CATALOGUE.with_name("djangojs.po")  # what Django's own translation of the console's scripts lacks
DJANGO_ADMIN = Path(django.contrib.admin.__file__).parent
PROGRAMS = ("xgettext", "msguniq", "msgmerge", "msgattrib")  # what makemessages starts
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
TEMPLATES = sorted([*(ROOT / "templates").rglob("*.html"), *(ROOT / "templates").rglob("*.txt")])

# Words that stay as they are in every language.
BRANDS = {
    "Pocket ID": "the name of an installation until its operator chooses another",
    "English": "the language chooser names each language in that language",
    "localhost": "the address of the server that the page comes from",
    "Wiki": "the name of the app in this test",
}

Message = tuple[str | None, str, str]  # context, text, plural
Line = tuple[int, str]


def messages(catalogue: polib.POFile) -> dict[Message, polib.POEntry]:
    return {(entry.msgctxt, entry.msgid, entry.msgid_plural): entry for entry in catalogue if not entry.obsolete}


def texts(entry: polib.POEntry) -> list[str]:
    """The translation; with plurals each of its forms."""
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> set[Message]:
    """What makemessages finds in a copy of the sources, for it writes where it reads."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing and not os.environ.get("CI"):
        pytest.skip(f"gettext is missing: {', '.join(missing)}")
    copy = tmp_path_factory.mktemp("sources")
    for folder in (*PACKAGES, "templates"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__", "migrations"))
    shutil.copy(ROOT / "manage.py", copy)
    (copy / "locale").mkdir()
    command = [sys.executable, "manage.py", "makemessages", "-l", "zh_Hans", "--no-location"]
    made = subprocess.run(
        command, cwd=copy, env=os.environ | {"DATA_PATH": str(copy / "data")}, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    return set(messages(polib.pofile(str(copy / CATALOGUE.relative_to(ROOT)))))


@pytest.fixture(scope="module")
def chinese() -> polib.POFile:
    return polib.pofile(str(CATALOGUE))


def test_every_text_is_translated(extracted: set[Message], chinese: polib.POFile) -> None:
    translated = {message for message, entry in messages(chinese).items() if not entry.fuzzy and all(texts(entry))}
    assert sorted(text for _context, text, _plural in extracted - translated) == []


def test_no_translation_is_left_of_a_text_that_is_gone(extracted: set[Message], chinese: polib.POFile) -> None:
    assert sorted(text for _context, text, _plural in set(messages(chinese)) - extracted) == []
    assert [entry.msgid for entry in chinese.obsolete_entries()] == []


PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd]|\{[^{}]*\}|</?\w+[^>]*>")


@pytest.mark.parametrize("catalogue", [CATALOGUE, SCRIPTS], ids=lambda path: path.name)
def test_translations_keep_placeholders_and_tags(catalogue: Path) -> None:
    assert [
        (entry.msgid, text)
        for entry in polib.pofile(str(catalogue))
        for text in texts(entry)
        if Counter(PLACEHOLDER.findall(text)) != Counter(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
    ] == []


@pytest.mark.parametrize("catalogue", [CATALOGUE, SCRIPTS], ids=lambda path: path.name)
def test_the_header_names_the_language_and_no_address(catalogue: Path) -> None:
    header = polib.pofile(str(catalogue)).metadata
    assert header["Language"] == "zh_Hans"
    assert header["Plural-Forms"] == "nplurals=1; plural=0;"
    assert "@" not in "".join(header.values())


def test_the_scripts_of_the_console_are_translated_by_django_or_by_us() -> None:
    own = {entry.msgid for entry in polib.pofile(str(SCRIPTS)) if entry.translated()}
    djangos = polib.pofile(str(DJANGO_ADMIN / "locale/zh_Hans/LC_MESSAGES/djangojs.po"))
    english = polib.pofile(str(DJANGO_ADMIN / "locale/en/LC_MESSAGES/djangojs.po"))
    assert own == {entry.msgid for entry in english} - {entry.msgid for entry in djangos if entry.translated()}


class Shown(HTMLParser):
    """The words of a page that people see or hear, with their lines."""

    ATTRIBUTES = re.compile(
        r"alt|title|label|placeholder|aria-label|aria-description|aria-placeholder|data-text-[\w-]+"
    )
    SILENT = ("script", "style")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[Line] = []
        self.language: str | None = None
        self._silent = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "html":
            self.language = dict(attrs).get("lang")
        self._silent += tag in self.SILENT
        for name, value in attrs:
            if self.ATTRIBUTES.fullmatch(name) or (tag == "meta" and name == "description"):
                self._keep(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in self.SILENT

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._keep(data)

    def _keep(self, text: str) -> None:
        start = self.getpos()[0]
        self.found += [(start + number, line.strip()) for number, line in enumerate(text.split("\n")) if line.strip()]


def without(text: str, *known: str) -> str:
    """What is left beside brands and what else is known to be no word of ours."""
    for each in (*known, *BRANDS):
        text = text.replace(each, "")
    return text


def with_letters(lines: list[Line]) -> list[Line]:
    return [(number, text) for number, text in lines if any(map(str.isalpha, without(text)))]


def outside_of_translations(template: str) -> list[Line]:
    """Text of a template, or a literal given to ``firstof``, that no translation will reach."""

    def only_lines(match: re.Match[str]) -> str:
        return "\n" * match[0].count("\n")

    for syntax in (
        r"\{#.*?#\}",
        r"\{% comment\b.*?\{% endcomment %\}",
        r"\{% blocktrans(late)?\b.*?\{% endblocktrans(late)? %\}",
    ):
        template = re.sub(syntax, only_lines, template, flags=re.DOTALL)
    # What a page adds to a tag of the page it extends stands outside of any tag.
    template = re.sub(r"\{% block (main_attributes|bodyclass) %\}((?:(?!\{% endblock).)+)", r"<i \2>", template)
    literals = [
        (number, literal)
        for number, line in enumerate(template.split("\n"), 1)
        for tag in re.findall(r"\{% firstof .*?%\}", line)
        for _quote, literal in re.findall(r"""(["'])(.*?)\1""", re.sub(r"""_\((["']).*?\1\)""", "", tag))
    ]
    return [*Shown(re.sub(r"\{[%{].*?[%}]\}", only_lines, template, flags=re.DOTALL)).found, *literals]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.relative_to(ROOT / "templates").as_posix())
def test_a_template_shows_no_text_that_is_not_marked(template: Path) -> None:
    assert with_letters(outside_of_translations(template.read_text(encoding="utf-8"))) == []


def test_the_search_for_unmarked_text_finds_it() -> None:
    template = """{# Not shown. #}<p class="soft"{% if a > b %} title="Close"{% endif %}>{% translate "Marked" %} {{ value|default:"x" }}
    <script>const unseen = "a < b";</script>{% blocktranslate %}Marked {{ too }}{% endblocktranslate %} &rsaquo; Unmarked
    </p><input value="sent" placeholder="{% translate 'Marked' %}">{% firstof name _("Marked") "Nameless" %}"""
    assert with_letters(outside_of_translations(template)) == [
        (1, "Close"),
        (2, "› Unmarked"),
        (3, "Nameless"),
    ]


@pytest.fixture
def compiled(settings, tmp_path: Path, chinese: polib.POFile) -> None:
    """The catalogue as the server reads it: ``.mo`` files are not in the repository."""
    made = tmp_path / CATALOGUE.relative_to(ROOT / "locale").with_suffix(".mo")
    made.parent.mkdir(parents=True)
    chinese.save_as_mofile(str(made))
    settings.LOCALE_PATHS = [tmp_path]


def english(page: Shown, *data: str) -> list[str]:
    """Texts of a page without a Chinese character, or with two English words in a row. Names such as QR may stand alone."""
    return [
        text
        for text in (without(text, *data) for _line, text in page.found)
        if re.search(r"[A-Za-z]+ [A-Za-z]+", text) or (re.search("[a-z]{2}", text) and not re.search("[一-鿿]", text))
    ]


@pytest.mark.parametrize("asked", ["zh-Hans", "zh-CN,zh;q=0.9,en;q=0.8"])
def test_a_browser_that_prefers_chinese_gets_chinese(
    compiled: None, browser: Browser, person: Person, asked: str
) -> None:
    page = Shown(browser.get("/login", headers={"Accept-Language": asked}).text)
    assert page.language == "zh-hans"
    assert "使用通行密钥继续" in [text for _line, text in page.found]
    assert english(page) == []


@pytest.mark.parametrize("path", ["/lc", "/device", "/signed-out", "/authorize", "/nowhere"])
def test_pages_for_strangers_hold_no_english(compiled: None, browser: Browser, person: Person, path: str) -> None:
    page = Shown(browser.get(path, follow=True, headers={"Accept-Language": "zh-Hans"}).text)
    assert page.language == "zh-hans"
    assert english(page) == []


def test_the_way_into_an_app_holds_no_english(
    compiled: None, browser: Browser, person: Person, client_app: App
) -> None:
    browser.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-Hans"
    asked = client_app.ask(browser)["Location"]
    sign_in = Shown(browser.get(asked).text)
    assert "登录 Wiki" in [text for _line, text in sign_in.found]
    browser.sign_in(person)
    consent = Shown(browser.get(asked).text)
    assert "要继续前往 Wiki 吗？" in [text for _line, text in consent.found]
    assert english(sign_in) == []
    user = person.user
    assert english(consent, user.email or "", user.name, user.username, "app.example.org") == []


def test_others_get_english(compiled: None, browser: Browser, person: Person) -> None:
    page = Shown(browser.get("/login", headers={"Accept-Language": "fr"}).text)
    assert page.language == "en"
    assert "Continue with a passkey" in [text for _line, text in page.found]
