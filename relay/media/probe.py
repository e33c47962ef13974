"""What a recording holds is found out in the jail, and checked against the limits outside."""

from __future__ import annotations

from fractions import Fraction

from relay.decoding import NotDecodable, decode_json
from relay.media import errors
from relay.media.facts import CODECS, VIDEO_CODECS, Facts
from relay.media.jail import SCRIPTS, JailLimits, Outcome, run_in_jail
from relay.media.limits import MediaLimits
from relay.media.memory import MemoryFile
from relay.media.recipe import CAMERA_MAX_RATE
from relay.media.tools import MediaTools
from relay.settings import MIB

PROBE_SECONDS = 60
PROBE_FILE_BYTES = MIB
BOMB_PIXELS_PER_BYTE = 50_000
"""A still picture filmed in 4K takes a fifth of this; only made-up pictures unfold so far."""
BOMB_PIXELS = 20_000_000_000
"""80 s of 4K at 30 pictures a second: less is no trouble to unfold."""
BOMB_MEMORY_RATIO = 1000


async def probe(source: MemoryFile, *, limits: MediaLimits, tools: MediaTools) -> Facts:
    """Look at `source` (sealed) in the jail; a MediaRefused where it cannot or may not be prepared."""
    if source.size == 0:
        raise errors.EmptyRecording
    with source.reader() as descriptor:
        outcome = await run_in_jail(
            [
                *(str(tools.python), "-I", "-S", "-B", f"{SCRIPTS}/probe.py"),
                *(str(descriptor), ",".join(sorted(CODECS))),
            ],
            limits=JailLimits(
                memory_bytes=limits.jail_memory_bytes,
                threads=limits.jail_processes,
                file_bytes=PROBE_FILE_BYTES,
                seconds=min(PROBE_SECONDS, limits.transcode_seconds),
            ),
            tools=tools,
            descriptors=(descriptor,),
        )
    facts = read_facts(outcome, source_bytes=source.size, limits=limits)
    check_facts(facts, source_bytes=source.size, limits=limits)
    return facts


def read_facts(outcome: Outcome, *, source_bytes: int, limits: MediaLimits) -> Facts:
    """Decode what the probe printed; whatever kept it from printing is a refusal too."""
    if outcome.timed_out:
        raise errors.TookTooLong
    if outcome.ran_out_of_memory:
        raise out_of_memory(source_bytes=source_bytes, limits=limits)
    if outcome.status != 0:
        raise errors.UnreadableRecording(f"probe ended with {outcome.status}")
    try:
        return decode_json(outcome.stdout, Facts)
    except NotDecodable:
        raise errors.UnreadableRecording("the probe's answer was not understood") from None


def check_facts(facts: Facts, *, source_bytes: int, limits: MediaLimits) -> None:
    """Hold a probed file against the limits; the first that it breaks is raised."""
    if facts.refused == errors.OutOfMemory.code:
        raise out_of_memory(source_bytes=source_bytes, limits=limits)
    if facts.refused == errors.TooManyStreams.code:
        raise errors.TooManyStreams(max_streams=limits.video_max_streams)
    if any(stream.locked for stream in facts.streams):
        raise errors.ProtectedRecording
    tracks = [stream for stream in facts.streams if stream.kind in {"video", "audio"}]
    if len(tracks) > limits.video_max_streams:
        raise errors.TooManyStreams(max_streams=limits.video_max_streams)
    pixels = max((s.width * s.height for s in facts.streams), default=0)
    if pixels > limits.video_max_pixels:
        raise errors.TooManyPixels(max_pixels=limits.video_max_pixels)
    if (facts.duration_ms or 0) > limits.video_max_seconds * 1000:
        raise errors.TooLong(max_seconds=limits.video_max_seconds)
    _check_content(facts)
    unfolded = _unfolded_pixels(facts)
    if unfolded > max(BOMB_PIXELS, BOMB_PIXELS_PER_BYTE * source_bytes):
        raise errors.DecompressionBomb(f"{unfolded / source_bytes:.0f} pixels per byte")


def _check_content(facts: Facts) -> None:
    if facts.video and facts.video.codec not in VIDEO_CODECS:
        raise errors.UnsupportedCodec(facts.video.codec)
    if facts.video and not facts.video.width * facts.video.height:
        raise errors.UnreadableRecording("a picture without a size")
    if facts.has_unknown_sound:
        raise errors.UnsupportedCodec("no sound that can be decoded")
    if facts.refused:
        raise refusal(facts.refused)
    if facts.video is None and not facts.sounds:
        if any(
            stream.kind in {"video", "audio"} and not stream.picture for stream in facts.streams
        ):
            raise errors.UnreadableRecording("nothing in any track")
        raise errors.NotARecording("no video and no sound in it")


def _unfolded_pixels(facts: Facts) -> float:
    video = facts.video
    if video is None:
        return 0
    # A recorder that writes no index may claim the tick of its clock as its rate, such as 1000.
    rate = min(float(Fraction(video.average_rate or 30)), CAMERA_MAX_RATE)
    counted = max(video.packets, rate * (facts.duration_ms or 0) / 1000)
    return video.width * video.height * counted


def out_of_memory(*, source_bytes: int, limits: MediaLimits) -> errors.MediaRefused:
    """A small file that fills the memory is a bomb; a large one is only large."""
    if source_bytes * BOMB_MEMORY_RATIO < limits.jail_memory_bytes:
        return errors.DecompressionBomb("filled the memory")
    return errors.OutOfMemory()


def refusal(code: str) -> errors.MediaRefused:
    """The error of that code."""
    kinds = {kind.code: kind for kind in errors.MediaRefused.__subclasses__()}
    return kinds.get(code, errors.UnreadableRecording)()
