"""The parts that recipes share, each with what it takes the place of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from mindflood.attack import nltk_data
from mindflood.attack.antonyms import Antonyms, antonyms_among
from mindflood.attack.constraints import LexiconPartOfSpeech, SentenceSimilarity, lexicon_file
from mindflood.attack.encoder import SentenceVectors
from mindflood.attack.fingerprint import file_fingerprint
from mindflood.attack.inflection import table_file
from mindflood.attack.masked_lm import MaskedLM
from mindflood.attack.neighbours import NeighbourTable, load_neighbour_table
from mindflood.attack.options import RecipeOptions
from mindflood.attack.tagging import LexiconTagger, NltkTagger
from mindflood.attack.textattack_import import textattack
from mindflood.errors import UserError
from mindflood.masked_lm.settings import described


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
    """The goal of all six attacks: another class than the right one."""
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
    """NLTK's stop words stay as they are; our own where NLTK's are not to be had."""
    own = nltk_data.stop_words() == "replaced"
    replaced = ("NLTK's stop words by mindflood's own list",) if own else ()
    return Part(textattack.constraints.pre_transformation.StopwordModification(), replaced)


def neighbours(of_the_paper: str = "counter-fitted word vectors") -> Part:
    """The table of nearest neighbours, without the antonyms that this machine knows of."""
    table, antonyms = neighbour_table(), known_antonyms()
    replaced = (
        f"{of_the_paper} by nearest neighbours in the embedded encoder's vocabulary",
        f"counter-fitting by leaving out antonyms ({antonyms.source})",
    )
    return Part(table, replaced)


def similarity(of_the_paper: str = "Universal Sentence Encoder", **settings: Any) -> Part:
    """The constraint on the similarity of sentences; ``settings`` are TextAttack's own."""
    vectors = sentence_vectors()
    replaced = f"{of_the_paper} by the embedded MiniLM sentence encoder"
    resources = {"sentence encoder": vectors.fingerprint}
    return Part(SentenceSimilarity(vectors, **settings), (replaced,), resources)


def part_of_speech(*, allow_verb_noun_swap: bool) -> Part:
    """The same part of speech before and after, by NLTK's tagger or, without it, a lexicon."""
    if nltk_data.tagger() == "missing":
        replaced = "NLTK's part-of-speech tagger by a lexicon of the parts a word can have"
        constraint = LexiconPartOfSpeech(allow_verb_noun_swap)
        return Part(constraint, (replaced,), lexicon_resource())
    tagger = textattack.constraints.grammaticality.PartOfSpeech(
        allow_verb_noun_swap=allow_verb_noun_swap
    )
    return Part(tagger, (), tagger_resource())


def tagger() -> Part:
    """What tells the parts of speech of a text's words: NLTK's tagger or a lexicon."""
    flair = "flair's part-of-speech tagger by "
    if nltk_data.tagger() == "missing":
        replaced = flair + "a lexicon of the parts a word can have"
        return Part(LexiconTagger(), (replaced,), lexicon_resource())
    return Part(NltkTagger(), (flair + "NLTK's",), tagger_resource())


def masked_lm(options: RecipeOptions, *, kept: int) -> Part:
    """The masked language model of ``options``, with how good it was found to be.

    Raises:
        UserError: ``options`` name none, or it is none.
    """
    if options.masked_lm is None:
        raise UserError(
            "the offline BERT-Attack and BAE need a masked language model: make one with "
            "'mindflood masked-lm TASK' and name its folder with --masked-lm"
        )
    model = loaded_masked_lm(options.masked_lm, kept)
    replaced = f"bert-base-uncased by {described(options.masked_lm)}"
    return Part(model, (replaced,), {"masked language model": model.fingerprint})


def inflections_fingerprint() -> str:
    """Hash of the table of words' forms."""
    return file_fingerprint(table_file("infl_lu.csv.gz"))


def lexicon_resource() -> dict[str, str]:
    """Hash of the lexicon of parts of speech."""
    return {"lexicon": file_fingerprint(lexicon_file())}


def tagger_resource() -> dict[str, str]:
    """Hash of the weights of NLTK's tagger."""
    return {"tagger": file_fingerprint(nltk_data.tagger_weights())}


@cache
def sentence_vectors() -> SentenceVectors:
    """The embedded encoder, loaded once in a process."""
    return SentenceVectors()


@cache
def loaded_masked_lm(folder: Path, kept: int) -> MaskedLM:
    """A masked language model, loaded once in a process."""
    return MaskedLM.from_folder(folder, kept=kept)


@cache
def known_antonyms() -> Antonyms:
    """The antonyms among the words of the table, found once in a process."""
    return antonyms_among(load_neighbour_table(sentence_vectors()).words)


@cache
def neighbour_table() -> NeighbourTable:
    """The table of neighbours without antonyms, loaded once in a process."""
    return load_neighbour_table(sentence_vectors()).without(known_antonyms())
