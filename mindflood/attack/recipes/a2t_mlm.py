"""A2T-MLM (Yoo & Qi 2021, §3): as A2T, but a masked language model proposes the words."""

from typing import Any

from mindflood.attack.recipes import a2t, parts
from mindflood.attack.swaps.masked_lm_swaps import BaeSwap
from mindflood.attack.textattack_import import textattack
from mindflood.config.attack import RecipeOptions

CANDIDATES = 20
_RANKED = 4 * CANDIDATES  # some of the likeliest tokens are no words


def paper(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """TextAttack's A2T with ``mlm=True``; the victim takes its gradients in evaluation mode."""
    return parts.Assembled(textattack.attack_recipes.A2TYoo2021.build(victim, mlm=True))


def offline(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """The same with mindflood's own masked language model and the embedded encoder."""
    masked_lm, opposites = parts.masked_lm(options, kept=_RANKED), parts.no_opposites()
    similarity = parts.similarity(a2t.ENCODER, threshold=parts.PROPOSED_SIMILARITY)
    shared, rules = a2t.shared_rules()
    attack = a2t.greedy(
        victim, [*rules, opposites.value, similarity.value], BaeSwap(masked_lm.value, CANDIDATES)
    )
    return parts.Assembled(attack, (masked_lm, opposites, similarity, *shared))
