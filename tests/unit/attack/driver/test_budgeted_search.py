"""A search that ends by itself with its last query is told from one that was cut short."""

import math

import pytest
import torch

from mindflood.attack.driver.budgeted_search import BudgetedSearch
from mindflood.attack.driver.own_copy import own_copy
from mindflood.attack.searches import OutOfTimeError
from mindflood.attack.textattack_import import textattack

SUCCEEDED = textattack.goal_function_results.GoalFunctionResultStatus.SUCCEEDED
TEXT = "the film was very good indeed"
SEARCHES = {
    "delete": lambda: textattack.search_methods.GreedyWordSwapWIR("delete"),
    "greedy": lambda: textattack.search_methods.GreedySearch(),
    "swarm": lambda: textattack.search_methods.ParticleSwarmOptimization(pop_size=5, max_iters=3),
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


def an_attack(kind, budget, victim):
    attack = textattack.Attack(
        textattack.goal_functions.UntargetedClassification(victim),
        [textattack.constraints.pre_transformation.RepeatModification()],
        textattack.transformations.WordSwapRandomCharacterDeletion(random_one=False),
        SEARCHES[kind](),
    )
    attack.goal_function.query_budget = budget
    return own_copy(attack, 1000)


def outcome(kind, budget, victim):
    attack = an_attack(kind, budget, victim)
    attack.search_method = search = BudgetedSearch(attack)
    textattack.shared.utils.set_seed(0)
    return attack.attack(TEXT, 1), search.cut_short


@pytest.mark.parametrize("kind", SEARCHES)
@pytest.mark.parametrize("fooled_by_letters", [99, 2], ids=["fails", "succeeds"])
def test_only_a_search_that_wants_more_is_cut_short(kind, fooled_by_letters):
    whole, cut_short = outcome(kind, math.inf, Sure(fooled_by_letters))
    assert not cut_short
    name = "Failed" if fooled_by_letters == 99 else "Successful"
    assert type(whole).__name__ == f"{name}AttackResult"
    budgets = range(1, whole.num_queries + 3)
    assert len(budgets) > 15
    for budget in budgets:
        found, cut_short = outcome(kind, budget, Sure(fooled_by_letters))
        if budget >= whole.num_queries:
            assert not cut_short
            assert found.num_queries == whole.num_queries
            assert found.perturbed_text() == whole.perturbed_text()
        else:
            assert cut_short  # and yet it may succeed, with the part that was answered
            assert found.num_queries == budget


@pytest.mark.parametrize("kind", ["delete", "swarm"])  # TextAttack's beam search raises then
def test_whatever_the_budget_it_succeeds_where_textattack_does(kind):
    succeeded = 0
    whole, _ = outcome(kind, math.inf, Sure(2))
    for budget in range(1, whole.num_queries + 3):
        textattack.shared.utils.set_seed(0)
        stock = an_attack(kind, budget, Sure(2)).attack(TEXT, 1)
        found, _ = outcome(kind, budget, Sure(2))
        assert type(found) is type(stock), budget
        if isinstance(stock, textattack.attack_results.SuccessfulAttackResult):
            succeeded += 1
            assert found.perturbed_text() == stock.perturbed_text()
            assert found.num_queries == stock.num_queries
    assert succeeded > 2


@pytest.mark.parametrize("asked_last", ["the victim", "a constraint"])
def test_a_swarm_that_runs_out_of_time_keeps_what_succeeded(asked_last):
    """Whichever request finds no time left, once a particle has succeeded the attack has."""
    attack = an_attack("swarm", math.inf, Sure(2))
    goal, method = attack.goal_function, attack.search_method
    succeeded, out_of_time = [], False

    def last(real):
        def ask(*arguments, **named):
            nonlocal out_of_time
            out_of_time = out_of_time or len(succeeded) > 0
            if out_of_time:
                raise OutOfTimeError
            return real(*arguments, **named)

        return ask

    def perturb(particle, original):
        moved = type(method)._perturb(method, particle, original)
        if particle.result.goal_status == SUCCEEDED:
            succeeded.append(particle)
        return moved

    if asked_last == "the victim":
        goal.get_results = last(goal.get_results)
    else:
        method.get_transformations = last(method.get_transformations)
    method._perturb = perturb
    attack.search_method = search = BudgetedSearch(attack)
    textattack.shared.utils.set_seed(0)
    found = attack.attack(TEXT, 1)
    assert out_of_time
    assert search.cut_short
    assert isinstance(found, textattack.attack_results.SuccessfulAttackResult)


@pytest.mark.parametrize("kind", ["delete", "swarm"])  # a beam goes on for ever where all is same
@pytest.mark.parametrize(
    ("constraint", "touched"), [("none", True), ("all refused", False), ("nothing changed", False)]
)
def test_only_a_candidate_touches_a_text(kind, constraint, touched):
    """Queries that rank the words, and a swarm that shows the same text again, do not."""
    attack = an_attack(kind, math.inf, Sure(99))
    if constraint == "all refused":
        attack.constraints.append(Refuse(compare_against_original=True))
    elif constraint == "nothing changed":
        attack.transformation = Same()
    attack.search_method = search = BudgetedSearch(attack)
    textattack.shared.utils.set_seed(0)
    found = attack.attack(TEXT, 1)
    assert isinstance(found, textattack.attack_results.FailedAttackResult)
    assert search.touched is touched
    assert not search.cut_short
    assert found.num_queries > 1


class Refuse(textattack.constraints.Constraint):
    """Nothing is like the original."""

    def _check_constraint(self, transformed_text, reference_text):
        return False


class Same(textattack.transformations.WordSwap):
    """Puts every word in its own place."""

    def _get_replacement_words(self, word):
        return [word]


@pytest.mark.parametrize("kind", SEARCHES)
@pytest.mark.parametrize("text", ["", "...", "\U0001f600 \U0001f389"])
def test_a_text_without_words_is_not_touched(kind, text):
    """TextAttack's swarm raises there: it draws one of no words."""
    attack = an_attack(kind, math.inf, Sure(99))
    attack.search_method = search = BudgetedSearch(attack)
    found = attack.attack(text, 1)
    assert isinstance(found, textattack.attack_results.FailedAttackResult)
    assert not search.touched
