"""The comparison of taggers by pairs, on two tags and a few neurons by hand."""

import pytest
from compare_taggers import difference, kept, matched, shared


def analysis(match: tuple[int, int], neurons: list[int], accuracy: float = 0.5):
    """Two tags of four listed words each; the neurons are the first tag's, the second has none."""
    listed = [{"layer": 1, "unit": unit} for unit in neurons]
    return {
        "tags": {
            "NN": {"match": match[0], "total": 4, "neurons": listed},
            "JJ": {"match": match[1], "total": 4, "neurons": []},
        },
        "kept_accuracy": accuracy,
    }


def test_match_is_over_the_words_of_all_tags():
    assert matched(analysis((3, 1), [0])) == pytest.approx(50)


def test_differences_are_of_the_same_seeds():
    first = {0: analysis((4, 4), [0], 0.9), 1: analysis((4, 0), [0], 0.5)}
    second = {1: analysis((0, 0), [0], 0.2), 0: analysis((4, 0), [0], 0.8)}
    mean, half = difference(matched, first, second)
    assert mean == pytest.approx(50)
    assert half == pytest.approx(0, abs=1e-9)
    mean, half = difference(kept, first, second)
    assert mean == pytest.approx(20)
    assert half == pytest.approx(12.706204736 * 10 * 2**0.5 / 2**0.5, rel=1e-6)  # t of 1 degree


def test_shared_neurons_are_counted_tag_by_tag():
    pairs = [
        (analysis((0, 0), [1, 2, 3, 4]), analysis((0, 0), [3, 4, 5, 6])),
        (analysis((0, 0), [1, 2, 3, 4]), analysis((0, 0), [4, 5, 6, 7])),
    ]
    assert shared(pairs) == [25, 50]
    assert shared([]) == [None, None]
