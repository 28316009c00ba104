"""PSO (Zang et al. 2020, *Word-level Textual Adversarial Attacking as Combinatorial Optimization*).

A swarm of texts, each the original with some words swapped, moves towards the best texts so far.
"""

from typing import Any

from mindflood.attack.recipes import parts
from mindflood.attack.textattack_import import textattack
from mindflood.config.attack import RecipeOptions

POPULATION = 60
ROUNDS = 20
TAGGER = parts.Part(None, ("flair's part-of-speech tagger by mindflood's own",))


def paper(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """TextAttack's own recipe."""
    return parts.Assembled(textattack.attack_recipes.PSOZang2020.build(victim))


def offline(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """The same with words of the table of substitutes."""
    swap, stop_words = parts.near_words("HowNet's words of equal sememes"), parts.stop_words()
    likely = parts.substitutable()
    attack = textattack.Attack(
        parts.untargeted(victim),
        [parts.never_twice(), stop_words.value, parts.premise_stays(), likely.value],
        swap.value,
        textattack.search_methods.ParticleSwarmOptimization(pop_size=POPULATION, max_iters=ROUNDS),
    )
    return parts.Assembled(attack, (swap, likely, TAGGER, stop_words))
