"""How the tracks of a recording become one sound that is heard in both ears, in step and as loud as any."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from relay.media.filters import chain, named

if TYPE_CHECKING:
    from relay.media.facts import StreamFacts

TARGET_LUFS = -16.0
SILENCE_LUFS = -55.0
"""Below this there is only the noise of the microphone, which is better left alone."""
STEP_SECONDS = 0.03
"""A sound that is further beside its moment, as after lost packets, is moved to it."""
PEAK_LIMIT = 0.84
"""-1.5 dBFS: a single loud noise is held back so that the voice may be lifted."""

STEADY_LU, STEADY_MS = 1.0, 10_000
"""A hum or the noise of a room stays within this; who speaks for so long becomes louder and quieter."""
BESIDE_LU = 12
"""How far what is steady stays below a voice."""

ONE_SIDE_DB, OPPOSED_DB = 30, 15
"""What two microphones hear of one room, or music, is never that far apart."""
VOICE_RATE = 8000
"""Enough to tell by, and six times cheaper."""
BOTH_SIDES_DB = 3
"""How much louder a sound is on both sides than on one."""

LOUDNESS = named("ebur128", framelog="quiet")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A track that is heard, and what measuring it told."""

    stream: StreamFacts
    loudness_lufs: float
    """Integrated; minus infinity for silence."""
    range_lu: float
    """How far its loudness goes up and down."""
    changes: bool
    """Its rate or its channels become others on the way."""
    mix: str = ""
    """How its sides are put together, where one ear or one loudspeaker would hear nothing of it."""

    @property
    def is_silent(self) -> bool:
        """Whether there is no more than a microphone's noise."""
        return gain_db(self.loudness_lufs) is None

    @property
    def is_steady(self) -> bool:
        """Whether it is a hum or a noise, which nobody has to understand."""
        long = self.stream.end_ms - self.stream.begin_ms >= STEADY_MS
        return long and self.range_lu < STEADY_LU

    @property
    def is_voice(self) -> bool:
        """Whether somebody may be speaking."""
        return not self.is_silent and not self.is_steady


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """All tracks that are heard."""

    sounds: Sequence[Sound]
    loudness_lufs: float
    """Of all of it."""
    turned: bool = False
    """Every second track is turned over, as they would cancel each other."""

    @property
    def is_plain(self) -> bool:
        """Whether it is a single track that stays as it is."""
        return len(self.sounds) == 1 and not self.sounds[0].changes


def measured() -> str:
    """Decoded, and measured as a whole (EBU R 128) and by its sides."""
    sides = chain(
        named("aresample", VOICE_RATE),
        # Both sides, what they have in common, and what they have not.
        "pan=quad|c0=FL|c1=FR|c2=0.5*FL+0.5*FR|c3=0.5*FL-0.5*FR",
        named("astats", measure_perchannel="RMS_level", measure_overall="none"),
        "anullsink",
    )
    return f"{chain(*_stereo(), 'asplit')}[sides][whole];[sides]{sides};[whole]{LOUDNESS}"


def delivered(together: Together) -> str:
    """A single track that does not change, as it is heard."""
    return chain(*_stereo(), *_in_step(together.sounds[0]), *leveled(together.loudness_lufs))


def joined(together: Together, tracks: Sequence[str], *last: str) -> list[str]:
    """What is behind the inputs: all tracks become `[voice]`, which ends with the filters `last`.

    As filters begin again where a track changes, a pause there would be lost. So a first output makes all of
    such a track alike, as PCM that goes nowhere. That is decoded once more, and goes without a change
    through the filters that keep it in step.
    """
    arguments: list[str] = []
    parts: list[str] = []
    changed = 0
    gains = _gains(together.sounds)
    for number, (sound, track) in enumerate(zip(together.sounds, tracks, strict=True)):
        begin, filters = f"[{track}]", [*_stereo(), *_in_step(sound)]
        if sound.changes:
            alike = ["-filter:a", chain(*_stereo()), "-c:a", "pcm_f32le", "-f", "null", "-"]
            arguments += ["-map", track, *alike, "-dec", f"{changed}:0"]
            begin, filters = f"[dec:{changed}]", _in_step(sound)
            changed += 1
        if len(tracks) > 1:
            filters.append(named("volume", f"{gains[number]:.2f}dB"))
        if together.turned and number % 2:
            filters.append("pan=stereo|c0=-1*FL|c1=-1*FR")
        parts.append(f"{begin}{chain(*filters)}")
    return [*arguments, "-filter_complex", _mixed(parts, last)]


def _mixed(parts: Sequence[str], last: Sequence[str]) -> str:
    if len(parts) == 1:
        return f"{chain(*parts, *last)}[voice]"
    labels = [f"[track{number}]" for number in range(len(parts))]
    each = ";".join(f"{part}{label}" for part, label in zip(parts, labels, strict=True))
    # As loud as they are: where one ends, the others do not become louder.
    all_of_it = chain(named("amix", inputs=len(parts), normalize=0), *last)
    return f"{each};{''.join(labels)}{all_of_it}[voice]"


def _gains(sounds: Sequence[Sound]) -> list[float]:
    """By how much each becomes louder before they are mixed: voices alike, and what is steady below them."""
    full = [TARGET_LUFS - sound.loudness_lufs for sound in sounds]
    voices = [gain for gain, sound in zip(full, sounds, strict=True) if not sound.is_steady]
    least = min(voices or full)
    return [
        min(least, gain - BESIDE_LU) if sound.is_steady else gain
        for gain, sound in zip(full, sounds, strict=True)
    ]


def _stereo() -> list[str]:
    """Two sides at 48 kHz."""
    return [
        named("aresample", 48000),
        named("aformat", sample_fmts="fltp", channel_layouts="stereo"),
    ]


def _in_step(sound: Sound) -> list[str]:
    """From the first moment, gaps filled so that lips and sound stay together."""
    mixed = [f"pan=stereo|{sound.mix}"] if sound.mix else []
    in_step = {"async": 1, "min_hard_comp": STEP_SECONDS, "first_pts": 0}
    return [*mixed, named("aresample", 48000, **in_step)]


def leveled(loudness_lufs: float) -> list[str]:
    """As loud as all."""
    gain = gain_db(loudness_lufs)
    if gain is None:
        return []
    return [
        named("volume", f"{gain:.2f}dB"),
        named("alimiter", limit=PEAK_LIMIT, level="disabled", attack=2, release=60),
    ]


def mix(left: float, right: float, middle: float, difference: float) -> tuple[str, float]:
    """How sides of such levels are put together, "" where as they are; and by how much it becomes louder."""
    if left - right > ONE_SIDE_DB:
        return "c0=FL|c1=FL", BOTH_SIDES_DB
    if right - left > ONE_SIDE_DB:
        return "c0=FR|c1=FR", BOTH_SIDES_DB
    if difference - middle > OPPOSED_DB:
        return "c0=FL|c1=-1*FR", 0
    return "", 0


def gain_db(loudness_lufs: float) -> float | None:
    """How much louder the sound has to be, None where it is silence."""
    return None if loudness_lufs < SILENCE_LUFS else TARGET_LUFS - loudness_lufs
