"""PWWS, probability weighted word saliency (Ren et al. 2019).

Words are swapped for synonyms, in the order of what hiding a word does to the prediction times what
its best synonym does.
"""

from typing import Any
from unittest import mock

from mindflood.attack.recipes import parts
from mindflood.attack.resources import inflection
from mindflood.attack.resources.inflection import inflected
from mindflood.attack.resources.neighbours import all_readings
from mindflood.attack.resources.relations import relations
from mindflood.attack.resources.shipped import shipped_fingerprint
from mindflood.attack.swaps.neighbour_swap import in_case_of
from mindflood.attack.textattack_import import textattack
from mindflood.config.attack import RecipeOptions

ORDER = ("TextAttack's order of synonyms, another in every process, by the alphabet's",)


class WordNetSwap(textattack.transformations.WordSwapWordNet):
    """TextAttack's swap, its synonyms in one order: among equals the first is taken."""

    def _get_replacement_words(self, word: str, random: bool = False) -> list[str]:
        return sorted(super()._get_replacement_words(word, random))


class SynonymSwap(textattack.transformations.WordSwap):
    """Swaps a word for WordNet's synonyms of any of its meanings, as shipped, in its form."""

    def _get_replacement_words(self, word: str) -> list[str]:
        return [in_case_of(word, other) for other in synonyms(word.lower())]


def synonyms(word: str) -> list[str]:
    """Synonyms of every reading of a word (lower case), in its form, in the alphabet's order."""
    found = {
        inflected(reading.part, other, reading.tag)
        for reading in all_readings(word)
        for other in relations(reading.part, reading.base).related.get("synonym", {})
    }
    return sorted(form for form in found if form and form != word)


def paper(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """TextAttack's own recipe; what it would fetch again each time is here by now."""
    module = textattack.attack_recipes.pwws_ren_2019
    swaps = textattack.transformations.word_swaps.word_swap_wordnet
    with (
        mock.patch.object(module, "WordSwapWordNet", WordNetSwap),
        mock.patch.object(swaps.nltk, "download", return_value=True),
    ):
        attack = textattack.attack_recipes.PWWSRen2019.build(victim)
    return parts.Assembled(attack, (parts.Part(None, ORDER),))


def offline(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """The same with the synonyms that ship with mindflood."""
    stop_words = parts.stop_words()
    swap = parts.Part(
        SynonymSwap(),
        ("NLTK's WordNet by WordNet 3.0's synonyms as shipped, inflected as the word is",),
        {
            "relations": shipped_fingerprint("relations"),
            "inflections": parts.file_fingerprint(inflection.table_file(inflection.TABLE)),
        },
    )
    attack = textattack.Attack(
        parts.untargeted(victim),
        [parts.never_twice(), stop_words.value],
        swap.value,
        textattack.search_methods.GreedyWordSwapWIR("weighted-saliency"),
    )
    return parts.Assembled(attack, (swap, stop_words))
