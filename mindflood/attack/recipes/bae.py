"""BAE-R (Garg & Ramakrishnan 2020, *BERT-based Adversarial Examples for Text Classification*).

As TextFooler, but a masked language model proposes the words that come into a hidden word's place.
"""

from typing import Any

from mindflood.attack.recipes import parts
from mindflood.attack.swaps.masked_lm_swaps import BaeSwap
from mindflood.attack.textattack_import import textattack
from mindflood.config.attack import RecipeOptions

CANDIDATES = 50
_RANKED = 4 * CANDIDATES  # some of the likeliest tokens are no words


def paper(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """TextAttack's own recipe."""
    return parts.Assembled(textattack.attack_recipes.BAEGarg2019.build(victim))


def offline(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """The same with mindflood's own masked language model."""
    masked_lm, stop_words = parts.masked_lm(options, kept=_RANKED), parts.stop_words()
    opposites = parts.no_opposites()
    tagging = parts.part_of_speech(allow_verb_noun_swap=True)
    similarity = parts.similarity(
        threshold=parts.PROPOSED_SIMILARITY,
        compare_against_original=True,
        window_size=parts.WINDOW,
    )
    attack = textattack.Attack(
        parts.untargeted(victim),
        [
            parts.never_twice(),
            stop_words.value,
            opposites.value,
            tagging.value,
            similarity.value,
        ],
        BaeSwap(masked_lm.value, CANDIDATES),
        textattack.search_methods.GreedyWordSwapWIR(wir_method="delete"),
    )
    return parts.Assembled(attack, (masked_lm, opposites, similarity, tagging, stop_words))
