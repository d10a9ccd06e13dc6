"""Writes ``docs/specifications.md``: which section of which specification is shown by which test, and what is left out, and why.

    python -m tests.specifications          write it
    python -m tests.specifications --check  exit status 1 if it is not what the tests say

A test names its section: ``@pytest.mark.spec("RFC 6749", "4.1.2")``. What is not supported has no test, so it is written below.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/specifications.md"

# The specifications of the page, in its order: the name that tests use, what it is called, and where it is.
DOCUMENTS = {
    "OIDC Core": ("OpenID Connect Core 1.0", "https://openid.net/specs/openid-connect-core-1_0.html"),
    "OIDC Discovery": ("OpenID Connect Discovery 1.0", "https://openid.net/specs/openid-connect-discovery-1_0.html"),
    "OIDC RP-Initiated Logout": (
        "OpenID Connect RP-Initiated Logout 1.0",
        "https://openid.net/specs/openid-connect-rpinitiated-1_0.html",
    ),
    "OIDC Back-Channel Logout": (
        "OpenID Connect Back-Channel Logout 1.0",
        "https://openid.net/specs/openid-connect-backchannel-1_0.html",
    ),
    "OAuth 2.0 Multiple Response Types": (
        "OAuth 2.0 Multiple Response Type Encoding Practices",
        "https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html",
    ),
    "OAuth 2.0 Form Post Response Mode": (
        "OAuth 2.0 Form Post Response Mode",
        "https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html",
    ),
    "RFC 6585": ("Additional HTTP Status Codes", ""),
    "RFC 6749": ("The OAuth 2.0 Authorization Framework", ""),
    "RFC 6750": ("Bearer Token Usage", ""),
    "RFC 7009": ("Token Revocation", ""),
    "RFC 7517": ("JSON Web Key (JWK)", ""),
    "RFC 7521": ("Assertion Framework for OAuth 2.0", ""),
    "RFC 7523": ("JWT Profile for Client Authentication and Authorization Grants", ""),
    "RFC 7636": ("Proof Key for Code Exchange", ""),
    "RFC 7662": ("Token Introspection", ""),
    "RFC 8252": ("OAuth 2.0 for Native Apps", ""),
    "RFC 8414": ("Authorization Server Metadata", ""),
    "RFC 8628": ("Device Authorization Grant", ""),
    "RFC 8693": ("Token Exchange", ""),
    "RFC 8705": ("Mutual-TLS Client Authentication", ""),
    "RFC 8707": ("Resource Indicators", ""),
    "RFC 8725": ("JSON Web Token Best Current Practices", ""),
    "RFC 9068": ("JWT Profile for Access Tokens", ""),
    "RFC 9101": ("JWT-Secured Authorization Request", ""),
    "RFC 9126": ("Pushed Authorization Requests", ""),
    "RFC 9207": ("Authorization Server Issuer Identification", ""),
    "RFC 9470": ("Step Up Authentication Challenge", ""),
    "RFC 9449": ("Demonstrating Proof of Possession (DPoP)", ""),
    "RFC 9700": ("Best Current Practice for OAuth 2.0 Security", ""),
    "RFC 7591": ("Dynamic Client Registration", ""),
    "RFC 8259": ("JSON", ""),
    "RFC 9110": ("HTTP Semantics", ""),
    "WebAuthn L3": ("Web Authentication Level 3", "https://www.w3.org/TR/webauthn-3/"),
}
# Other names that tests have for the same.
SAME = {"Back-Channel Logout": "OIDC Back-Channel Logout", "JAR": "RFC 9101"}

# (specification, section): why it is not supported.
LEFT_OUT = {
    ("OIDC Core", "3.2"): "the implicit flow: tokens in an address are in histories and logs (RFC 9700 section 2.1.2)",
    ("OIDC Core", "3.3"): "the hybrid flow: for the same reason; the code flow with PKCE does what it was for",
    ("OIDC Core", "4"): "sign-in started by somebody else is the app's part: the link of an app leads to its own start",
    ("OIDC Core", "5.6.2"): "aggregated and distributed claims: everything that is known of a person is known here",
    ("OIDC Core", "7"): "self-issued providers: this server issues for others",
    (
        "OIDC Core",
        "8",
    ): "pairwise subjects: apps of one household compare people by their id, as they do with Pocket ID",
    (
        "OIDC Core",
        "10.2",
    ): "encrypted ID tokens: they travel from server to server over TLS and are seen by nobody else",
    ("RFC 6749", "4.2"): "the implicit grant: RFC 9700 section 2.1.2 forbids it",
    ("RFC 6749", "4.3"): "the password grant: nobody has a password here, and RFC 9700 section 2.4 forbids it",
    ("RFC 6750", "2.3"): "an access token in the query of an address: it is in every log (RFC 9700 section 4.3.2)",
    ("RFC 7523", "2.1"): "an assertion as a grant: who may act for a person is said by the person, at the consent",
    ("RFC 7591", "3"): "dynamic registration: apps are added by administrators, over REST as well",
    (
        "RFC 7636",
        "4.2",
    ): "the method plain: whoever sees the challenge has the verifier (RFC 9700 section 2.1.1); S256 is supported",
    (
        "RFC 8707",
        "2 (several)",
    ): "several APIs in one request: each could use the token at the others; as Pocket ID does, one is taken, and more are `invalid_target`",
    ("RFC 8693", "2"): "token exchange: not built yet",
    ("RFC 8705", "2"): "client certificates: TLS ends at the reverse proxy; private_key_jwt does what they are for",
    ("RFC 9449", "4"): "DPoP: not built yet",
}


@dataclass(frozen=True)
class Shown:
    """One section in one test."""

    document: str
    section: str
    file: Path
    test: str


def shown() -> Iterator[Shown]:
    """What the tests say of themselves, without importing them."""
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
                for document, sections in _marks(node):
                    for section in re.split(r",\s*", sections):
                        yield Shown(SAME.get(document, document), section, file.relative_to(ROOT), node.name)


def _marks(function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    for mark in function.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.spec":
            document, section = (ast.literal_eval(argument) for argument in mark.args[:2])
            yield document, section


def page() -> str:
    """The whole document."""
    by_section: dict[str, dict[str, list[Shown]]] = defaultdict(lambda: defaultdict(list))
    for each in shown():
        if each.document in DOCUMENTS:
            by_section[each.document][each.section].append(each)
    lines = [
        "# Specifications",
        "",
        "Which section of which specification is supported, and which test shows it; and which is not, and why. This page is made from",
        "the tests by `make specifications`; what it says of a section is what the linked tests check.",
        "",
    ]
    for document, (title, url) in DOCUMENTS.items():
        left_out = {section: why for (name, section), why in LEFT_OUT.items() if name == document}
        sections = by_section.get(document, {})
        if sections or left_out:
            where = url or f"https://www.rfc-editor.org/rfc/rfc{document.removeprefix('RFC ')}.html"
            heading = f"{document}: {title}" if document.startswith("RFC") else title
            lines += [f"## [{heading}]({where})", "", "| section | supported | shown by |", "|---|---|---|"]
            lines += [_row(section, sections.get(section, []), left_out) for section in _sorted({*sections, *left_out})]
            lines.append("")
    return "\n".join(lines)


def _row(section: str, tests: list[Shown], left_out: dict[str, str]) -> str:
    if section in left_out:
        also = f"; {_links(tests)}" if tests else ""
        return f"| {section} | not | {left_out[section]}{also} |"
    return f"| {section} | yes | {_links(tests)} |"


def _links(tests: list[Shown]) -> str:
    unique = dict.fromkeys((each.file.as_posix(), each.test) for each in tests)
    return "; ".join(f"[{test.removeprefix('test_').replace('_', ' ')}](../{file})" for file, test in unique)


def _sorted(sections: set[str]) -> list[str]:
    return sorted(
        sections,
        key=lambda section: [
            (not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in section.split(".")
        ],
    )


def main() -> int:
    if "--check" in sys.argv[1:]:
        is_current = PAGE.exists() and PAGE.read_text(encoding="utf-8") == page()
        if not is_current:
            print(f"{PAGE.relative_to(ROOT)} is not current: make specifications")
        return 0 if is_current else 1
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
