"""PSO (Zang et al. 2020, *Word-level Textual Adversarial Attacking as Combinatorial Optimization*).

A swarm of texts, each the original with some words swapped, moves towards the best texts so far.
"""

from typing import Any

from mindflood.attack.options import RecipeOptions
from mindflood.attack.recipes import parts
from mindflood.attack.substitutes import SubstituteSwap, from_table, from_wordnet
from mindflood.attack.tagging import Tagger
from mindflood.attack.textattack_import import textattack
from mindflood.attack.wordnet import wordnet

POPULATION = 60
ROUNDS = 20


def paper(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """TextAttack's own recipe."""
    return parts.Assembled(textattack.attack_recipes.PSOZang2020.build(victim))


def offline(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """The same with substitutes from WordNet or, without it, from the neighbour table."""
    tagger, stop_words = parts.tagger(), parts.stop_words()
    substitutes = _substitutes(tagger.value)
    attack = textattack.Attack(
        parts.untargeted(victim),
        [parts.never_twice(), stop_words.value, parts.premise_stays()],
        substitutes.value,
        textattack.search_methods.ParticleSwarmOptimization(pop_size=POPULATION, max_iters=ROUNDS),
    )
    return parts.Assembled(attack, (substitutes, tagger, stop_words))


def _substitutes(tagger: Tagger) -> parts.Part:
    database = wordnet()
    if database is not None:
        swap = SubstituteSwap(from_wordnet(database), tagger)
        return parts.Part(
            swap,
            ("HowNet's words of equal sememes by WordNet's synonyms",),
            {"WordNet": database.fingerprint, "inflections": parts.inflections_fingerprint()},
        )
    table = parts.neighbours("HowNet's words of equal sememes")
    swap = SubstituteSwap(from_table(table.value), tagger)
    return parts.Part(swap, table.replaced, {"neighbours": table.value.fingerprint})
