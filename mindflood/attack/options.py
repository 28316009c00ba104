"""What a user may choose about a recipe."""

from dataclasses import dataclass
from pathlib import Path

from mindflood.attack.catalogue import RECIPES
from mindflood.errors import UserError

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


def check_options(
    recipe: str, profile: str, candidates: int | None, masked_lm: str | Path | None
) -> None:
    """Check what a user chose (None: nothing) of a known recipe: it has to count for it.

    Raises:
        UserError: it would be ignored, or is no number of candidates.
    """
    entry = RECIPES[recipe]
    if candidates is not None and not entry.has_candidates:
        which = ", ".join(name for name, other in RECIPES.items() if other.has_candidates)
        raise UserError(
            f"--candidates {candidates}: {recipe} has no such setting, only {which}; leave it out"
        )
    if candidates is not None and candidates < 1:
        raise UserError(f"--candidates {candidates}: expected 1 or more")
    if masked_lm is not None and not (entry.asks_masked_lm and profile == "offline"):
        which = ", ".join(name for name, other in RECIPES.items() if other.asks_masked_lm)
        raise UserError(
            f"--masked-lm {masked_lm}: {recipe} ({profile}) asks no such model, only {which} "
            "(offline) do; leave it out"
        )
