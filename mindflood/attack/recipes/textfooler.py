"""TextFooler (Jin et al. 2020, *Is BERT Really Robust?*): neighbours of the most important words.

Words are ranked by what leaving them out does to the prediction, then swapped one by one for the
neighbour that does most harm and keeps part of speech and meaning.
"""

from functools import cache
from typing import Any

from mindflood.attack.recipes import parts
from mindflood.attack.textattack_import import textattack
from mindflood.config.attack import RecipeOptions

NEIGHBOURS = 50


def paper(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """TextAttack's own recipe."""
    return parts.Assembled(textattack.attack_recipes.TextFoolerJin2019.build(victim))


def offline(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """The same with the table of substitutes and similarity by the embedded encoder."""
    swap = parts.near_words(max_candidates=NEIGHBOURS)
    tagging = parts.part_of_speech(allow_verb_noun_swap=True)
    likely = parts.substitutable()
    similarity = parts.similarity(
        compare_against_original=False,
        window_size=parts.WINDOW,
    )
    attack = textattack.Attack(
        parts.untargeted(victim),
        [
            parts.never_twice(),
            textattack.constraints.pre_transformation.StopwordModification(
                stopwords=textfooler_stop_words()
            ),
            parts.premise_stays(),
            tagging.value,
            likely.value,
            similarity.value,
        ],
        swap.value,
        textattack.search_methods.GreedyWordSwapWIR(wir_method="delete"),
    )
    return parts.Assembled(attack, (swap, likely, similarity, tagging))


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
