"""How likely a reader is to put one word for another in a text: lexical substitution.

A logistic regression on what six people each wrote in the place of the words of whole texts
(CoInCo: Kremer, Erk, Padó and Thater 2014); ``tools/fit_substitution.py`` fits and measures it.
"""

import math

from mindflood.attack.resources.neighbours import Neighbour
from mindflood.attack.resources.relations import relations, uses

NAMES = ("cosine", "share", "synonym", "broader", "uses", "ratio")
WEIGHTS = (3.78, 0.85, 0.52, 0.49, 0.26, 0.31)
INTERCEPT = -3.71
_UNSEEN = 0.5  # uses that the counts have missed


def facts(part: str, base: str, neighbour: Neighbour) -> tuple[float, ...]:
    """What is known of a pair without its text: the regression's features but the first.

    The share of the uses in which WordNet relates the two, whether the neighbour is a synonym,
    whether a broader word, the logarithm (base 10) of its uses, and of their ratio to the word's.
    """
    related = relations(part, base).related
    kinds = {kind for kind, others in related.items() if neighbour.base in others}
    own, other = (math.log10(uses(part, word) + _UNSEEN) for word in (base, neighbour.base))
    share = neighbour.share if kinds else 0.0
    return (share, float("synonym" in kinds), float("broader" in kinds), other, other - own)


def log_odds(cosine: float, known: tuple[float, ...]) -> float:
    """Log odds that a reader would write the neighbour.

    Args:
        cosine: of the two words' vectors, each in its place in the text.
        known: the pair's :func:`facts`.
    """
    values = (cosine, *known)
    return INTERCEPT + sum(weight * value for weight, value in zip(WEIGHTS, values, strict=True))
