"""Says in JSON what a file holds, or with which code it is refused. Runs in the jail.

Arguments: descriptor of the file, the decoders that may run, separated by commas.
"""

from __future__ import annotations

import json
import sys

sys.path.insert(0, "/relay/code")
sys.path.insert(1, "/relay/site")

from relay.media.inside.containers import RefusedError, check_whole, recognize


def main(descriptor: int, codecs: str) -> None:
    """Print one JSON object."""
    try:
        demuxer = recognize(descriptor)
        check_whole(descriptor, demuxer)
        answer = look(descriptor, demuxer, codecs)
    except RefusedError as refused:
        answer = {"refused": str(refused)}
    except MemoryError:
        answer = {"refused": "video-needs-too-much-memory"}
    json.dump(answer, sys.stdout)


def look(descriptor: int, demuxer: str, codecs: str) -> dict[str, object]:
    """Open it with PyAV, which is loaded only for a file that looks like one."""
    # Loading PyAV takes 0.1 s, which a playlist or a letter need not cost.
    import av.error  # noqa: PLC0415

    from relay.media.inside import facts  # noqa: PLC0415

    try:
        found = facts.read(descriptor, demuxer, codecs)
        whole = demuxer == "mov" and facts.is_empty(found)
        if whole:  # an edit list may leave out everything there is
            found = facts.read(descriptor, demuxer, codecs, whole=True)
    except av.error.MemoryError:
        if facts.has_too_many_streams(descriptor, demuxer, codecs):
            raise RefusedError("video-too-many-streams") from None
        raise MemoryError from None
    except av.error.FFmpegError:
        raise RefusedError("video-unreadable") from None
    facts.drop_tags(found)
    answer = {"demuxer": demuxer, "whole": whole, **found}
    try:
        if not any(stream["locked"] for stream in found["streams"]):
            with facts.open_container(descriptor, demuxer, codecs, whole=whole) as container:
                if not facts.add_first_frame(container, found, codecs):
                    return {"refused": "video-unreadable", **answer}
    except av.error.MemoryError:
        raise MemoryError from None
    except av.error.FFmpegError:
        return {"refused": "video-unreadable", **answer}
    return answer


main(int(sys.argv[1]), sys.argv[2])
