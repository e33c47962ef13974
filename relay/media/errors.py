"""Why a recording is refused, and what can be wrong with the jail; each says calmly what to do next."""

from __future__ import annotations

from relay.errors import ConfigurationError, RelayError, Unavailable


class MediaRefused(RelayError):
    """This recording could not be prepared. You can export it again on your phone as MP4 and send that."""

    code = "video-refused"
    french = (
        "Cet enregistrement n'a pas pu être préparé. Vous pouvez l'exporter de nouveau en MP4 "
        "sur votre téléphone, puis envoyer ce fichier."
    )


class EmptyRecording(MediaRefused):
    """The file arrived empty. Check that it plays on your device, then send it again."""

    code = "video-empty"
    french = (
        "Le fichier est arrivé vide. Vérifiez qu'il se lit sur votre appareil, "
        "puis envoyez-le de nouveau."
    )


class NotARecording(MediaRefused):
    """This file is not a video or sound recording that can be read here.

    Choose the recording itself, or open it on your phone and export it as MP4.
    """

    code = "video-not-recognized"
    french = (
        "Ce fichier n'est pas un enregistrement vidéo ou sonore qui puisse être lu ici. "
        "Choisissez l'enregistrement lui-même, ou ouvrez-le sur votre téléphone et exportez-le en MP4."
    )


class TruncatedRecording(MediaRefused):
    """The end of this recording is missing; the copy may have stopped early.

    Check that it plays to the end on your device, then send it again.
    """

    code = "video-truncated"
    french = (
        "La fin de cet enregistrement manque; la copie s'est peut-être arrêtée trop tôt. "
        "Vérifiez qu'il se lit jusqu'au bout sur votre appareil, puis envoyez-le de nouveau."
    )


class ProtectedRecording(MediaRefused):
    """This recording is locked with a password or copy protection, so it cannot be prepared.

    Send one that opens without a password, such as one made with your phone's camera.
    """

    code = "video-protected"
    french = (
        "Cet enregistrement est verrouillé par un mot de passe ou une protection contre la copie; "
        "il ne peut donc pas être préparé. Envoyez-en un qui s'ouvre sans mot de passe, par exemple "
        "un enregistrement fait avec l'appareil photo de votre téléphone."
    )


class TooLong(MediaRefused):
    """This recording is longer than can be sent in one message.

    You can cut it into shorter parts on your phone and send each as its own message.
    """

    code = "video-too-long"
    french = (
        "Cet enregistrement est plus long que ce qu'un seul message peut contenir. Vous pouvez le "
        "couper en parties plus courtes sur votre téléphone et envoyer chacune séparément."
    )


class TooManyPixels(MediaRefused):
    """The picture of this recording is larger than can be prepared here.

    Open it on your phone and export it again in a smaller size, such as 1080p.
    """

    code = "video-too-large"
    french = (
        "L'image de cet enregistrement est plus grande que ce qui peut être préparé ici. Ouvrez-le "
        "sur votre téléphone et exportez-le dans un format plus petit, par exemple 1080p."
    )


class PlaylistRefused(MediaRefused):
    """This file only points to a recording that is kept somewhere else.

    Save the recording itself on your device, then send that file.
    """

    code = "video-playlist"
    french = (
        "Ce fichier ne fait que renvoyer à un enregistrement conservé ailleurs. Sauvegardez "
        "l'enregistrement lui-même sur votre appareil, puis envoyez ce fichier."
    )


class DecompressionBomb(MediaRefused):
    """This recording unfolds to far more than can be prepared here.

    Open it on your phone and export it again as an ordinary MP4.
    """

    code = "video-expands-too-much"
    french = (
        "Une fois ouvert, cet enregistrement prend beaucoup plus de place que ce qui peut être "
        "préparé ici. Ouvrez-le sur votre téléphone et exportez-le de nouveau en MP4 ordinaire."
    )


class TooManyStreams(MediaRefused):
    """This recording holds more tracks than can be prepared here.

    Open it on your phone and export it again, with one picture and one sound track.
    """

    code = "video-too-many-streams"
    french = (
        "Cet enregistrement contient plus de pistes que ce qui peut être préparé ici. Ouvrez-le sur "
        "votre téléphone et exportez-le de nouveau avec une seule image et une seule piste sonore."
    )


class UnsupportedCodec(MediaRefused):
    """This recording uses a format that cannot be played here.

    Open it on your phone and export it again as MP4.
    """

    code = "video-unsupported-format"
    french = (
        "Cet enregistrement utilise un format qui ne peut pas être lu ici. Ouvrez-le sur votre "
        "téléphone et exportez-le de nouveau en MP4."
    )


class UnreadableRecording(MediaRefused):
    """Part of this recording could not be read.

    Check that it plays on your device, export it again as MP4 if you can, and send that.
    """

    code = "video-unreadable"
    french = (
        "Une partie de cet enregistrement n'a pas pu être lue. Vérifiez qu'il se lit sur votre "
        "appareil, exportez-le de nouveau en MP4 si possible, puis envoyez ce fichier."
    )


class TookTooLong(MediaRefused):
    """Preparing this recording took longer than is possible here.

    A shorter one, or one exported in a smaller size, will work better.
    """

    code = "video-took-too-long"
    french = (
        "La préparation de cet enregistrement a pris plus de temps que ce qui est possible ici. "
        "Un enregistrement plus court, ou exporté dans un format plus petit, conviendra mieux."
    )


class OutOfMemory(MediaRefused):
    """Preparing this recording needed more memory than there is here.

    Open it on your phone and export it again in a smaller size, such as 1080p.
    """

    code = "video-needs-too-much-memory"
    french = (
        "La préparation de cet enregistrement a demandé plus de mémoire que ce qui est disponible "
        "ici. Ouvrez-le sur votre téléphone et exportez-le dans un format plus petit, par exemple 1080p."
    )


class TracesRemained(MediaRefused):
    """This recording may still name a place or a device, so it was not passed on.

    Ask your mediator, or export it again as MP4 and send that.
    """

    code = "video-traces-remained"
    french = (
        "Cet enregistrement pourrait encore nommer un lieu ou un appareil; il n'a donc pas été "
        "transmis. Parlez-en à votre médiateur, ou exportez-le de nouveau en MP4 et envoyez ce fichier."
    )


class JailUnavailable(ConfigurationError):
    """The media jail cannot be set up on this machine.

    Follow docs/media.md for the setting that is missing.
    """

    code = "jail-unavailable"
    french = (
        "L'enceinte des médias ne peut pas être mise en place sur cette machine. "
        "Suivez docs/media.md pour trouver le réglage manquant."
    )


class JailBroken(Unavailable):
    """The media jail did not hold or stopped by itself.

    Nothing was lost; run `relay check-jail` before starting again.
    """

    code = "jail-broken"
    french = (
        "L'enceinte des médias n'a pas tenu ou s'est arrêtée d'elle-même. Rien n'a été perdu; "
        "lancez `relay check-jail` avant de redémarrer."
    )
