"""What can go wrong when relay starts its own Postgres, Redis and S3 server."""

from __future__ import annotations

from relay.errors import ConfigurationError, Conflict, Unavailable


class FolderInUse(Conflict):
    """Another process has the data folder locked."""

    code = "folder-in-use"


class FolderUnusable(ConfigurationError):
    """The data folder cannot be used as it is."""

    code = "folder-unusable"


class ServerMissing(ConfigurationError):
    """The program of a server is not installed."""

    code = "embedded-server-missing"


class ServerFailed(Unavailable):
    """A server that was started has ended or does not answer."""

    code = "embedded-server-failed"
