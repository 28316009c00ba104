"""Training on adversarial examples and on augmented text: the methods, and their settings.

The defaults are those of A2T's release (Yoo & Qi 2021), which augments by SSMBA (Ng et al. 2020)
too.
"""

from typing import Annotated, Literal, get_args

from pydantic import Field
from pydantic.dataclasses import dataclass

from mindflood.config.attack import RecipeOptions
from mindflood.config.recipes import RECIPES, Profile
from mindflood.fields import (
    NO_TRUTH,
    STRICT,
    Count,
    Effect,
    Expected,
    NotNegative,
    Seed,
    Text,
    Truth,
    UserPath,
    Whole,
)

# Each trains on what the attack of its name finds.
INPUT_SPACE = tuple(name for name in RECIPES if name in ("a2t", "a2t-mlm", "bert-attack"))
Augmentation = Literal["ssmba", "back-translation"]
AUGMENTATIONS: tuple[Augmentation, ...] = get_args(Augmentation)
AUGMENTED = {"ssmba": "SSMBA", "back-translation": "Back-translation"}  # as tables print them
_MOST_WORKERS = 2**10


@dataclass(frozen=True, config=STRICT)
class AdversarialSettings(RecipeOptions):
    """Which rows a2t, a2t-mlm and bert-attack attack between epochs, and how they train on them."""

    gamma: Annotated[float, Field(gt=0, le=1), NO_TRUTH, Expected("above 0 and at most 1")] = Field(
        default=0.2,
        description="γ: training rows are attacked in a random order until as many adversarial "
        "examples as this share of them are found, or none is left.",
    )
    alpha: NotNegative = Field(
        default=1.0, description="α, the weight of an adversarial row's loss; that of others is 1."
    )
    clean_epochs: Whole = Field(
        default=1, ge=0, le=10**5, description="Epochs without adversarial rows before the first."
    )
    interval: Count = Field(
        default=1,
        description="Epochs between two attacks; those between train on the last examples again.",
    )
    max_queries: Count | None = Field(
        default=200, description="Most queries that the attack of one row may cost; null: no limit."
    )
    profile: Profile = Field(
        default="offline",
        description="paper: TextAttack's own recipe, with its downloads; offline: nothing is "
        "downloaded.",
    )
    workers: Annotated[Whole, Effect.FREE] = Field(
        default=1, ge=1, le=_MOST_WORKERS, description="Processes that attack."
    )
    ray: Annotated[Truth, Effect.FREE] = Field(
        default=False, description="The workers are tasks of a Ray cluster (mindflood[ray])."
    )


@dataclass(frozen=True, config=STRICT)
class AugmentationSettings:
    """How texts are made for ``augment``; what one kind does not have it ignores."""

    samples: Count = Field(
        default=1,
        description="New texts a training row, at most; back-translation offline has one a pivot.",
    )
    share: Annotated[float, Field(gt=0, le=1), NO_TRUTH, Expected("above 0 and at most 1")] = Field(
        default=1.0, description="Of the new rows, drawn at random, that are trained on."
    )
    seed: Seed = Field(default=0, description="Of all that is drawn.")
    corruption: Annotated[
        float, Field(ge=0, le=1, allow_inf_nan=False), NO_TRUTH, Expected("0 to 1")
    ] = Field(
        default=0.15,
        description="p of ssmba: share of a text's tokens that are hidden and drawn anew.",
    )
    top_k: Count | None = Field(
        default=None,
        description="ssmba draws of that many likeliest tokens; null: of all.",
    )
    variant: Literal["paper", "release"] = Field(
        default="paper",
        description="release: ssmba's probabilities of the top k go through softmax once more, as "
        "in the authors' code.",
    )
    masked_lm: UserPath | None = Field(
        default=None,
        description="Folder of ssmba's masked language model: by default one that is made of the "
        "task's training text, once.",
    )
    translator: Literal["apertium", "marian"] = Field(
        default="apertium",
        description="Of back-translation: apertium (Debian's, offline) or marian (opus-mt models "
        "of the hub).",
    )
    pivots: Annotated[
        tuple[Annotated[Text, Field(pattern=r"^[a-z]{2,3}$")], ...],
        Expected("a list of language codes of two or three letters"),
    ] = Field(
        default=("spa",),
        min_length=1,
        max_length=20,
        description="Languages between: spa, cat, ... for apertium; fr, de, es, ... for marian.",
    )
    similarity: Annotated[
        float, Field(ge=-1, le=1, allow_inf_nan=False), NO_TRUTH, Expected("-1 to 1")
    ] = Field(
        default=0.8,
        description="Least cosine of a translated text to its original in the embedded encoder's "
        "space; others are refused, and those that lost or gained a negation.",
    )
