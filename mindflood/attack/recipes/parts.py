"""The parts that recipes share, each with what it takes the place of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from mindflood.attack.nltk_data import OWN_STOP_WORDS
from mindflood.attack.resources import inflection, neighbours, opposition, tagger
from mindflood.attack.resources.encoder import SentenceVectors
from mindflood.attack.resources.masked_lm import MaskedLM
from mindflood.attack.resources.shipped import shipped_fingerprint
from mindflood.attack.swaps.constraints import (
    NoOpposite,
    SamePartOfSpeech,
    SentenceSimilarity,
    Substitutable,
)
from mindflood.attack.swaps.neighbour_swap import NeighbourSwap
from mindflood.attack.textattack_import import textattack
from mindflood.config.attack import RecipeOptions
from mindflood.errors import UserError
from mindflood.fingerprint import file_fingerprint
from mindflood.masked_lm.settings import described

# Cosines of sentences, chosen by tools/measure_constraint.py on rows that it does not report.
SIMILARITY = 0.9  # loose, where something else tells good swaps from bad ones
PROPOSED_SIMILARITY = 0.97  # with the fewest errors, where nothing else does
SUBSTITUTABLE = 0.45  # probability, by tools/fit_substitution.py
WINDOW = 15  # words around the swap


@dataclass(frozen=True)
class Part:
    """One part of a recipe.

    Attributes:
        value: a constraint, a table, ...
        replaced: what of the paper's recipe it takes the place of, and how, as cards tell it.
        resources: what decides the outcome and is no setting of ``value``: name → hash.
    """

    value: Any
    replaced: tuple[str, ...] = ()
    resources: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Assembled:
    """An attack and the parts of it that are not TextAttack's own."""

    attack: Any
    parts: tuple[Part, ...] = ()

    @property
    def replaced(self) -> tuple[str, ...]:
        """What took the place of what, in the order of the parts."""
        return tuple(line for part in self.parts for line in part.replaced)

    @property
    def resources(self) -> dict[str, str]:
        """Hashes of the parts' resources."""
        return {name: value for part in self.parts for name, value in part.resources.items()}


def untargeted(victim: Any) -> Any:
    """The goal of every attack: another class than the right one."""
    return textattack.goal_functions.UntargetedClassification(victim)


def never_twice() -> Any:
    """A word that was changed is not changed again."""
    return textattack.constraints.pre_transformation.RepeatModification()


def premise_stays() -> Any:
    """Of the columns *premise* and *hypothesis* only the second changes; others are not meant."""
    return textattack.constraints.pre_transformation.InputColumnModification(
        ["premise", "hypothesis"], {"premise"}
    )


def stop_words() -> Part:
    """Function words stay as they are: mindflood's own list, the same on every machine."""
    constraint = textattack.constraints.pre_transformation.StopwordModification(
        stopwords=set(OWN_STOP_WORDS)
    )
    return Part(constraint, ("NLTK's stop words by mindflood's own list",))


def near_words(of_the_paper: str = "counter-fitted word vectors", **settings: Any) -> Part:
    """The swap for words of the table; ``settings`` are those of :class:`NeighbourSwap`."""
    replaced = (
        f"{of_the_paper} by mindflood's table of substitutes: WordNet's relations, near in the "
        "embedded encoder's space, no antonyms, no opposite valence, inflected as the word is",
    )
    resources = {
        "substitutes": shipped_fingerprint("phrases", *neighbours.RESOURCES, *opposition.RESOURCES)
    }
    return Part(NeighbourSwap(**settings), replaced, resources | tagger_resource())


def no_opposites() -> Part:
    """No antonyms and no opposite valence, for swaps that a masked language model proposes."""
    replaced = ("the filter of antonyms by WordNet's antonyms and VADER's valences, as shipped",)
    resources = {"opposites": shipped_fingerprint(*opposition.RESOURCES)}
    return Part(NoOpposite(), replaced, resources | {"lexicon": _inflections()})


def similarity(
    of_the_paper: str = "Universal Sentence Encoder",
    *,
    threshold: float = SIMILARITY,
    **settings: Any,
) -> Part:
    """The constraint on the similarity of sentences, short ones too; ``settings`` are TextAttack's.

    The thresholds are ours: the recipes' are of other encoders' scales.
    """
    vectors = sentence_vectors()
    replaced = (
        f"{of_the_paper} by the embedded MiniLM sentence encoder, its threshold by the cosine "
        f"{threshold}"
    )
    settings = {"threshold": threshold, "metric": "cosine", **settings}
    resources = {"sentence encoder": vectors.fingerprint}
    return Part(SentenceSimilarity(vectors, **settings), (replaced,), resources)


def substitutable() -> Part:
    """A word of the table is what a reader would put in this place."""
    vectors = sentence_vectors()
    added = (
        "the distance of word vectors, which does not tell senses apart, by how likely a reader "
        f"is to put the word there, {SUBSTITUTABLE} at least"
    )
    constraint = Substitutable(vectors, SUBSTITUTABLE, WINDOW)
    return Part(constraint, (added,), {"sentence encoder": vectors.fingerprint})


def part_of_speech(*, allow_verb_noun_swap: bool) -> Part:
    """The same part of speech before and after, by the tagger that ships with mindflood."""
    replaced = ("NLTK's part-of-speech tagger by mindflood's own",)
    return Part(SamePartOfSpeech(allow_verb_noun_swap), replaced, tagger_resource())


def masked_lm(options: RecipeOptions, *, kept: int) -> Part:
    """The masked language model of ``options``, with how good it was found to be.

    Raises:
        UserError: ``options`` name none, or it is none.
    """
    if options.masked_lm is None:
        raise UserError(
            "the offline BERT-Attack, BAE and A2T-MLM need a masked language model: make one with "
            "'mindflood masked-lm TASK' and name its folder with --masked-lm"
        )
    folder = Path(options.masked_lm)
    model = loaded_masked_lm(folder, kept)
    replaced = f"bert-base-uncased by {described(folder)}"
    return Part(model, (replaced,), {"masked language model": model.fingerprint})


def tagger_resource() -> dict[str, str]:
    """Hash of what the tagger was made of."""
    return {"tagger": shipped_fingerprint(*tagger.RESOURCES), "lexicon": _inflections()}


def _inflections() -> str:
    """Hash of the table of words' forms."""
    return file_fingerprint(inflection.table_file(inflection.TABLE))


@cache
def sentence_vectors() -> SentenceVectors:
    """The embedded encoder, loaded once in a process."""
    return SentenceVectors()


@cache
def loaded_masked_lm(folder: Path, kept: int) -> MaskedLM:
    """A masked language model, loaded once in a process."""
    return MaskedLM.from_folder(folder, kept=kept)
