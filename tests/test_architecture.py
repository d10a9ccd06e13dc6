"""The shape of the code: who may import whom, and where a few things may be done at all (``docs/architecture.md``)."""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

ROOT = Path(settings.BASE_DIR)
ORDER = [*settings.LAYERS, "pocketid", "benchmarks", "tests"]
APPS = [*settings.LAYERS, "pocketid"]
# The OAuth libraries give us tables and names of errors, nothing else (docs/decisions/0001).
QUARANTINED = ("oauth2_provider", "oauthlib")
QUARANTINE = ("oidc/models/", "oidc/errors.py")
KINDS = {"services.py", "utils.py", "helpers.py", "managers.py"}
MAX_LINES = 500


def sources(*packages: str) -> Iterator[tuple[str, ast.Module]]:
    """Path and syntax tree of every file that somebody wrote; migrations are made by Django."""
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def run_time_imports(tree: ast.AST) -> Iterator[str]:
    """Names of the imported modules, also inside functions; not what is imported for types only."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for other in node.orelse:
                yield from run_time_imports(other)
        else:
            yield from run_time_imports(node)


def later_apps(path: str, tree: ast.Module) -> list[str]:
    """What is wrong with the imports of a file, in one sentence each."""
    own = path.split("/", maxsplit=1)[0]
    later = ORDER[ORDER.index(own) + 1 :]
    return sorted({f"{path} imports {app}" for name in run_time_imports(tree) if (app := name.split(".")[0]) in later})


def environment_uses(tree: ast.Module) -> list[str]:
    """Each use of the process environment but the one line that tells Django where its settings are."""
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call) and _names_the_settings(node)]
    harmless = [call.value for call in calls if isinstance(call, ast.Attribute)]
    return [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) in ("os.environ", "os.getenv", "os.environb", "os.putenv")
        and node not in harmless
    ]


def _names_the_settings(call: ast.Call) -> bool:
    return ast.unparse(call) == "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'pocketid.settings')"


def test_an_app_imports_only_from_those_before_it() -> None:
    assert [wrong for path, tree in sources(*APPS) for wrong in later_apps(path, tree)] == []


def test_an_import_of_a_later_app_would_be_noticed_wherever_it_stands() -> None:
    tree = ast.parse(
        "def begin():\n    if True:\n        from oidc.store import find_code\n        import core.http, tests"
    )
    assert later_apps("accounts/passkeys.py", tree) == [
        "accounts/passkeys.py imports oidc",
        "accounts/passkeys.py imports tests",
    ]


def test_an_import_for_types_only_is_free() -> None:
    tree = ast.parse("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from oidc.models import Client")
    assert later_apps("accounts/passkeys.py", tree) == []


def test_the_oauth_libraries_stay_in_their_few_files() -> None:
    outside = [
        f"{path} imports {name}"
        for path, tree in sources(*APPS)
        for name in run_time_imports(tree)
        if name.split(".")[0] in QUARANTINED and not path.startswith(QUARANTINE)
    ]
    assert outside == []


def test_no_address_of_django_oauth_toolkit_is_served() -> None:
    named = [
        path
        for path, tree in sources(*APPS)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith("oauth2_provider.urls")
    ]
    assert named == []
    assert [view for view in _views(get_resolver()) if view.startswith("oauth2_provider.")] == []


def _views(resolver: URLResolver) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield pattern.lookup_str
        else:
            yield from _views(pattern)


def test_only_one_file_reads_the_process_environment() -> None:
    readers = [
        f"{path}: {use}" for path, tree in sources(*APPS) if path != "pocketid/env.py" for use in environment_uses(tree)
    ]
    assert readers == []


def test_reading_the_process_environment_would_be_noticed() -> None:
    assert environment_uses(ast.parse("os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'pocketid.settings')")) == []
    assert environment_uses(ast.parse("os.environ.get('PORT')")) == ["os.environ"]
    assert environment_uses(ast.parse("os.getenv('PORT')")) == ["os.getenv"]


def test_files_are_named_for_what_they_are_about_and_not_for_a_kind() -> None:
    assert [path for path, _tree in sources(*APPS) if path.rsplit("/", maxsplit=1)[-1] in KINDS] == []


def test_no_file_has_grown_too_long_to_read() -> None:
    lengths = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path, _tree in sources(*ORDER)}
    assert {path: lines for path, lines in lengths.items() if lines > MAX_LINES} == {}
