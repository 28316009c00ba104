"""What a user may choose about a recipe."""

from dataclasses import dataclass
from pathlib import Path

PAPER_CANDIDATES = 48


@dataclass(frozen=True)
class RecipeOptions:
    """Settings of a recipe; each counts for the recipes that have it.

    Attributes:
        allow_pickles: TextAttack may load the ``paper`` profile's downloads that are pickles.
        candidates: K of BERT-Attack, substitutes a sub-word: 48 in Li et al. 2020 (§4.1), 8 in
            TextAttack from 0.3.11 on.
        masked_lm: Hugging Face folder of the masked language model that the offline BERT-Attack
            and BAE ask.
    """

    allow_pickles: bool = False
    candidates: int = PAPER_CANDIDATES
    masked_lm: Path | None = None
