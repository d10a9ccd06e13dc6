"""Where copies of a source lie while they are read."""

from tempfile import TemporaryDirectory

from django.conf import settings


def private_folder() -> "TemporaryDirectory[str]":
    """A folder that nobody else can read (mode 0700), on the disk of our own data: /tmp is often memory."""
    data = settings.ENVIRONMENT.data_path
    data.mkdir(parents=True, exist_ok=True)
    # An import that is done is done, also when its copies cannot be removed.
    return TemporaryDirectory(prefix="pocketid-import-", dir=data, ignore_cleanup_errors=True)
