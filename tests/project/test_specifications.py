"""``docs/specifications.md`` says what the tests say."""

from tests import specifications


def test_the_page_is_current() -> None:
    assert specifications.PAGE.read_text(encoding="utf-8") == specifications.page(), "run: make specifications"


def test_every_section_is_either_shown_or_left_out() -> None:
    shown = {(each.document, each.section) for each in specifications.shown()}
    assert not shown & set(specifications.LEFT_OUT), "supported after all? then take it from LEFT_OUT"


def test_every_document_that_tests_name_for_a_specification_is_known() -> None:
    named = {each.document for each in specifications.shown()}
    unknown = {name for name in named if name.startswith(("RFC", "OIDC", "OAuth"))} - set(specifications.DOCUMENTS)
    assert not unknown, "add it to DOCUMENTS"
