"""Static files that come with a package, and how the collected ones are kept."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import FileSystemFinder
from django.core.files.storage import FileSystemStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage


class SwaggerUiFinder(FileSystemFinder):
    """The two files of drf-spectacular-sidecar that ``/api/docs`` needs, of nine megabytes."""

    PREFIX, FILES = "swagger-ui", ("swagger-ui-bundle.js", "swagger-ui.css")

    def __init__(self, *args: object, **kwargs: object) -> None:
        package = find_spec("drf_spectacular_sidecar")  # without importing it
        folders = package.submodule_search_locations if package else None
        root = str(Path((folders or ["."])[0]) / "static/drf_spectacular_sidecar/swagger-ui-dist")
        storage = FileSystemStorage(location=root)
        storage.prefix = self.PREFIX  # type: ignore[attr-defined] # what finders add to it
        self.locations, self.storages = [(self.PREFIX, root)], {root: storage}

    def list(self, ignore_patterns: Any) -> Iterator[Any]:  # noqa: ANN401 - Django's own
        for path, storage in super().list(ignore_patterns):
            if path in self.FILES:
                yield path, storage


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc] # whitenoise has no types
    """Hashed and compressed. Source maps stay behind, so nothing is said of where they are."""

    patterns = tuple(
        (kind, tuple(rule for rule in rules if "sourceMappingURL" not in str(rule)))
        for kind, rules in CompressedManifestStaticFilesStorage.patterns
    )
