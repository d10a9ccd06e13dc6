"""The parameters of a protocol request: each at most once, and only text that can be text."""

import logging
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import HttpRequest

from oidc.claims import SCOPES
from oidc.errors import InvalidRequestError

logger = logging.getLogger("pocketid.oidc")

KNOWN_SCOPES = frozenset(SCOPES)

MAX_LENGTH = 8192  # characters of one value; longer ones are nobody's state or nonce


class BadParameters(ValueError):
    """The text says what is wrong, for the description of ``invalid_request``."""


def in_query(request: HttpRequest) -> Mapping[str, str]:
    """The parameters in the address; raise ``BadParameters``.

    Without ``request.GET``, which takes as long again to put into its lists what must not be there twice.
    """
    query = request.META.get("QUERY_STRING", "").encode("latin-1").decode(errors="replace")  # PEP 3333
    most = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS  # Django's for forms
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=most)
    except ValueError:
        raise BadParameters(f"There are more than {most} parameters.") from None
    return _single(pairs)


def in_form(request: HttpRequest) -> Mapping[str, str]:
    """The parameters in a body that is a form; raise ``BadParameters``."""
    return _single((name, value) for name, values in request.POST.lists() for value in values)


def _single(pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Each parameter's one value; raise ``BadParameters`` if one came twice (RFC 6749 section 3.1) or is no text.

    ``resource`` may come more than once (RFC 8707 section 2): its values are separated by blanks, which no address has.
    """
    found: dict[str, str] = {}
    for name, given in pairs:
        value = given
        if name in found:
            if name != "resource":
                raise BadParameters(f"The parameter {name[:40]} was sent more than once.")
            value = f"{found[name]} {given}"
        if len(value) > MAX_LENGTH:
            raise BadParameters(f"The parameter {name[:40]} is longer than {MAX_LENGTH} characters.")
        if (
            "\x00" in value
            or "\ufffd" in value
            or (not value.isprintable() and any(0xD800 <= ord(c) < 0xE000 for c in value))
        ):
            raise BadParameters(f"The parameter {name[:40]} is not valid UTF-8 text.")
        found[name] = value
    return found


def form_of(request: HttpRequest) -> Mapping[str, str]:
    """The parameters in the body, never in the address; raise ``InvalidRequestError``."""
    if not is_form(request):
        raise InvalidRequestError(description="The body must be a form: application/x-www-form-urlencoded.")
    try:
        return in_form(request)
    except BadParameters as bad:
        raise InvalidRequestError(description=str(bad)) from None


def scopes_of(form: Mapping[str, str]) -> list[str]:
    """The words of ``scope`` (RFC 6749 section 3.3). Commas between known ones are tolerated: some apps' settings have a
    field into which people type them so (relying-parties.md section 4)."""
    words: list[str] = []
    for word in form.get("scope", "").split():
        parts = [part for part in word.split(",") if part]
        if len(parts) > 1 and KNOWN_SCOPES.intersection(parts):
            logger.warning(
                "client %.64r separates scopes by commas instead of blanks: %.200r", form.get("client_id", ""), word
            )
            words += parts
        else:
            words.append(word)
    return list(dict.fromkeys(words))


def is_form(request: HttpRequest) -> bool:
    """Whether the body is a form, whatever charset its type names (relying-parties.md rule 6)."""
    return bool(request.content_type == "application/x-www-form-urlencoded")
