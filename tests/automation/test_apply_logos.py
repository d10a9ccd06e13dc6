"""``pocketid apply``: logos of apps, from files beside the declaration."""

import pytest

from audit.models import Entry
from oidc.models import Client
from pocketid.declared.document import Refused

pytestmark = pytest.mark.postgres


SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


def test_logos_come_from_files_and_are_put_once(file) -> None:
    (file.folder / "logos").mkdir()
    (file.folder / "logos/wiki.svg").write_bytes(SVG)
    (file.folder / "dark.svg").write_bytes(SVG + b"<!-- dark -->")
    text = "clients: [{id: wiki, name: Wiki, logo: logos/wiki.svg, darkLogo: dark.svg}]"
    assert file(text, dry_run=True)[0].endswith("    logo: from file logos/wiki.svg\n    darkLogo: from file dark.svg")
    assert not Client.objects.exists()
    file(text)
    wiki = Client.objects.get()
    assert [(row.is_dark, bytes(row.content), row.content_type) for row in wiki.logos.order_by("is_dark")] == [
        (False, SVG, "image/svg+xml"),
        (True, SVG + b"<!-- dark -->", "image/svg+xml"),
    ]
    assert file(text) == []
    (file.folder / "dark.svg").write_bytes(SVG)
    assert file(text) == ["~ client wiki\n    darkLogo: from file dark.svg"]
    assert Entry.objects.filter(event="CLIENT_CHANGED", data__what="logo").count() == 3
    # What is not named stays; nothing is deleted.
    assert file("clients: [{id: wiki, logo: logos/wiki.svg}]") == []
    assert wiki.logos.count() == 2


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("nowhere.svg", None, "there is no file"),
        ("logo.txt", SVG, "File type is not supported"),
        ("logo.png", b"no picture", "File is not a valid image"),
        ("logo.svg", SVG + b" " * 2_100_000, "must not exceed"),
        (".", None, "cannot be read"),
    ],
    ids=["missing", "type", "content", "size", "folder"],
)
def test_a_logo_that_is_no_picture(file, name: str, content: bytes | None, words: str) -> None:
    if content is not None:
        (file.folder / name).write_bytes(content)
    with pytest.raises(Refused) as refused:
        file(f"clients:\n- id: wiki\n  name: Wiki\n  logo: {name}")
    (problem,) = refused.value.problems
    assert problem.line == 4
    assert words in problem.text
    assert not Client.objects.exists()
