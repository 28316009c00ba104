"""A search that ends by itself with its last query is told from one that was cut short."""

import math

import pytest
import torch

from mindflood.attack.budgeted_search import BudgetedSearch
from mindflood.attack.own_copy import own_copy
from mindflood.attack.textattack_import import textattack

TEXT = "the film was very good indeed"
SEARCHES = {
    "delete": lambda: textattack.search_methods.GreedyWordSwapWIR("delete"),
    "greedy": lambda: textattack.search_methods.GreedySearch(),
    "swarm": lambda: textattack.search_methods.ParticleSwarmOptimization(pop_size=5, max_iters=2),
}


class Sure(textattack.models.wrappers.ModelWrapper):
    """Says class 1, of every text with another probability, unless a text is shorter."""

    model = None

    def __init__(self, fooled_by_letters):
        self.fooled_by_letters = fooled_by_letters

    def __call__(self, texts, **_):
        odds = [1 + (sum(map(ord, text)) % 97) / 100 for text in texts]
        fooled = [len(text) <= len(TEXT) - self.fooled_by_letters for text in texts]
        return torch.tensor([[0.0, -o if f else o] for o, f in zip(odds, fooled, strict=True)])


def outcome(kind, budget, fooled_by_letters):
    attack = textattack.Attack(
        textattack.goal_functions.UntargetedClassification(Sure(fooled_by_letters)),
        [textattack.constraints.pre_transformation.RepeatModification()],
        textattack.transformations.WordSwapRandomCharacterDeletion(random_one=False),
        SEARCHES[kind](),
    )
    attack.goal_function.query_budget = budget
    attack = own_copy(attack, 1000)
    attack.search_method = search = BudgetedSearch(attack)
    torch.manual_seed(0)
    textattack.shared.utils.set_seed(0)
    return attack.attack(TEXT, 1), search.cut_short


@pytest.mark.parametrize("kind", SEARCHES)
@pytest.mark.parametrize("fooled_by_letters", [99, 2], ids=["fails", "succeeds"])
def test_only_a_search_that_wants_more_is_cut_short(kind, fooled_by_letters):
    whole, cut_short = outcome(kind, math.inf, fooled_by_letters)
    assert not cut_short
    name = "Failed" if fooled_by_letters == 99 else "Successful"
    assert type(whole).__name__ == f"{name}AttackResult"
    budgets = range(1, whole.num_queries + 3)
    assert len(budgets) > 15
    for budget in budgets:
        found, cut_short = outcome(kind, budget, fooled_by_letters)
        if budget >= whole.num_queries:
            assert not cut_short
            assert found.num_queries == whole.num_queries
            assert found.perturbed_text() == whole.perturbed_text()
        else:
            assert cut_short  # and yet it may succeed, with the part that was answered
            assert found.num_queries == budget
