"""What came, what was there already, and what did not come and why: for the terminal, the console and scripts."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from moving.pocket_id.rows import INSTEAD, NUL

# The kinds of things, in the order in which they are told.
NOUNS: dict[str, Promise] = {
    "settings": _("settings"),
    "signing keys": _("signing keys"),
    "groups": _("groups"),
    "users": _("users"),
    "memberships": _("memberships of groups"),
    "claims": _("custom claims"),
    "passkeys": _("passkeys"),
    "pictures": _("profile pictures"),
    "clients": _("apps"),
    "secrets": _("secrets of apps"),
    "callbacks": _("callback addresses"),
    "allowed groups": _("allowed groups of apps"),
    "logos": _("logos of apps"),
    "consents": _("consents"),
    "apis": _("APIs"),
    "permissions": _("permissions of APIs"),
    "api access": _("grants of APIs to apps"),
    "scim": _("SCIM service providers"),
    "refresh tokens": _("refresh tokens"),
    "access tokens": _("access tokens"),
    "api keys": _("API keys"),
    "signup tokens": _("sign-up links"),
    "images": _("images"),
    "audit": _("entries of the audit log"),
    "login codes": _("login codes"),
    "waiting": _("what waits for somebody for some minutes"),
    "sessions": _("sessions of people"),
    "ldap": _("links to LDAP"),
    "tables": _("tables"),
    "columns": _("columns"),
    "files": _("files"),
    "state": _("states of jobs"),
    "rows": _("rows"),
}
# Why something did not come, or came differently.
REASONS: dict[str, Promise] = {
    "same id": _("something else has this id here"),
    "name taken": _("the name %(detail)s is somebody else's here"),
    "email taken": _("the e-mail address %(detail)s is somebody else's here"),
    "id retired": _("the account was deleted here, and its id is never given to anybody again"),
    "taken": _("it is somebody else's here"),
    "owner missing": _("whom or what it belongs to did not come"),
    "reserved claim": _("a claim of this name could pass for what the server itself says"),
    "weak key": _("the public key proves nothing: %(detail)s"),
    "unusable callback": _("the address %(detail)s"),
    "every path": _("it stood for every path of its host; %(detail)s was added, which you can narrow"),
    "unusable address": _("the address cannot be used: %(detail)s"),
    "unusable scope": _("nobody could ask for it by this name"),
    "unusable image": _("it is no picture of a kind that is served here, or too large"),
    "unusable setting": _("its value is not allowed here: %(detail)s"),
    "unknown setting": _("this server has no such setting"),
    "unknown secret": _("the secret is kept in an unknown form: %(detail)s"),
    "unusable id": _("its id is not one this server can use"),
    "metadata client": _("clients that are known by a metadata document are not served here"),
    "expired": _("it has expired"),
    "short lived": _("ends by itself within the hour; apps and people simply begin again"),
    "unreadable": _("encrypted with another key than the rest, and no longer readable"),
    "make again": _("make a new one in the console"),
    "access token": _("at userinfo and introspection it has ended; apps get the next one with their refresh token"),
    "other resource": _("it is for an API that did not come; the app must sign in once more"),
    "family ended": _("it was used up or revoked"),
    "sign in again": _("people sign in once more, with the passkeys they have"),
    "no ldap": _("the account stays, but is not kept up to date from LDAP"),
    "algorithm": _("this server does not sign with %(detail)s; apps find the new key in the key set"),
    "static user": _("the user of STATIC_API_KEY is made when the key is used"),
    "derived": _("made from the names of people when it is needed"),
    "not kept": _("not kept here"),
    "unknown": _("unknown to this version"),
    "internal": _("only of use inside Pocket ID"),
    "not used": _("Pocket ID does not show it"),
    "link": _("it is a link to somewhere else, which is not followed"),
    "lifetime": _("tokens may live for %(detail)s minutes at most here"),
    "no file": _("there is a name for it but no file"),
    "no such client": _("it belongs to no app"),
    "no such user": _("it belongs to nobody"),
    "shortened": _("it was longer than %(detail)s characters and has been cut"),
    "nul": _("a character that no text may hold (NUL) was replaced"),
    "unusable email": _("the e-mail address did not come: it is longer than %(detail)s characters"),
    "re-encoded": _("it was not a square PNG of 300 pixels and has been made one"),
    "kept own": _("this server has its own already"),
    "retired key": _("it is published, so that its tokens verify, and signs no more"),
    "hash exchanged": _("checked as bcrypt once more at its first use, then kept as our own hash"),
}
MANY = 1000  # lines of one kind with names; the rest is counted


@dataclass(frozen=True)
class Line:
    """One thing, or ``count`` of a kind; ``reason`` is a key of ``REASONS``."""

    what: str
    reason: str
    name: str = ""
    detail: str = ""
    count: int = 1

    def text(self) -> str:
        """In the language that is active."""
        about = gettext(str(NOUNS[self.what])) if self.what in NOUNS else self.what
        who = f"{about}: {self.name}" if self.name else f"{about} ({self.count})" if self.count > 1 else about
        return f"{who} – {REASONS[self.reason] % {'detail': self.detail}}"


@dataclass
class Report:
    source: dict[str, Any] = field(default_factory=dict)
    came: Counter[str] = field(default_factory=Counter)
    already_there: Counter[str] = field(default_factory=Counter)
    clashes: list[Line] = field(default_factory=list)
    left_out: list[Line] = field(default_factory=list)
    changed: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _named: Counter[tuple[str, str]] = field(default_factory=Counter)
    _more: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def clash(self, what: str, name: str, reason: str, detail: str = "") -> None:
        """With ``--merge``: not taken, because it contradicts what is there."""
        self._add("clashes", Line(what, reason, name, detail))

    def leave_out(self, what: str, reason: str, name: str = "", detail: str = "", count: int = 1) -> None:
        self._add("left_out", Line(what, reason, name, detail, count))

    def change(self, what: str, reason: str, name: str = "", detail: str = "", count: int = 1) -> None:
        """It came, but not as it was."""
        self._add("changed", Line(what, reason, name, detail, count))

    def tally(self, what: str, reason: str, count: int = 1) -> None:
        """Left out by the thousand, without a name."""
        self._more["left_out", what, reason] += count

    def _add(self, where: str, line: Line) -> None:
        # Also these are kept in the database, which takes no NUL.
        line = replace(line, name=line.name.replace(NUL, INSTEAD), detail=line.detail.replace(NUL, INSTEAD))
        lines: list[Line] = getattr(self, where)
        self._named[where, line.what] += 1
        if self._named[where, line.what] > MANY:
            self._more[where, line.what, line.reason] += line.count
        else:
            lines.append(line)

    def lines(self, where: str) -> Iterator[Line]:
        """``clashes``, ``left_out`` or ``changed``; what was only counted comes last."""
        yield from getattr(self, where)
        for (place, what, reason), count in self._more.items():
            if place == where and count:
                yield Line(what, reason, count=count)

    def as_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "came": {what: self.came[what] for what in NOUNS if self.came[what]},
            "alreadyThere": {what: self.already_there[what] for what in NOUNS if self.already_there[what]},
            "clashes": [asdict(line) for line in self.lines("clashes")],
            "leftOut": [asdict(line) for line in self.lines("left_out")],
            "changed": [asdict(line) for line in self.lines("changed")],
            "notes": self.notes,
        }


def from_json(kept: dict[str, Any]) -> Report:
    """What ``as_json`` gave."""
    return Report(
        source=kept.get("source", {}),
        came=Counter(kept.get("came", {})),
        already_there=Counter(kept.get("alreadyThere", {})),
        clashes=[Line(**line) for line in kept.get("clashes", ())],
        left_out=[Line(**line) for line in kept.get("leftOut", ())],
        changed=[Line(**line) for line in kept.get("changed", ())],
        notes=list(kept.get("notes", ())),
    )


def sections(report: Report) -> Iterator[tuple[str, list[str]]]:
    """Heading and lines of each part that is not empty, in the language that is active."""
    counted = [
        (gettext("What came"), report.came),
        (gettext("Was there already"), report.already_there),
    ]
    for heading, counter in counted:
        lines = [f"{noun}: {counter[what]}" for what, noun in NOUNS.items() if counter[what]]
        if lines:
            yield heading, lines
    for heading, where in (
        (gettext("Clashes, not taken"), "clashes"),
        (gettext("Came, but changed"), "changed"),
        (gettext("Did not come, and why"), "left_out"),
    ):
        lines = [line.text() for line in report.lines(where)]
        if lines:
            yield heading, lines
    if report.notes:
        yield gettext("To know"), list(report.notes)
