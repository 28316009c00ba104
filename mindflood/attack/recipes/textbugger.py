"""TextBugger (Li et al. 2019, *Generating Adversarial Text Against Real-world Applications*, §IV).

Five bugs: a space in the word, a letter less, two letters swapped, a letter that looks alike, or a
near word. The first three are drawn at random, one each.
"""

from typing import Any
from unittest import mock

from mindflood.attack.recipes import parts
from mindflood.attack.textattack_import import textattack
from mindflood.config.attack import RecipeOptions

NEAREST = 5
SIMILARITY = 0.8  # cosine, the paper's number: ours are measured on words, not on letters


class HomoglyphSwap(textattack.transformations.WordSwapHomoglyphSwap):
    """TextAttack's swap of a letter for one that looks alike.

    The package as it is published (0.3.11) lacks ``intentional_homoglyphs.txt``, which another
    attack's search needs and TextBugger does not; the original cannot be made without it.
    """

    def __init__(self) -> None:
        try:
            super().__init__()
        except FileNotFoundError:
            self.homos_intentional: dict[str, list[str]] = {}


MENDED = parts.Part(
    HomoglyphSwap,
    ("TextAttack's homoglyph swap by the same without a file that its package lacks",),
)


def paper(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """TextAttack's own recipe, with the one part that its package cannot make mended."""
    module = textattack.attack_recipes.textbugger_li_2018
    with mock.patch.object(module, "WordSwapHomoglyphSwap", HomoglyphSwap):
        attack = textattack.attack_recipes.TextBuggerLi2018.build(victim)
    return parts.Assembled(attack, (MENDED,))


def offline(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """The same character bugs, with words of the table and similarity by the embedded encoder."""
    swap, stop_words = parts.near_words(max_candidates=NEAREST), parts.stop_words()
    likely = parts.substitutable()
    similarity = parts.similarity(threshold=SIMILARITY)
    attack = textattack.Attack(
        parts.untargeted(victim),
        [parts.never_twice(), stop_words.value, likely.value, similarity.value],
        textattack.transformations.CompositeTransformation([*character_bugs(), swap.value]),
        textattack.search_methods.GreedyWordSwapWIR(wir_method="delete"),
    )
    return parts.Assembled(attack, (swap, likely, similarity, stop_words, MENDED))


def character_bugs() -> list[Any]:
    """Insert (a space), delete, swap, substitute by a homoglyph; first and last letter stay."""
    inside = {"random_one": True, "skip_first_char": True, "skip_last_char": True}
    swaps = textattack.transformations
    return [
        swaps.WordSwapRandomCharacterInsertion(letters_to_insert=" ", **inside),
        swaps.WordSwapRandomCharacterDeletion(**inside),
        swaps.WordSwapNeighboringCharacterSwap(**inside),
        HomoglyphSwap(),
    ]
