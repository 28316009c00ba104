"""The fingerprint of a recipe follows the contents of its tables, not their names only."""

from types import SimpleNamespace

import numpy as np
import pytest

from mindflood.attack.textattack_import import textattack
from mindflood.fingerprint import array_fingerprint, file_fingerprint, recipe_fingerprint

WORDS = {"good": 0, "bad": 1}
SWAPS = textattack.transformations


def fingerprint(transformation):
    attack = SimpleNamespace(
        goal_function=SimpleNamespace(),
        search_method=SimpleNamespace(),
        transformation=transformation,
        pre_transformation_constraints=[],
        constraints=[],
    )
    return recipe_fingerprint(attack, "textfooler", "paper", {})


def embedding(**changes):
    """A swap for neighbours in a table as TextAttack has it."""
    table = {
        "matrix": np.eye(2, dtype=np.float32), "neighbours": np.array([[0, 1], [1, 0]])
    } | changes  # fmt: skip
    names = {index: word for word, index in WORDS.items()}
    words = textattack.shared.WordEmbedding(table["matrix"], WORDS, names, table["neighbours"])
    return SWAPS.WordSwapEmbedding(max_candidates=5, embedding=words)


def substitutes(bank):
    """A swap for HowNet's words, without its download."""
    swap = object.__new__(SWAPS.WordSwapHowNet)
    swap.candidates_bank = bank
    return swap


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (embedding(), embedding(matrix=np.array([[1, 0], [0, 2]], np.float32))),
        (embedding(), embedding(neighbours=np.array([[0, 0], [1, 0]]))),
        (
            substitutes({"good": {"adj": ["fine"], "noun": []}}),
            substitutes({"good": {"adj": ["bad"], "noun": []}}),
        ),
    ],
    ids=["vectors", "neighbours", "substitutes"],
)
def test_a_table_s_contents_count(one, other):
    assert fingerprint(one) != fingerprint(other)


def test_equal_contents_are_the_same_recipe():
    assert fingerprint(embedding()) == fingerprint(embedding())
    one = substitutes({"good": {"adj": ["fine"]}, "bad": {}})
    assert fingerprint(one) == fingerprint(substitutes({"bad": {}, "good": {"adj": ["fine"]}}))


def test_arrays_of_equal_bytes_but_another_shape_or_type_differ():
    values = np.arange(6, dtype=np.int32)
    found = {
        array_fingerprint(values),
        array_fingerprint(values.reshape(2, 3)),
        array_fingerprint(values.view(np.float32)),
        array_fingerprint(values[:3], values[3:]),
    }
    assert len(found) == 4
    assert array_fingerprint(np.arange(12, dtype=np.int32)[::2] // 2) in found


def test_a_file_larger_than_a_read_counts_whole(tmp_path):
    (tmp_path / "a").write_bytes(bytes(2**20))
    first = file_fingerprint(tmp_path / "a")
    (tmp_path / "a").write_bytes(bytes(2**20 - 1) + b"\1")
    assert file_fingerprint(tmp_path / "a") != first
