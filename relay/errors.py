"""Every error that relay raises on purpose: one tree, a stable code each, a sentence in English and French.

The docstring of a class is its English sentence, `french` the same in French; both say what to do next.
There is no HTTP in here: the status of each branch is chosen in one middleware.
"""

from __future__ import annotations

from typing import ClassVar


class RelayError(Exception):
    """Something went wrong in relay. Try again; if it happens again, tell the operator."""

    code: ClassVar[str] = "error"
    french: ClassVar[str] = (
        "Une erreur est survenue dans relay. Réessayez; si elle se répète, avisez l'exploitant."
    )

    def __init__(self, detail: str | None = None, **members: object) -> None:
        """`detail` is for the log and for developers; `members` go out with the problem document.

        Neither may carry content, keys, tokens, names or file names.
        """
        self.detail = detail
        self.members = members
        super().__init__(f"{self.code}: {detail or self.sentence('en')}")

    @classmethod
    def sentence(cls, language: str) -> str:
        """What a person is told, in `en` or `fr`."""
        if language == "fr":
            return cls.french
        return " ".join((cls.__doc__ or RelayError.__doc__ or "").split())


class InvalidRequest(RelayError):
    """The request could not be understood. Check it against the API description and send it again."""

    code = "invalid-request"
    french = "La demande n'a pas pu être comprise. Vérifiez-la selon la description de l'API et renvoyez-la."


class Unauthenticated(RelayError):
    """You are not signed in, or your session has ended. Sign in again."""

    code = "unauthenticated"
    french = "Vous n'êtes pas connecté, ou votre session a pris fin. Connectez-vous de nouveau."


class Forbidden(RelayError):
    """You may not do this. Ask the mediator of the case if you think you should."""

    code = "forbidden"
    french = (
        "Vous ne pouvez pas faire cela. Demandez au médiateur du dossier si vous pensez le devoir."
    )


class NotFound(RelayError):
    """There is nothing here that you may see. Check the link or the identifier."""

    code = "not-found"
    french = "Il n'y a rien ici que vous puissiez voir. Vérifiez le lien ou l'identifiant."


class Conflict(RelayError):
    """This does not fit with what was done in the meantime. Load it again and look before you retry."""

    code = "conflict"
    french = (
        "Cela ne concorde pas avec ce qui a été fait entre-temps. "
        "Rechargez et vérifiez avant de réessayer."
    )


class TooLarge(RelayError):
    """What was sent is larger than relay accepts. Send less at once."""

    code = "too-large"
    french = "L'envoi dépasse la taille que relay accepte. Envoyez-en moins à la fois."


class Unavailable(RelayError):
    """relay cannot do this right now. Nothing was lost; try again in a moment."""

    code = "unavailable"
    french = (
        "relay ne peut pas le faire pour le moment. Rien n'est perdu; réessayez dans un instant."
    )


class CryptoError(RelayError):
    """This could not be opened or verified. It may be damaged, altered, or meant for somebody else."""

    code = "crypto"
    french = (
        "Impossible d'ouvrir ou de vérifier ceci. C'est peut-être endommagé, modifié "
        "ou destiné à quelqu'un d'autre."
    )


class ConfigurationError(RelayError):
    """A setting is missing or wrong. Correct it and start again."""

    code = "configuration"
    french = "Un réglage manque ou est incorrect. Corrigez-le et redémarrez."
