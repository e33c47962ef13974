"""Where bodies and certificates lie in the bucket: what stands before the first `/` of an object's name."""

from __future__ import annotations

from typing import Final

UPLOADS: Final = "uploads"
RENDITIONS: Final = "renditions"
POSTERS: Final = "posters"
IMPORTS: Final = "imports"
"""Bodies that came with a case from another relay."""
CERTIFICATES: Final = "disposals"
"""One certificate for each case that was disposed of, under its identifier."""

OF_BODIES: Final = (UPLOADS, RENDITIONS, POSTERS, IMPORTS)
"""What a part, an upload or a note in the database stands for."""
