"""A2T (Yoo & Qi 2021, *Towards Improving Adversarial Training of NLP Models*, §3).

Words are ranked by the gradient of the loss at them, one backward pass in place of a query a word.
"""

from typing import Any

from mindflood.attack.recipes import parts
from mindflood.attack.textattack_import import textattack
from mindflood.config.attack import RecipeOptions

WORD_SIMILARITY = 0.5  # cosine: stricter than the table, as 0.8 is among the paper's vectors
NEAREST = 20
BATCH = 32
ENCODER = "the DistilBERT sentence encoder (STS)"


def paper(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """TextAttack's own recipe; the victim takes its gradients in evaluation mode."""
    return parts.Assembled(textattack.attack_recipes.A2TYoo2021.build(victim))


def offline(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """The same with the table of substitutes and similarity by the embedded encoder."""
    swap = parts.near_words(max_candidates=NEAREST, least=WORD_SIMILARITY)
    likely, similarity = parts.substitutable(), parts.similarity(ENCODER)
    shared, rules = shared_rules()
    attack = greedy(victim, [*rules, likely.value, similarity.value], swap.value)
    return parts.Assembled(attack, (swap, likely, similarity, *shared))


def shared_rules() -> tuple[tuple[parts.Part, ...], list[Any]]:
    """What A2T and A2T-MLM alike ask of a swap: the parts for the card, and all constraints."""
    stop_words, tagging = parts.stop_words(), parts.part_of_speech(allow_verb_noun_swap=False)
    # At most a tenth of the words, but always up to four.
    few = textattack.constraints.pre_transformation.MaxModificationRate(
        max_rate=0.1, min_threshold=4
    )
    rules = [parts.never_twice(), stop_words.value, parts.premise_stays(), few, tagging.value]
    return (tagging, stop_words), rules


def greedy(victim: Any, constraints: list[Any], swap: Any) -> Any:
    """The search of both: words in the order of the gradient at them, each swapped for the best."""
    return textattack.Attack(
        textattack.goal_functions.UntargetedClassification(victim, model_batch_size=BATCH),
        constraints,
        swap,
        textattack.search_methods.GreedyWordSwapWIR(
            wir_method="gradient", truncate_words_to=victim.max_length
        ),
    )
