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
        with facts.open_container(descriptor, demuxer, codecs) as container:
            found = facts.read_facts(container)
            if not any(stream["locked"] for stream in found["streams"]):
                readable = facts.add_first_frame(container, found)
                if not readable:
                    return {"refused": "video-unreadable", "demuxer": demuxer, **found}
        if found["duration_ms"] is None:
            with facts.open_container(descriptor, demuxer, codecs) as container:
                found["duration_ms"] = facts.measure_duration_ms(container)
    except av.error.MemoryError:
        raise MemoryError from None
    except av.error.FFmpegError:
        raise RefusedError("video-unreadable") from None
    return {"demuxer": demuxer, **found}


main(int(sys.argv[1]), sys.argv[2])
