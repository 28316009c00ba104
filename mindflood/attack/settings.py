"""What is attacked and how, known before a framework is loaded."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mindflood.config.recipes import COLUMNS, RECIPES, Columns
from mindflood.data.tasks import Task
from mindflood.errors import UserError, nearest

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


@dataclass(frozen=True)
class Budget:
    """Limits of the search for one sample; None: no limit.

    Attributes:
        max_queries: queries of the victim as TextAttack counts them: the first look at the text
            and repeated texts are part of it.
        max_seconds: time of the sample's own computing and its share of each batch of a model. It
            is looked at when the search asks a model, and depends on the machine.

    Raises:
        UserError: a limit is not positive.
    """

    max_queries: int | None = None
    max_seconds: float | None = None

    def __post_init__(self) -> None:
        if self.max_queries is not None and self.max_queries < 1:
            raise UserError(f"--max-queries {self.max_queries}: expected 1 or more")
        if self.max_seconds is not None and not self.max_seconds > 0:
            raise UserError(f"--max-seconds {self.max_seconds:g}: expected more than 0")

    @property
    def settings(self) -> dict[str, Any]:
        """The limits, as the results file and the card give them."""
        return asdict(self)

    def fingerprint(self, recipe: str) -> str:
        """A recipe's fingerprint within this budget: itself without a limit.

        Args:
            recipe: fingerprint of the recipe, 16 hexadecimal digits.
        """
        if self == UNLIMITED:
            return recipe
        content = json.dumps([recipe, self.settings])
        return hashlib.sha256(content.encode()).hexdigest()[:16]


UNLIMITED = Budget()


def check_columns(task: Task, columns: str) -> Columns:
    """The choice of columns, once it fits the task.

    ``both`` is what TextAttack's own recipes do under GLUE's column names: they protect a column
    only of texts that are called ``premise`` and ``hypothesis``.

    Raises:
        UserError: it is no such choice, or the task has a single text.
    """
    for known in COLUMNS:
        if columns == known:
            if known != "both" and len(task.text_columns) == 1:
                raise UserError(
                    f"--columns {columns}: task {task.name} has a single text "
                    f"('{task.text_columns[0]}'); leave --columns out"
                )
            return known
    raise UserError(f"--columns '{columns}': no such choice{nearest(columns, COLUMNS)}")


def protected_column(task: Task, columns: Columns) -> str | None:
    """Name of the text that stays as it is; None where all may change."""
    if columns == "both":
        return None
    return task.text_columns[1 if columns == "first" else 0]


@dataclass(frozen=True)
class AttackSettings:
    """What decides the outcome of every sample, and what a worker needs to attack them."""

    model: str
    task: Task
    recipe: str
    profile: str
    seed: int
    options: RecipeOptions = field(default_factory=RecipeOptions)
    budget: Budget = UNLIMITED
    columns: Columns = "both"
    temperature: float | None = None  # None attacks the victim as it is
