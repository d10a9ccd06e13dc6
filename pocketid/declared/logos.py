"""Declared logos of clients: pictures in files beside the declaration, for light and for dark pages."""

from collections.abc import Mapping

from audit.models import Event
from oidc import administration, logos
from oidc.models import Client
from pocketid.declared import document
from pocketid.declared.changes import COMMAND, Changes
from pocketid.declared.document import Value, refusals_of
from pocketid.declared.sources import Sources

# Names in a client, and whether it is the logo for dark pages.
LOGOS = {"logo": False, "darkLogo": True}


def read(given: Mapping[str, Value], what: str) -> Mapping[str, Value]:
    """Paths by name; raise ``Refused``."""
    found = {name: given[name] for name in LOGOS if name in given}
    for name, path in found.items():
        document.text(path, f"{what}: {name}")
    return found


def apply(client: Client, what: str, declared: Mapping[str, Value], files: Sources, changes: Changes) -> None:
    """Put what is not there yet, byte for byte; raise ``Refused``."""
    for name, path in declared.items():
        with refusals_of(path.line, f"{what}: {name}"):
            picture = logos.read(path.data, files.content(path.line, path.data, limit=logos.MAX_BYTES))
        if picture.hash != (client.dark_logo_hash if LOGOS[name] else client.logo_hash):
            changes.note(what, f"{name}: from file {path.data}")
            logos.put(client, picture, is_dark=LOGOS[name])
            administration.note(Event.CLIENT_CHANGED, client, request=None, method=COMMAND, what="logo")
