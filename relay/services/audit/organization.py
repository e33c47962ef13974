"""Everybody for whom the configured roots vouch: successions, credentials and revocations, one by one."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence

from relay.crypto import statements
from relay.crypto.encoding import b64u_decode
from relay.crypto.errors import ChainError
from relay.crypto.signing import key_id, read_unverified, statement_hash
from relay.crypto.trust import Authority, Trust, establish_trust, trusted_roots
from relay.errors import CryptoError
from relay.services.audit.findings import Code, Report
from relay.storage.audit import CredentialRecord, SuccessionRecord


class Organization:
    """The organization as far as its statements verify; what does not is reported and not believed."""

    def __init__(self, roots: Collection[bytes]) -> None:
        self.authorities: dict[uuid.UUID, Authority] = {}
        self.services: list[Authority] = []
        self.mediators: list[Authority] = []
        self.workers: list[Authority] = []
        self.statements: set[bytes] = set()
        """Hashes of everything that the roots have said."""
        self._roots = roots
        self._successions: list[str] = []
        self._signers: set[bytes] = set()

    def admit_successions(self, records: Sequence[SuccessionRecord], report: Report) -> None:
        """Believe the successions of the roots, as far as they lead on from the configured ones."""
        for record in records:
            self.statements.add(record.statement_hash)
            try:
                believed = [*self._successions, _verify_succession(record)]
                trusted_roots(self._roots, believed)
            except CryptoError as error:
                report.add(Code.CREDENTIAL_INVALID, f"a succession of roots: {error.detail}")
            else:
                self._successions = believed
        trusted = set(trusted_roots(self._roots, self._successions))
        for record in records:
            if record.compact in self._successions and record.new_root not in trusted:
                report.add(
                    Code.CREDENTIAL_INVALID,
                    "a succession of roots that no configured root leads to",
                )

    def admit(self, record: CredentialRecord, report: Report) -> None:
        """Believe a credential whose statements verify and say what its row says."""
        self.statements.add(record.statement_hash)
        if record.revocation_hash is not None:
            self.statements.add(record.revocation_hash)
        try:
            authority = _verify_credential(self._roots, self._successions, record)
            if authority.signer in self._signers:
                raise ChainError("another credential has the same key")
        except CryptoError as error:
            report.add(
                Code.CREDENTIAL_INVALID, f"credential {record.credential_id}: {error.detail}"
            )
            return
        self._signers.add(authority.signer)
        self.authorities[authority.credential] = authority
        if authority.role == "service":
            self.services.append(authority)
        if authority.role == "mediator":
            self.mediators.append(authority)
        if authority.role == "media":
            self.workers.append(authority)

    def of_case(self, members: Collection[uuid.UUID]) -> Trust:
        """The trust that a case needs: those whom its statements list, and the services."""
        known = {key: self.authorities[key] for key in members if key in self.authorities}
        known |= {service.credential: service for service in self.services}
        return Trust(authorities=known)

    def person(self, credential: uuid.UUID | None) -> uuid.UUID | None:
        """Whose credential it is."""
        found = None if credential is None else self.authorities.get(credential)
        return None if found is None else found.person


def is_hash_of(digest: bytes, compact: str) -> bool:
    """Whether a text is the one that a hash names."""
    return compact.isascii() and statement_hash(compact) == digest


def _verify_succession(record: SuccessionRecord) -> str:
    compact = _text_of(record.statement_hash, record.compact, record.filed)
    said = statements.decode_unverified(compact, statements.Succession)
    kid = read_unverified(compact).kid
    for root in (record.old_root, record.new_root):
        if key_id(root) == kid:
            statements.verify(compact, statements.Succession, root)
            break
    else:
        raise ChainError("signed by neither of the two")
    if (b64u_decode(said.old), b64u_decode(said.new)) != (record.old_root, record.new_root):
        raise ChainError("its row says something else than its statement")
    return compact


def _verify_credential(
    roots: Collection[bytes], successions: Iterable[str], record: CredentialRecord
) -> Authority:
    """What a root vouches for; CryptoError unless the row says just that."""
    revocations = []
    if record.revocation_hash is not None:
        revocations.append(
            _text_of(record.revocation_hash, record.revocation, record.revocation_filed)
        )
    compact = _text_of(record.statement_hash, record.credential, record.filed)
    trust = establish_trust(roots, [compact], revocations, successions)
    if not trust.authorities:
        raise ChainError("no configured root vouches for it")
    authority = trust.authorities.get(record.credential_id)
    if authority is None:
        raise ChainError("its statement is of another credential")
    if (authority.revoked_at is None) != (record.revocation_hash is None):
        raise ChainError(
            "its revocation is of another credential, or of a root that may not revoke it"
        )
    verified = (
        authority.person,
        authority.role,
        authority.signer,
        key_id(authority.signer),
        authority.recipient,
        authority.not_before,
        authority.not_after,
    )
    row = (record.person_id, record.role, record.signer, record.kid, record.recipient)
    if verified != (*row, record.not_before, record.not_after):
        raise ChainError("its row says something else than its statement")
    return authority


def _text_of(digest: bytes, compact: str | None, filed: str | None) -> str:
    if compact is None or not is_hash_of(digest, compact):
        raise ChainError("its statement is not the one that its row names")
    claimed = read_unverified(compact)
    if f"{claimed.typ} {claimed.kid}" != filed:
        raise ChainError("its statement is filed as another")
    return compact
