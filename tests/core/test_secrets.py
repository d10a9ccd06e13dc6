"""What is encrypted at rest can be read in its own place only, and only with our key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import secrets


@given(plain=st.binary(max_size=300), place=st.text(max_size=40))
def test_it_comes_back_as_it_was(plain: bytes, place: str) -> None:
    text = secrets.encrypt(plain, place=place)
    assert text.isascii()
    assert secrets.decrypt(text, place=place) == plain
    assert secrets.encrypt(plain, place=place) != text


def test_copied_to_another_place_it_is_unreadable() -> None:
    text = secrets.encrypt(b"key", place="oidc_signingkey.private_key.a")
    for place in ("oidc_signingkey.private_key.b", "", "oidc_signingkey.private_key.a "):
        with pytest.raises(secrets.CannotDecrypt):
            secrets.decrypt(text, place=place)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t[:-4] + "AAAA",
        lambda t: t[:-5],
        lambda t: "00000000." + t.partition(".")[2],
        lambda t: t.partition(".")[2],
        lambda t: "",
        lambda t: t.partition(".")[0] + ".",
        lambda t: t.partition(".")[0] + ".ü",
    ],
)
def test_changed_it_is_unreadable(change) -> None:
    with pytest.raises(secrets.CannotDecrypt):
        secrets.decrypt(change(secrets.encrypt(b"key", place="x")), place="x")


def test_another_encryption_key_reads_nothing(settings) -> None:
    text = secrets.encrypt(b"key", place="x")
    settings.ENCRYPTION_KEY = "another key of at least 16 bytes"
    with pytest.raises(secrets.CannotDecrypt, match="another ENCRYPTION_KEY"):
        secrets.decrypt(text, place="x")


def test_each_purpose_has_a_key_of_its_own() -> None:
    assert secrets.derive_key("one") != secrets.derive_key("two")
    assert len(secrets.derive_key("one", 64)) == 64


def test_tokens_are_long_and_never_the_same() -> None:
    made = {secrets.new_token("x_") for _count in range(100)}
    assert len(made) == 100
    assert all(len(token) == 45 for token in made)


@given(st.text(), st.text())
def test_comparing_is_comparing(one: str, other: str) -> None:
    assert secrets.equal(one, other) is (one == other)
    assert secrets.equal(one, one)
