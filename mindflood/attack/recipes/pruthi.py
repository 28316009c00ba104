"""Pruthi et al. 2019, *Combating Adversarial Misspellings with Robust Word Recognition*.

One typing error in the whole text: letters swapped, deleted, inserted, or hit on the next key.
"""

from typing import Any

from mindflood.attack.recipes import parts
from mindflood.attack.textattack_import import textattack
from mindflood.config.attack import RecipeOptions

WORDS = 1  # that may change
SHORTEST = 4  # letters of a word that may


def paper(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """TextAttack's own recipe."""
    return parts.Assembled(textattack.attack_recipes.Pruthi2019.build(victim))


def offline(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """The same: it asks for nothing but stop words."""
    before, swaps = textattack.constraints.pre_transformation, textattack.transformations
    stop_words = parts.stop_words()
    inside = {"random_one": False, "skip_first_char": True, "skip_last_char": True}
    attack = textattack.Attack(
        parts.untargeted(victim),
        [
            before.MinWordLength(min_length=SHORTEST),
            stop_words.value,
            textattack.constraints.overlap.MaxWordsPerturbed(max_num_words=WORDS),
            parts.never_twice(),
        ],
        swaps.CompositeTransformation(
            [
                swaps.WordSwapNeighboringCharacterSwap(**inside),
                swaps.WordSwapRandomCharacterDeletion(**inside),
                swaps.WordSwapRandomCharacterInsertion(**inside),
                swaps.WordSwapQWERTY(**inside),
            ]
        ),
        textattack.search_methods.GreedySearch(),
    )
    return parts.Assembled(attack, (stop_words,))
