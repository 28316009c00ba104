"""BERT-Attack (Li et al. 2020, *Adversarial Attack Against BERT Using BERT*).

Words are ranked by what hiding them does to the prediction, then swapped for what a masked language
model would put at their place.
"""

from typing import Any

from mindflood.attack.recipes import parts
from mindflood.attack.resources.masked_lm import MaskedLM
from mindflood.attack.swaps.masked_lm_swaps import BertAttackSwap
from mindflood.attack.textattack_import import textattack
from mindflood.config.attack import PAPER_CANDIDATES, RecipeOptions

LARGEST_SHARE = 0.4  # of the words


def paper(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """TextAttack's own recipe with K of ``options``; its enumeration ends at the K-th word."""
    stock = textattack.attack_recipes.BERTAttackLi2020.build(victim)
    swap = stock.transformation
    model = swap._language_model
    commit = getattr(model.config, "_commit_hash", None)
    masked_lm = MaskedLM(
        model,
        swap._lm_tokenizer,
        kept=options.most_candidates,
        fingerprint=f"{model.config._name_or_path}@{commit}",
    )
    attack = textattack.Attack(
        stock.goal_function,
        [*stock.pre_transformation_constraints, *stock.constraints],
        BertAttackSwap(masked_lm, options.most_candidates),
        stock.search_method,
    )
    replaced = (
        f"TextAttack's K = {swap.max_candidates} candidates by K = {options.most_candidates}",
        "the enumeration of all combinations of sub-words by one that ends at the K-th word (the "
        "same candidates)",
    )
    return parts.Assembled(attack, (parts.Part(None, replaced),))


def offline(victim: Any, options: RecipeOptions) -> parts.Assembled:
    """The same with mindflood's own masked language model."""
    masked_lm, stop_words = (
        parts.masked_lm(options, kept=options.most_candidates),
        parts.stop_words(),
    )
    opposites = parts.no_opposites()
    similarity = parts.similarity(
        threshold=parts.PROPOSED_SIMILARITY, compare_against_original=True, window_size=None
    )
    attack = textattack.Attack(
        parts.untargeted(victim),
        [
            parts.never_twice(),
            stop_words.value,
            textattack.constraints.overlap.MaxWordsPerturbed(max_percent=LARGEST_SHARE),
            opposites.value,
            similarity.value,
        ],
        BertAttackSwap(masked_lm.value, options.most_candidates),
        textattack.search_methods.GreedyWordSwapWIR(wir_method="unk"),
    )
    return parts.Assembled(attack, (masked_lm, opposites, similarity, stop_words, chosen(options)))


def chosen(options: RecipeOptions) -> parts.Part:
    """K, as cards tell it where it is not the paper's."""
    if options.most_candidates == PAPER_CANDIDATES:
        return parts.Part(None)
    return parts.Part(
        None, (f"K = {PAPER_CANDIDATES} candidates by K = {options.most_candidates}",)
    )
