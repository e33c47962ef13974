"""What the people of a case write to each other."""

from __future__ import annotations

from typing import Final

FIRST_LETTER: Final = (
    "You took something from me that night, and I want you to know my name for it."
)
LETTER: Final = (
    "I have carried that night for eleven years. I do not ask you for anything. "
    "I would like to know why it was our house."
)
GUIDANCE: Final = "Would you say what you would like to ask? It may help both of you."
NOTE: Final = "A letter of two minutes. It speaks of that night, calmly."
