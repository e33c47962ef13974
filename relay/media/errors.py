"""Why a recording is refused, and what can be wrong with the jail; each says calmly what to do next."""

from __future__ import annotations

from relay.errors import ConfigurationError, RelayError, Unavailable


class MediaRefused(RelayError):
    """A recording that cannot be prepared; each kind below says why."""

    code = "video-refused"


class EmptyRecording(MediaRefused):
    """A file without a byte."""

    code = "video-empty"


class NotARecording(MediaRefused):
    """Neither a video nor a sound recording."""

    code = "video-not-recognized"


class TruncatedRecording(MediaRefused):
    """The end of the recording is missing."""

    code = "video-truncated"


class ProtectedRecording(MediaRefused):
    """A recording that is encrypted or copy protected."""

    code = "video-protected"


class TooLong(MediaRefused):
    """A recording longer than the limit."""

    code = "video-too-long"


class TooManyPixels(MediaRefused):
    """A picture larger than the limit."""

    code = "video-too-large"


class PlaylistRefused(MediaRefused):
    """A playlist, or a file that refers to another one."""

    code = "video-playlist"


class DecompressionBomb(MediaRefused):
    """A recording that unpacks to more than the limits allow."""

    code = "video-expands-too-much"


class TooManyStreams(MediaRefused):
    """More streams than the limit."""

    code = "video-too-many-streams"


class UnsupportedCodec(MediaRefused):
    """A codec that is not decoded here."""

    code = "video-unsupported-format"


class UnreadableRecording(MediaRefused):
    """Part of the recording could not be decoded."""

    code = "video-unreadable"


class TookTooLong(MediaRefused):
    """The jail ran out of time."""

    code = "video-took-too-long"


class OutOfMemory(MediaRefused):
    """The jail ran out of memory."""

    code = "video-needs-too-much-memory"


class TracesRemained(MediaRefused):
    """Location or device data was found in the result."""

    code = "video-traces-remained"


class JailUnavailable(ConfigurationError):
    """The jail cannot be set up on this machine."""

    code = "jail-unavailable"


class JailBroken(Unavailable):
    """The jail did not hold, or ended by itself."""

    code = "jail-broken"
