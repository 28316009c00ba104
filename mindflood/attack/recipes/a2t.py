"""A2T (Yoo & Qi 2021, *Towards Improving Adversarial Training of NLP Models*, §3).

Words are ranked by the gradient of the loss at them, one backward pass in place of a query a word.
"""

from typing import Any

from mindflood.attack.options import RecipeOptions
from mindflood.attack.recipes import parts
from mindflood.attack.textattack_import import textattack

SIMILARITY = 0.9  # cosine
WORD_SIMILARITY = 0.8  # cosine
NEAREST = 20
BATCH = 32


def paper(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """TextAttack's own recipe; the victim takes its gradients in evaluation mode."""
    return parts.Assembled(textattack.attack_recipes.A2TYoo2021.build(victim))


def offline(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """The same with neighbours and similarity from the embedded encoder."""
    table, stop_words = parts.neighbours(), parts.stop_words()
    tagging = parts.part_of_speech(allow_verb_noun_swap=False)
    similarity = parts.similarity(
        "the DistilBERT sentence encoder (STS)", threshold=SIMILARITY, metric="cosine"
    )
    attack = textattack.Attack(
        textattack.goal_functions.UntargetedClassification(victim, model_batch_size=BATCH),
        [
            parts.never_twice(),
            stop_words.value,
            parts.premise_stays(),
            # At most a tenth of the words, but always up to four.
            textattack.constraints.pre_transformation.MaxModificationRate(
                max_rate=0.1, min_threshold=4
            ),
            textattack.constraints.semantics.WordEmbeddingDistance(
                embedding=table.value, min_cos_sim=WORD_SIMILARITY
            ),
            tagging.value,
            similarity.value,
        ],
        textattack.transformations.WordSwapEmbedding(max_candidates=NEAREST, embedding=table.value),
        textattack.search_methods.GreedyWordSwapWIR(
            wir_method="gradient", truncate_words_to=victim.max_length
        ),
    )
    return parts.Assembled(attack, (table, similarity, tagging, stop_words))
