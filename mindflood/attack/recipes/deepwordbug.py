"""DeepWordBug (Gao et al. 2018, *Black-box Generation of Adversarial Text Sequences*).

Letters of the most important words are swapped, substituted, deleted or inserted at random, one
change a word, until the whole text is 30 edits away.
"""

from typing import Any

from mindflood.attack.recipes import parts
from mindflood.attack.textattack_import import textattack
from mindflood.config.attack import RecipeOptions

EDITS = 30  # Levenshtein distance to the original text


def paper(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """TextAttack's own recipe."""
    return parts.Assembled(textattack.attack_recipes.DeepWordBugGao2018.build(victim))


def offline(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """The same: it asks for nothing but stop words."""
    stop_words, swaps = parts.stop_words(), textattack.transformations
    attack = textattack.Attack(
        parts.untargeted(victim),
        [
            parts.never_twice(),
            stop_words.value,
            textattack.constraints.overlap.LevenshteinEditDistance(EDITS),
        ],
        swaps.CompositeTransformation(
            [
                swaps.WordSwapNeighboringCharacterSwap(),
                swaps.WordSwapRandomCharacterSubstitution(),
                swaps.WordSwapRandomCharacterDeletion(),
                swaps.WordSwapRandomCharacterInsertion(),
            ]
        ),
        textattack.search_methods.GreedyWordSwapWIR(),
    )
    return parts.Assembled(attack, (stop_words,))
