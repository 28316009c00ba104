"""The losses of each epoch, from the lines that training wrote."""

from pathlib import Path

import pytest

from mindflood.errors import UserError
from mindflood.pipeline.epochs import epoch_losses
from mindflood.training.run_folder import epoch_weights
from tests.unit.report_runs import lines


def test_the_training_loss_of_an_epoch_is_the_mean_of_its_logged_steps(tmp_path: Path) -> None:
    lines(tmp_path / "trace.jsonl", [{"step": step, "loss": float(step)} for step in (2, 3, 5, 6)])
    ends = ((3, 1.0, 0.5), (6, 2.0, 0.4), (9, 3.0000001, 0.3))
    lines(
        tmp_path / "evaluations.jsonl",
        [{"step": step, "epoch": epoch, "eval_loss": loss} for step, epoch, loss in ends],
    )
    assert epoch_losses(tmp_path) == {1: (2.5, 0.5), 2: (5.5, 0.4), 3: (None, 0.3)}


def test_an_epoch_that_was_not_kept_is_named_with_those_that_were(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"epochs/2/weights\.ckpt: .* \(none were\)"):
        epoch_weights(tmp_path, 2)
    for epoch in (1, 10, 3):
        weights = tmp_path / "epochs" / str(epoch) / "weights.ckpt"
        weights.parent.mkdir(parents=True)
        weights.touch()
        assert epoch_weights(tmp_path, epoch) == weights
    with pytest.raises(UserError, match=r"\(those of 1, 3, 10 were\)"):
        epoch_weights(tmp_path, 2)
