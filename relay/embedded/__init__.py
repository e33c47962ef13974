"""Real Postgres, Redis and S3 in one process tree, for a laptop and for tests."""

from __future__ import annotations

from relay.embedded.folder import Access, Accesses
from relay.embedded.supervisor import Services, embedded

__all__ = ["Access", "Accesses", "Services", "embedded"]
