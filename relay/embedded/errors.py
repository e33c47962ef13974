"""What can go wrong when relay starts its own Postgres, Redis and S3 server."""

from __future__ import annotations

from relay.errors import ConfigurationError, Conflict, Unavailable


class FolderInUse(Conflict):
    """Another relay is already running on this data folder. Stop it, or choose another folder."""

    code = "folder-in-use"
    french = (
        "Un autre relay utilise déjà ce dossier de données. Arrêtez-le ou choisissez-en un autre."
    )


class FolderUnusable(ConfigurationError):
    """The data folder cannot be used as it is. Correct what is named, or choose another folder."""

    code = "folder-unusable"
    french = (
        "Le dossier de données est inutilisable tel quel. Corrigez ce qui est indiqué "
        "ou choisissez-en un autre."
    )


class ServerMissing(ConfigurationError):
    """A server that relay starts is missing. Install `relay[embedded]` or set its address."""

    code = "embedded-server-missing"
    french = (
        "Il manque un serveur que relay démarre lui-même. "
        "Installez `relay[embedded]` ou indiquez une adresse."
    )


class ServerFailed(Unavailable):
    """A server that relay started has ended or does not answer. Its log says why."""

    code = "embedded-server-failed"
    french = (
        "Un serveur démarré par relay s'est arrêté ou ne répond pas. "
        "Son journal en donne la raison."
    )
