"""An S3 server of its own: rclone on a folder, a folder per bucket and a file per object.

An object is written to a temporary file and renamed, so it is whole or absent, no matter what is killed.
rclone does not call fsync: relay has the folder's file system written before it acknowledges an object
(`RELAY_S3_SYNC_FOLDER`; empty where nobody needs that). The parts of a multipart upload live as long as
rclone does.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from relay.embedded import binaries
from relay.embedded.errors import FolderUnusable
from relay.embedded.folder import Access, Accesses, DataFolder
from relay.embedded.privilege import command
from relay.embedded.servers import Servers

LISTENING = re.compile(rb"Starting s3 server on \[(http://127\.0\.0\.1:\d+)/\]")
UNFINISHED = ".rclone_temp_"
BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


async def start(folder: DataFolder, servers: Servers, environment: Mapping[str, str]) -> Accesses:
    """Start the S3 server with the bucket that `environment` names; gives everybody its `RELAY_S3_*`."""
    bucket = environment.get("RELAY_S3_BUCKET", "relay")
    if not BUCKET.fullmatch(bucket):
        raise FolderUnusable(f"RELAY_S3_BUCKET {bucket!r} is not a bucket name")
    objects = folder.subfolder("s3")
    _discard_unfinished(objects)
    (objects / bucket).mkdir(mode=0o700, exist_ok=True)
    keys = folder.credentials
    argv = [str(binaries.rclone()), "serve", "s3", "--addr", "127.0.0.1:0", "--config", ""]
    argv += ["--cache-dir", str(folder.root / "s3-cache")]
    argv += ["--etag-hash", ""]  # else the first look at an object reads the whole of it
    argv += ["--stats", "0", str(objects)]
    log = folder.log("s3")
    said_before = log.stat().st_size if log.exists() else 0
    await servers.start(
        "s3",
        command(argv, user=None, parent_death_signal="TERM"),
        log=log,
        environment={"RCLONE_AUTH_KEY": f'"{keys.s3_access_key},{keys.s3_secret_key}"'},
    )

    async def address() -> str | None:
        with log.open("rb") as said:
            said.seek(said_before)
            found = LISTENING.search(said.read())
        return found[1].decode() if found else None

    settings = {
        "RELAY_S3_ENDPOINT": await servers.ready("s3", address),
        "RELAY_S3_ACCESS_KEY": keys.s3_access_key,
        "RELAY_S3_SECRET_KEY": keys.s3_secret_key,
        "RELAY_S3_BUCKET": bucket,
        "RELAY_S3_SYNC_FOLDER": environment.get("RELAY_S3_SYNC_FOLDER", str(objects)),
    }
    return {access: settings for access in Access if access is not Access.OWNER}


def _discard_unfinished(objects: Path) -> None:
    """Remove what a killed server had not acknowledged."""
    for place, _, names in os.walk(objects):
        for name in names:
            if name.startswith(UNFINISHED):
                (Path(place) / name).unlink()
