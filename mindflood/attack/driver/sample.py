"""One sample attacked: from its texts and label to its record."""

import math
import random
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from mindflood.attack.driver.budgeted_search import BudgetedSearch
from mindflood.attack.driver.columns import with_columns
from mindflood.attack.driver.own_copy import own_copy
from mindflood.attack.recipes import BuiltRecipe, build_recipe
from mindflood.attack.searches import OutOfTimeError
from mindflood.attack.textattack_import import textattack
from mindflood.attack.victim.calibrated import CalibratedVictim
from mindflood.attack.victim.wrapper import Victim
from mindflood.config.attack import AttackSettings
from mindflood.data.tasks import Task

_QUERIES_AT_ONCE = 256  # in one request of a sample; before the next its seconds are looked at
_CACHED_WORDS = 2**19  # in each of TextAttack's caches of a sample's candidates: about 40 MiB


class SampleAttacker:
    """A victim and a recipe, ready to attack one sample after another.

    Raises:
        UserError: as :class:`Victim`, its :meth:`~Victim.check_labels` and :meth:`~Victim.try_out`,
            and :func:`build_recipe`.
    """

    def __init__(self, settings: AttackSettings) -> None:
        self.settings = settings
        self.victim: Any = Victim(settings.model, num_labels=settings.task.num_labels)
        self.victim.check_labels(settings.task.label_names)
        self.victim.try_out(len(settings.task.text_columns))
        if settings.temperature is not None:
            assert not isinstance(settings.temperature, str), "is chosen before the attack begins"
            self.victim = CalibratedVictim(self.victim, settings.temperature)
        built = build_recipe(settings.recipe, settings.profile, self.victim, settings)
        self.recipe: BuiltRecipe = with_columns(built, settings.task, settings.columns)
        goal = self.recipe.attack.goal_function
        goal.query_budget = settings.max_queries or math.inf
        goal.batch_size = _QUERIES_AT_ONCE  # the victim makes the batches

    def __call__(self, index: int, texts: Sequence[str], label: int) -> dict[str, Any]:
        """Attack the sample in row ``index``; its random numbers depend on (seed, index) only.

        An attack that raises is recorded with its error, and one that ends without having shown the
        victim a single candidate as ``untouched``, not as ``failed``. Several may run at once, each
        as a :class:`~mindflood.attack.searches.RunningSearch`.

        Args:
            texts: one string, or the two of a pair.

        Returns:
            ``index, result, label, original_prediction, original_probability, original_score,
            perturbed_prediction, perturbed_probability, perturbed_score, queries, seconds,
            original, perturbed, changed_words, index_map, error``: probabilities are of the
            prediction beside them; scores are the goal function's; ``perturbed`` and its prediction
            are None where nothing was attacked; ``changed_words`` are positions among TextAttack's
            words of the perturbed texts, counted from 0 over both texts of a pair; ``index_map`` is
            where each original word is now (-1: nowhere), None where all are at their places.
        """
        record = _blank_record(index, texts, label)
        attack = own_copy(self.recipe.attack, _CACHED_WORDS // words_of(texts))
        goal = attack.goal_function
        attack.search_method = search = BudgetedSearch(attack)
        seed_sample(self.settings.seed, index)
        try:
            text = textattack_input(self.settings.task, texts)
            record |= from_result(attack.attack(text, label))
            if record["result"] == "failed" and search.cut_short:
                record["result"] = "out_of_budget"
            elif record["result"] == "failed" and not search.touched:
                record["result"] = "untouched"
        except OutOfTimeError:  # before the search began
            record |= {"result": "out_of_budget", "queries": int(goal.num_queries)}
        except Exception as error:  # TextAttack and the model may raise anything: not the run's end
            record |= {"result": "error", "error": f"{type(error).__name__}: {error}"[:500]}
            record["queries"] = int(getattr(goal, "num_queries", 0))
        return record


def textattack_input(task: Task, texts: Sequence[str]) -> str | OrderedDict[str, str]:
    """What TextAttack attacks: a text, or the two of a pair under their columns' names."""
    if len(texts) == 1:
        return texts[0]
    return OrderedDict(zip(task.text_columns, texts, strict=True))


def words_of(texts: Sequence[str]) -> int:
    """Number of words of a sample, 1 at least: what its search takes in memory grows with it."""
    return max(1, sum(len(text.split()) for text in texts))


def seed_sample(seed: int, index: int) -> None:
    """Seed every random generator that an attack may draw from by (seed, index)."""
    state = int(np.random.SeedSequence([seed, index]).generate_state(1)[0])
    random.seed(state)
    np.random.seed(state)
    torch.manual_seed(state)


def _blank_record(index: int, texts: Sequence[str], label: int) -> dict[str, Any]:
    return {
        "index": index,
        "result": None,
        "label": label,
        "original_prediction": None,
        "original_probability": None,
        "original_score": None,
        "perturbed_prediction": None,
        "perturbed_probability": None,
        "perturbed_score": None,
        "queries": 0,
        "original": list(texts),
        "perturbed": None,
        "changed_words": [],
        "index_map": None,
        "error": None,
    }


def from_result(outcome: Any) -> dict[str, Any]:
    """The fields that a TextAttack result decides."""
    before, after = outcome.original_result, outcome.perturbed_result
    found = {
        "original_prediction": int(before.output),
        "original_probability": round(float(before.raw_output[before.output]), 6),
        "original_score": float(before.score),
        "queries": int(outcome.num_queries),
    }
    if isinstance(outcome, textattack.attack_results.SkippedAttackResult):
        return found | {"result": "skipped"}
    succeeded = isinstance(outcome, textattack.attack_results.SuccessfulAttackResult)
    changed = after.attacked_text.attack_attrs["modified_indices"]
    moved = [int(place) for place in after.attacked_text.attack_attrs["original_index_map"]]
    return found | {
        "result": "succeeded" if succeeded else "failed",
        "perturbed_prediction": int(after.output),
        "perturbed_probability": round(float(after.raw_output[after.output]), 6),
        "perturbed_score": float(after.score),
        "perturbed": list(after.attacked_text._text_input.values()),
        "changed_words": sorted(int(position) for position in changed),
        "index_map": None if moved == list(range(len(moved))) else moved,
    }
