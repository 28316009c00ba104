"""The attack recipes, each in its profiles: ``paper`` as TextAttack has it, ``offline`` without
a download."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mindflood.attack import nltk_data
from mindflood.attack.catalogue import check_available
from mindflood.attack.constraints import LexiconPartOfSpeech, SentenceSimilarity, lexicon_file
from mindflood.attack.encoder import SentenceVectors
from mindflood.attack.fingerprint import file_fingerprint, recipe_fingerprint
from mindflood.attack.neighbours import NEIGHBOURS, load_neighbour_table
from mindflood.attack.textattack_import import textattack

# Jin et al. 2020 compare angles without the division by π: 1 - 0.5/π on TextAttack's scale.
TEXTFOOLER_SIMILARITY = 0.840845057
TEXTFOOLER_WINDOW = 15  # words


@dataclass(frozen=True)
class BuiltRecipe:
    """A recipe ready to attack one victim.

    Attributes:
        attack: the ``textattack.Attack``.
        replaced_components: what the profile put in the place of the paper's parts.
        fingerprint: hash of the exact parts and their settings.
    """

    attack: Any
    replaced_components: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True)
class Recipe:
    """One attack of the literature.

    Attributes:
        paper: builds TextAttack's own recipe for a victim.
        offline: builds the same without downloads; also returns what it replaced.
    """

    paper: Callable[[Any], Any]
    offline: Callable[[Any], tuple[Any, tuple[str, ...]]]


def build_recipe(
    name: str, profile: str, victim: Any, *, allow_pickles: bool = False
) -> BuiltRecipe:
    """The attack ``name`` in ``profile`` on ``victim`` (a TextAttack model wrapper).

    Args:
        allow_pickles: TextAttack may load downloads of the paper's recipe that are pickles.

    Raises:
        UserError: the recipe or profile is unknown, or ``paper`` lacks a download.
    """
    check_available(name, profile, allow_pickles=allow_pickles)
    replaced: tuple[str, ...] = ()
    if profile == "paper":
        attack = _BUILDERS[name].paper(victim)
    else:
        attack, replaced = _BUILDERS[name].offline(victim)
    fingerprint = recipe_fingerprint(attack, name, profile, _resources())
    return BuiltRecipe(attack, replaced, fingerprint)


def _textfooler_offline(victim: Any) -> tuple[Any, tuple[str, ...]]:
    """TextFooler (Jin et al. 2020) with neighbours and similarity from the embedded encoder."""
    vectors = sentence_vectors()
    table = load_neighbour_table(vectors)
    tagging, tagger_replaced = _part_of_speech()
    attack = textattack.Attack(
        goal_function=textattack.goal_functions.UntargetedClassification(victim),
        constraints=[
            textattack.constraints.pre_transformation.RepeatModification(),
            textattack.constraints.pre_transformation.StopwordModification(
                stopwords=textfooler_stop_words()
            ),
            textattack.constraints.pre_transformation.InputColumnModification(
                ["premise", "hypothesis"], {"premise"}
            ),
            textattack.constraints.semantics.WordEmbeddingDistance(
                embedding=table, min_cos_sim=0.5
            ),
            tagging,
            SentenceSimilarity(
                vectors,
                threshold=TEXTFOOLER_SIMILARITY,
                metric="angular",
                compare_against_original=False,
                window_size=TEXTFOOLER_WINDOW,
                skip_text_shorter_than_window=True,
            ),
        ],
        transformation=textattack.transformations.WordSwapEmbedding(
            max_candidates=NEIGHBOURS, embedding=table
        ),
        search_method=textattack.search_methods.GreedyWordSwapWIR(wir_method="delete"),
    )
    replaced = (
        "counter-fitted word vectors by nearest neighbours in the embedded encoder's vocabulary",
        "Universal Sentence Encoder by the embedded MiniLM sentence encoder",
        *tagger_replaced,
    )
    return attack, replaced


_BUILDERS: Mapping[str, Recipe] = {
    "textfooler": Recipe(
        paper=lambda victim: textattack.attack_recipes.TextFoolerJin2019.build(victim),
        offline=_textfooler_offline,
    ),
}


@cache
def sentence_vectors() -> SentenceVectors:
    """The embedded encoder, loaded once in a process."""
    return SentenceVectors()


@cache
def textfooler_stop_words() -> frozenset[str]:
    """TextFooler's own stop words, as TextAttack's recipe has them.

    The list stands inside the recipe's ``build``, which downloads; so it is taken from the
    constants of the compiled function.
    """
    code = textattack.attack_recipes.TextFoolerJin2019.build.__code__
    for constant in code.co_consts:
        if isinstance(constant, frozenset | tuple | list) and "whereupon" in constant:
            return frozenset(constant)
    raise RuntimeError("TextAttack's TextFooler recipe no longer carries its stop words as a list")


def _part_of_speech() -> tuple[Any, tuple[str, ...]]:
    """TextFooler's part-of-speech constraint, and how it was replaced where NLTK's tagger lacks."""
    if nltk_data.tagger() == "missing":
        replaced = "NLTK's part-of-speech tagger by a lexicon of the parts a word can have"
        return LexiconPartOfSpeech(), (replaced,)
    tagger = textattack.constraints.grammaticality.PartOfSpeech(allow_verb_noun_swap=True)
    return tagger, ()


def _resources() -> dict[str, str]:
    """Hashes of what tags the parts of speech."""
    if nltk_data.tagger() == "missing":
        return {"lexicon": file_fingerprint(lexicon_file())}
    import nltk

    weights = nltk.data.find(f"taggers/{nltk_data.TAGGER}/{nltk_data.TAGGER}.weights.json")
    return {"tagger": file_fingerprint(Path(str(weights)))}
