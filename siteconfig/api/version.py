"""Which version this is (contract section 2), and whether the database is where it should be."""

from importlib import import_module
from pathlib import Path

from django.conf import settings
from django.db import connection
from rest_framework.request import Request
from rest_framework.response import Response

from core.rest_view import PublicResource, Resource

# The version of Pocket ID whose routes and fields are served here: clients choose what they send by it.
POCKET_ID = "2.18.0"

# Where SQLite's locks are known not to hold.
NETWORK_FILE_SYSTEMS = frozenset(("9p", "ceph", "cifs", "fuse.sshfs", "glusterfs", "nfs", "nfs4", "smb3", "smbfs"))


class CurrentVersion(Resource):
    scope = "version"

    def get(self, request: Request) -> Response:
        return Response({"currentVersion": POCKET_ID, "pocketidVersion": _own()})


def _own() -> str:
    """The version of the package that holds the settings, which no app may import."""
    package = import_module(str(settings.SETTINGS_MODULE).partition(".")[0])
    return str(getattr(package, "__version__", ""))


class LatestVersion(PublicResource):
    """This server never calls home: as far as it knows, nothing is newer."""

    def get(self, request: Request) -> Response:
        latest = "" if settings.ENVIRONMENT.version_check_disabled else POCKET_ID
        return Response(
            {"latestVersion": latest}, headers={"Cache-Control": "public, max-age=300, stale-while-revalidate=900"}
        )


class SqliteWarning(Resource):
    scope = "version"

    def get(self, request: Request) -> Response:
        return Response({"showWarning": connection.vendor == "sqlite" and _is_on_a_network(settings.ENVIRONMENT)})


def _is_on_a_network(environment: object) -> bool:
    """Whether the mount that holds the database is another machine's."""
    path = getattr(getattr(environment, "database", None), "path", None)
    mounts = Path("/proc/mounts")
    if path is None or not mounts.exists():
        return False
    real, kind, longest = str(Path(path).resolve().parent), "", 0
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        _device, mount, fs_type, *_rest = line.split(" ")
        mount = mount.rstrip("/")
        if (real == mount or real.startswith(mount + "/")) and len(mount) >= longest:
            kind, longest = fs_type, len(mount)
    return kind in NETWORK_FILE_SYSTEMS
