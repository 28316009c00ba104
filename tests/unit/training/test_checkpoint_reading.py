"""Checkpoints that something has damaged: the file and the key in a line, and nothing is set."""

import math
from pathlib import Path

import mindspore as ms
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mindspore import Parameter, Tensor

from mindflood.errors import UserError
from mindflood.training.checkpoint import read_checkpoint, write_checkpoint
from mindflood.training.state import Position, restore, save
from tests.json_faults import torn

POSITION = Position(3, -0.5, 2, [1.0, 0.5])


def parameters(value: float = 0.0) -> dict[str, Parameter]:
    weight = Parameter(Tensor(np.full((2, 3), value, np.float32)), name="weight")
    level = Parameter(Tensor(-math.inf, ms.float32), name="flood_level")
    return {"weight": weight, "flood_level": level}


def position(**changes: object) -> dict[str, object]:
    """What :func:`save` writes beside the weights."""
    named = {
        "step": 3, "sub_epoch_loss": -0.5, "sub_epoch_steps": 2, "epochs": 2,
        "epoch_seconds.0": 1.0, "epoch_seconds.1": 0.5,
    }  # fmt: skip
    return {f"position.{name}": value for name, value in (named | changes).items()}


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    save(tmp_path, parameters(2.0), POSITION)
    fresh = parameters()
    assert restore(tmp_path, fresh) == POSITION
    assert fresh["weight"].asnumpy().tolist() == [[2.0] * 3] * 2


def test_the_seconds_of_a_run_are_those_of_its_epochs(tmp_path: Path) -> None:
    spent = Position()
    for epoch, seconds in [(0, 4.0), (0, 0.5), (1, 0.25)]:
        spent.spend(epoch, seconds)
    assert (spent.train_seconds, spent.epoch_seconds) == (4.75, [4.5, 0.25])
    save(tmp_path, parameters(), spent)
    assert restore(tmp_path, parameters()).train_seconds == 4.75


def test_a_checkpoint_that_has_their_sum_as_well_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "step-00000003.ckpt"
    write_checkpoint(path, parameters(), position(train_seconds=1.5))  # type: ignore[arg-type]
    assert restore(tmp_path, parameters()) == POSITION


@pytest.mark.parametrize(
    ("weight", "changes", "named"),
    [
        (2.0, {"step": None}, "'position.step' is missing"),
        (2.0, {"epoch_seconds.0": None}, "'position.epoch_seconds.0' is missing"),
        (2.0, {"epochs": None}, "'position.epochs' is missing"),
        (2.0, {"epoch_seconds.0": None, "epoch_seconds.1": None}, "'position.epoch_seconds.0' is"),
        (2.0, {"step": 4.0}, "'position.step' is 4, and the file's name says 3"),
        (2.0, {"step": -3.0}, "'position.step' is missing or no such number"),
        (2.0, {"step": [3.0, 3.0]}, "'position.step' is missing or no such number"),
        (2.0, {"sub_epoch_loss": math.nan}, "'position.sub_epoch_loss' holds NaN"),
        (math.nan, {}, "'weight' holds NaN or an infinity"),
        (-math.inf, {}, "'weight' holds NaN or an infinity"),
    ],
)
def test_a_damaged_checkpoint_is_a_line_and_sets_nothing(
    tmp_path: Path, weight: float, changes: dict[str, object], named: str
) -> None:
    found = {name: value for name, value in position(**changes).items() if value is not None}
    path = tmp_path / "step-00000003.ckpt"
    write_checkpoint(path, parameters(weight), found)  # type: ignore[arg-type]
    fresh = parameters(7.0)
    with pytest.raises(UserError) as refused:
        restore(tmp_path, fresh)
    assert str(refused.value).startswith(f"{path}: {named}")
    assert (fresh["weight"].asnumpy() == 7).all()


def test_weights_without_position_are_no_checkpoint_of_a_run(tmp_path: Path) -> None:
    """Such as the weights that a run keeps of an epoch, under another name."""
    write_checkpoint(tmp_path / "step-00000003.ckpt", parameters(), {})
    with pytest.raises(UserError, match=r"'position\.step' is missing .* no checkpoint of a run"):
        restore(tmp_path, parameters())


def fuzz(folder: Path, cases: int) -> None:
    save(folder / "whole", parameters(2.0), POSITION)
    (whole,) = (folder / "whole").iterdir()
    content = whole.read_bytes()
    path = folder / "torn" / whole.name
    path.parent.mkdir()

    @settings(max_examples=cases, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def read(data: st.DataObject) -> None:
        path.write_bytes(data.draw(st.one_of(torn(content), st.binary(max_size=60))))
        try:
            read_checkpoint(path)
            fresh = parameters()
            found = restore(path.parent, fresh)
        except UserError:
            return
        assert found == POSITION, "the sum at its end tells, or what is missing"
        assert (fresh["weight"].asnumpy() == 2).all()

    read()


def test_a_few_torn_checkpoints(tmp_path: Path) -> None:
    fuzz(tmp_path, 100)


@pytest.mark.slow
def test_a_great_many_torn_checkpoints(tmp_path: Path) -> None:
    fuzz(tmp_path, 2_000)
