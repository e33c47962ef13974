"""Hostile video in, clean MP4 out: the one function that the media worker calls."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from relay.decoding import NotDecodable, decode_json
from relay.media import errors, recipe, sound
from relay.media.clean import check_poster, check_rendition
from relay.media.facts import CODECS, Facts, StreamFacts
from relay.media.jail import FFMPEG, SCRIPTS, JailLimits, Outcome, run_in_jail
from relay.media.limits import MediaLimits
from relay.media.memory import MemoryFile
from relay.media.probe import out_of_memory, probe
from relay.media.tools import MediaTools
from relay.settings import MIB

Stage = Literal["probing", "measuring", "encoding", "checking"]

POSTER_MAX_BYTES = 4 * MIB
ANSWER_MAX_BYTES = MIB
MAX_THREADS = 8
"""More would not speed up 720p, and each takes its share of the jail's address space."""
SHORTFALL, SHORTFALL_MS = 0.8, 2000
"""A rendition shorter than this share of what was counted, or announced, has lost its end."""
_ANNOUNCED = {"avi", "wav", "flac", "aiff", "caf"}
"""Containers whose duration is written once, and whose end shows nowhere else."""
STALL_SECONDS = 120
"""No new picture or sound for so long means that ffmpeg hangs."""
_SHARES: dict[Stage, tuple[float, float]] = {
    "probing": (0.0, 0.02),
    "measuring": (0.02, 0.06),
    "encoding": (0.06, 0.98),
    "checking": (0.98, 1.0),
}
_CHANGES = b"Reconfiguring filter graph"
"""What ffmpeg says where a track becomes another on the way."""
_LEVEL = re.compile(rb"RMS level dB: (-?[0-9.]+|-inf)")
_LOUDNESS = re.compile(rb"^\s+I:\s+(-?[0-9.]+) LUFS", re.MULTILINE)
_RANGE = re.compile(rb"^\s+LRA:\s+([0-9.]+) LU", re.MULTILINE)
CANCELLED_LU = 10
"""Tracks that are lifted to one loudness and together are so much quieter take each other away."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a transcode has come."""

    stage: Stage
    fraction: float
    """Of the whole work, 0 to 1; never goes back."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Transcoded:
    """What came out of the jail, checked. The caller closes both files."""

    rendition: MemoryFile
    """Faststart MP4, sealed read-only."""
    poster: MemoryFile
    """JPEG, sealed read-only."""
    kind: Literal["video", "audio"]
    profile: Literal["h264-720p", "audio"]
    duration_ms: int
    width: int
    """Pixels; 0 for sound alone."""
    height: int
    size: int
    """Bytes of the rendition."""


async def transcode(
    source: MemoryFile,
    *,
    limits: MediaLimits,
    tools: MediaTools,
    progress: Callable[[Progress], None],
) -> Transcoded:
    """Turn `source` (sealed by this) into a rendition and a poster.

    Raises a MediaRefused that tells the sender what to do, JailUnavailable or JailBroken for the
    operator. Cancelling kills everything in the jail before it returns.
    """
    source.seal()
    work = _Work(source=source, limits=limits, tools=tools, progress=progress)
    rendition, poster = MemoryFile(), MemoryFile()
    try:
        async with asyncio.timeout(limits.transcode_seconds):
            return await work.run(rendition, poster)
    except TimeoutError:
        rendition.close()
        poster.close()
        raise errors.TookTooLong from None
    except BaseException:
        rendition.close()
        poster.close()
        raise


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """The four steps over one source."""

    source: MemoryFile
    limits: MediaLimits
    tools: MediaTools
    progress: Callable[[Progress], None]

    async def run(self, rendition: MemoryFile, poster: MemoryFile) -> Transcoded:
        self._tell("probing")
        facts = await probe(self.source, limits=self.limits, tools=self.tools)
        self._tell("measuring")
        together = await self._listen(facts)
        self._tell("encoding")
        await self._encode(facts, together, rendition)
        rendition.seal()
        self._tell("checking")
        found = await self._check(rendition, poster)
        poster.seal()
        check_rendition(rendition, found)
        check_poster(poster)
        transcoded = _described(facts, together, found, rendition, poster, self.limits)
        self.progress(Progress(stage="checking", fraction=1.0))
        return transcoded

    def _tell(self, stage: Stage, part: float = 0.0) -> None:
        start, end = _SHARES[stage]
        self.progress(Progress(stage=stage, fraction=start + (end - start) * part))

    def _jail_limits(self, file_bytes: int, *, stall_seconds: float = math.inf) -> JailLimits:
        return JailLimits(
            memory_bytes=self.limits.jail_memory_bytes,
            threads=self.limits.jail_processes,
            file_bytes=file_bytes,
            seconds=self.limits.transcode_seconds,
            stall_seconds=stall_seconds,
        )

    @contextlib.contextmanager
    def _opened(self, facts: Facts, tracks: int = 1) -> Iterator[list[recipe.Source]]:
        with contextlib.ExitStack() as stack:
            yield [
                recipe.Source(
                    descriptor=stack.enter_context(self.source.reader()),
                    codecs=CODECS,
                    max_pixels=self.limits.video_max_pixels,
                    max_seconds=self.limits.video_max_seconds,
                    whole=facts.whole,
                )
                for _ in range(recipe.inputs(facts, tracks))
            ]

    async def _listen(self, facts: Facts) -> sound.Together | None:
        """All that are played and have something to hear; where none has a voice, of the others up to one."""
        tracks = [
            await self._measure(facts, number, stream) for number, stream in enumerate(facts.played)
        ]
        for stream in facts.sounds[len(tracks) :]:
            if any(track.is_voice for track in tracks):
                break
            tracks.append(await self._measure(facts, len(tracks), stream))
        return await self._join(facts, [t for t in tracks if not t.is_silent] or tracks[:1])

    async def _join(self, facts: Facts, sounds: Sequence[sound.Sound]) -> sound.Together | None:
        """How loud they are together; where tracks cancel each other, every second is turned over."""
        if not sounds:
            return None
        together = sound.Together(sounds=sounds, loudness_lufs=sounds[0].loudness_lufs)
        if len(sounds) == 1:
            return together
        loudness = await self._measure_all(facts, together, len(facts.sounds))
        if loudness < sound.TARGET_LUFS - CANCELLED_LU:
            together = dataclasses.replace(together, turned=True)
            loudness = await self._measure_all(facts, together, len(facts.sounds) + 1)
        return dataclasses.replace(together, loudness_lufs=loudness)

    async def _measure(self, facts: Facts, number: int, stream: StreamFacts) -> sound.Sound:
        """Decode a whole track."""
        with self._opened(facts) as sources:
            said = await self._hear(
                facts,
                recipe.loudness_command(stream, facts.demuxer, program=FFMPEG, source=sources[0]),
                sources,
                number,
            )
        levels = list(map(float, _LEVEL.findall(said)))
        sides = [max(levels[side::4], default=-math.inf) for side in range(4)]
        mix, louder = sound.mix(*sides)
        return sound.Sound(
            stream=stream,
            loudness_lufs=_loudest(said) + louder,
            range_lu=max(map(float, _RANGE.findall(said)), default=0.0),
            changes=_CHANGES in said,
            mix=mix,
        )

    async def _measure_all(self, facts: Facts, together: sound.Together, number: int) -> float:
        """Decode all tracks that are heard, and mix them."""
        with self._opened(facts, len(together.sounds)) as sources:
            command = recipe.together_command(facts, together, program=FFMPEG, sources=sources)
            return _loudest(await self._hear(facts, command, sources, number))

    async def _hear(
        self, facts: Facts, command: list[str], sources: Sequence[recipe.Source], number: int
    ) -> bytes:
        """What ffmpeg says of a sound; `number` counts the runs of which there may be several."""
        runs = len(facts.sounds) + 2 if len(facts.sounds) > 1 else 1
        outcome = await run_in_jail(
            command,
            limits=self._jail_limits(0, stall_seconds=STALL_SECONDS),
            tools=self.tools,
            descriptors=tuple(source.descriptor for source in sources),
            on_line=_follow(
                facts.duration_ms, lambda part: self._tell("measuring", (number + part) / runs)
            ),
        )
        self._raise_if_failed(outcome)
        return outcome.stderr

    async def _encode(
        self, facts: Facts, together: sound.Together | None, rendition: MemoryFile
    ) -> None:
        sounds = len(together.sounds) if together else 0
        tracks = sounds + (facts.video is not None) if sounds > 1 else 1
        with (
            self._opened(facts, tracks) as sources,
            rendition.writer() as written,
            rendition.reader() as read_again,
        ):
            outcome = await run_in_jail(
                recipe.encode_command(
                    facts,
                    program=FFMPEG,
                    sources=sources,
                    together=together,
                    threads=min(os.cpu_count() or 1, MAX_THREADS),
                ),
                limits=self._jail_limits(
                    self.limits.rendition_max_bytes, stall_seconds=STALL_SECONDS
                ),
                tools=self.tools,
                # The muxer opens its own output once more, by default through descriptor 0.
                stdin=read_again,
                stdout=written,
                descriptors=tuple(source.descriptor for source in sources),
                on_line=_follow(facts.duration_ms, lambda part: self._tell("encoding", part)),
            )
        self._raise_if_failed(outcome)
        if outcome.lacked_memory:
            # FFmpeg leaves out the pictures that found no room, and calls the rest a success.
            raise out_of_memory(source_bytes=self.source.size, limits=self.limits)

    async def _check(self, rendition: MemoryFile, poster: MemoryFile) -> Facts:
        with rendition.reader() as descriptor, poster.writer() as written:
            outcome = await run_in_jail(
                [
                    *(str(self.tools.python), "-I", "-S", "-B", f"{SCRIPTS}/finish.py"),
                    *(str(descriptor), str(written)),
                ],
                limits=self._jail_limits(max(POSTER_MAX_BYTES, ANSWER_MAX_BYTES)),
                tools=self.tools,
                descriptors=(descriptor, written),
            )
        self._raise_if_failed(outcome)
        try:
            return decode_json(outcome.stdout, Facts)
        except NotDecodable:
            raise errors.UnreadableRecording("the rendition could not be looked at") from None

    def _raise_if_failed(self, outcome: Outcome) -> None:
        if outcome.ran_out_of_memory:
            raise out_of_memory(source_bytes=self.source.size, limits=self.limits)
        if outcome.timed_out:
            raise errors.TookTooLong
        if outcome.wrote_too_much:
            raise errors.DecompressionBomb("the answer met its bound")
        if outcome.status != 0:
            raise errors.UnreadableRecording(f"ended with {outcome.status}")


def _follow(duration_ms: int | None, tell: Callable[[float], None]) -> Callable[[bytes], bool]:
    """Reads ffmpeg's `-progress` lines; `tell` is given a share of 0 to 1 that only grows."""
    best = 0

    def read(line: bytes) -> bool:
        nonlocal best
        name, _, value = line.partition(b"=")
        if name != b"out_time_us" or not value.strip().isdigit() or int(value) <= best:
            return False
        best = int(value)
        if duration_ms:
            tell(min(1.0, best / (duration_ms * 1000)))
        return True

    return read


def _loudest(said: bytes) -> float:
    """One summary for each time that the filters began again: the loudest part counts."""
    return max(map(float, _LOUDNESS.findall(said)), default=-math.inf)


def _described(
    facts: Facts,
    together: sound.Together | None,
    found: Facts,
    rendition: MemoryFile,
    poster: MemoryFile,
    limits: MediaLimits,
) -> Transcoded:
    """What is told of the result; refuses one that is not what its source announced."""
    if (facts.video is None) != (found.video is None) or (together and not found.sounds):
        raise errors.UnreadableRecording("a track did not come through")
    expected, duration = facts.duration_ms or 0, found.duration_ms or 0
    if facts.demuxer in _ANNOUNCED:
        expected = max(expected, facts.announced_ms or 0)
    if duration < expected * SHORTFALL - SHORTFALL_MS:
        raise errors.TruncatedRecording(f"{duration} of {expected} ms came through")
    if not duration:
        raise errors.UnreadableRecording("nothing came through")
    if duration > limits.video_max_seconds * 1000 + SHORTFALL_MS // 4:
        raise errors.TooLong(max_seconds=limits.video_max_seconds)
    video = found.video
    return Transcoded(
        rendition=rendition,
        poster=poster,
        kind="video" if video else "audio",
        profile="h264-720p" if video else "audio",
        duration_ms=duration,
        width=video.width if video else 0,
        height=video.height if video else 0,
        size=rendition.size,
    )
