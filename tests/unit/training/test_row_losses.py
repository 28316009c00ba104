"""The losses of the training rows at the end: which are looked at, and what is told of them."""

from types import SimpleNamespace

import numpy as np
import pytest
from mindspore import Tensor, nn, ops

from mindflood.data.batching import Batches, encode, load_tokenizer
from mindflood.data.corpus import wrongly_labelled
from mindflood.data.sources import Examples, load_examples
from mindflood.data.tasks import get_task
from mindflood.models.pretrained import resolve_encoder
from mindflood.training.evaluation import evaluate
from mindflood.training.row_losses import summary, write_row_losses, wrong_labels
from tests.conftest import read_lines

LOSSES = np.array([0.05, np.nan, 0.3, 2.0])
WRONG = np.array([False, True, False, True])


class ByIds(nn.Cell):
    """Logits that the ids of a row alone decide."""

    def construct(self, ids, mask, segments):
        total = ops.cast(ops.sum(ids * mask, 1), Tensor(0.0).dtype)
        return ops.stack((ops.sin(total), ops.cos(total)), 1)


def batches(rows: int, shuffle: bool) -> Batches:
    examples = load_examples(get_task("corpus"), "dev", limit=rows)
    encoded = encode(examples, load_tokenizer(resolve_encoder("embedded")), 32)
    return Batches(encoded, examples.labels, 8, 2, buckets=(32,), shuffle=shuffle)


def test_every_row_has_its_loss_in_the_order_of_the_data() -> None:
    found = evaluate(ByIds(), batches(20, shuffle=True))
    same = evaluate(ByIds(), batches(20, shuffle=False))
    np.testing.assert_allclose(found.losses, same.losses)
    assert found.loss == pytest.approx(found.losses.mean())
    assert found.predictions.tolist() == same.predictions.tolist()
    data = batches(20, shuffle=False)
    for row in range(20):
        total = data.encoded.padded(np.array([row]), 32)[0].sum()
        logits = np.array([np.sin(total), np.cos(total)])
        p = np.exp(logits) / np.exp(logits).sum()
        assert found.losses[row] == pytest.approx(-np.log(p[data.labels[row]]), rel=1e-4)
    assert 0 <= found.calibration_error <= 1


def test_of_many_rows_a_random_sample_is_looked_at() -> None:
    whole = evaluate(ByIds(), batches(20, shuffle=True))
    part = evaluate(ByIds(), batches(20, shuffle=True), most=9)
    seen = ~np.isnan(part.losses)
    assert seen.sum() == 16  # two batches of 8
    np.testing.assert_allclose(part.losses[seen], whole.losses[seen])
    assert part.loss == pytest.approx(part.losses[seen].mean())
    assert np.flatnonzero(seen).tolist() != list(range(16))


def test_the_file_has_a_line_for_each_row_that_was_looked_at(tmp_path) -> None:
    write_row_losses(tmp_path / "r.jsonl", LOSSES, np.array([0.1, 0.2, 0.3, 0.4]), WRONG)
    assert read_lines(tmp_path / "r.jsonl") == [
        {"row": 0, "loss": 0.05, "level": 0.1, "wrong_label": False},
        {"row": 2, "loss": 0.3, "level": 0.3, "wrong_label": False},
        {"row": 3, "loss": 2.0, "level": 0.4, "wrong_label": True},
    ]
    write_row_losses(tmp_path / "r.jsonl", LOSSES, None, None)
    assert read_lines(tmp_path / "r.jsonl")[0] == {"row": 0, "loss": 0.05}


def test_what_the_card_tells_of_them() -> None:
    assert summary(LOSSES, None, None) == {"rows": 3, "mean": pytest.approx(2.35 / 3)}
    found = summary(LOSSES, 0.31, WRONG)
    assert found["below_level"] == pytest.approx(2 / 3)
    assert found["right_labels"] == pytest.approx(0.175)
    assert found["wrong_labels"] == 2.0
    own = np.array([0.04, 9.0, 0.5, 3.0])
    assert summary(LOSSES, own, None)["below_level"] == pytest.approx(2 / 3)
    assert "wrong_labels" not in summary(LOSSES, None, np.zeros(4, bool))


def test_the_built_in_corpus_tells_which_labels_are_wrong() -> None:
    train = load_examples(get_task("corpus"), "train", limit=500, seed=3)
    rows = SimpleNamespace(train=train, origins={"train": "the built-in corpus"})
    found = wrong_labels(rows)
    assert found is not None
    known = wrongly_labelled()
    assert [text in known for (text,) in train.texts] == found.tolist()
    assert 0.04 < found.mean() < 0.12
    other = SimpleNamespace(train=Examples((("a",),), np.zeros(1)), origins={"train": "x.csv"})
    assert wrong_labels(other) is None
