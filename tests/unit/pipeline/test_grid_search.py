"""Which level a grid search chooses where attacks are undecided."""

import pytest

from mindflood.errors import UserError
from mindflood.pipeline.grid_search import best


def candidate(level, low, high=None):
    number = low if high is None else None
    bounds = [low, low if high is None else high]
    return {
        "flood_level": level,
        "accuracy_under_attack": number,
        "accuracy_under_attack_bounds": bounds,
    }


def test_a_level_above_every_range_is_chosen():
    candidates = [candidate(0.1, 0.2, 0.4), candidate(0.2, 0.5), candidate(0.3, 0.45)]
    assert best(candidates)["flood_level"] == 0.2
    assert best([candidate(0.1, 0.2), candidate(0.2, 0.5, 0.9)])["flood_level"] == 0.2


@pytest.mark.parametrize(
    "candidates",
    [
        [candidate(0.1, 0.2, 0.4), candidate(0.2, 0.3)],
        [candidate(0.1, 0.042, 0.625), candidate(0.2, 0.05, 0.6)],
        [candidate(0.1, 0.0, 1.0), candidate(0.2, 0.1)],
    ],
)
def test_ranges_that_overlap_choose_nothing(candidates):
    """The better model may be the one whose attacks ran out of their budget."""
    with pytest.raises(UserError, match=r"cannot be ranked.*b = 0\.1: .* to .* %.*max_queries"):
        best(candidates)
