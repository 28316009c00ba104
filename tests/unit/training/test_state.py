"""What a defence keeps beside the weights is saved and comes back: nothing is compiled for it."""

from pathlib import Path

import numpy as np
import pytest
from mindspore import Tensor

from mindflood.config.load import load_train_config
from mindflood.errors import UserError
from mindflood.models.classifier import load_classifier
from mindflood.training.defended_step import cell_beside, defended
from mindflood.training.optimizer import AdamW, parameter_groups
from mindflood.training.state import Position, restore, save, state_of

CRITIC = ["of_x.weight", "of_y.weight", "hidden.bias", "out.weight", "out.bias"]
# Those of a defence, by the names that the checkpoints of runs have.
KEPT = {
    "tavat": ["vocabulary_table"],
    "infobert": [f"{of}critic.{name}" for of in ("", "exp_avg.", "exp_avg_sq.") for name in CRITIC],
    "freelb": [],
}


class Trained:
    """A step of the method as training builds it, and the parts that keep something."""

    def __init__(self, method: str, encoder: Path, folder: Path, seed: int) -> None:
        path = folder / "c.yaml"
        path.write_text(f"method: {method}\nseed: {seed}\n")
        config = load_train_config(path, [])
        model = load_classifier(encoder, label_names=("no", "yes"), seed=seed)
        self.critic = cell_beside(method, model, seed)
        self.optimizer = AdamW(parameter_groups(model, 0.01, self.critic))
        self.step, _ = defended(
            config, model, self.optimizer, None, self.critic, max_gradient_norm=1.0, loss_scale=None
        )
        self.state = state_of(self.step)

    def arrays(self) -> dict[str, np.ndarray]:
        return {name: parameter.asnumpy().copy() for name, parameter in self.state.items()}


@pytest.mark.parametrize("method", KEPT)
def test_all_that_a_defence_keeps_comes_back(method, tiny_encoder, tmp_path):
    before = Trained(method, tiny_encoder, tmp_path, seed=0)
    random = np.random.default_rng(1)
    for parameter in before.state.values():  # as after some steps: everything has moved
        moved = random.uniform(2.0, 9.0, parameter.shape)
        parameter.set_data(Tensor(np.asarray(moved), parameter.dtype))
    save(tmp_path / "checkpoints", before.state, Position(step=3))

    after = Trained(method, tiny_encoder, tmp_path, seed=5)
    fresh = after.arrays()
    assert restore(tmp_path / "checkpoints", after.state).step == 3
    assert set(KEPT[method]) <= after.state.keys()
    for name, value in before.arrays().items():
        np.testing.assert_array_equal(after.state[name].asnumpy(), value, err_msg=name)
        assert not np.array_equal(fresh[name], value), f"{name} was there without the checkpoint"


def test_what_is_restored_is_what_the_step_trains(tiny_encoder, tmp_path):
    """The parameters themselves, and not others of their names."""
    tavat = Trained("tavat", tiny_encoder, tmp_path, seed=0)
    assert tavat.state["vocabulary_table"] is tavat.step.defence.table.table
    infobert = Trained("infobert", tiny_encoder, tmp_path, seed=0)
    for weight in infobert.critic.trainable_params():
        assert infobert.state[weight.name] is weight
    for moments in (infobert.optimizer.exp_avg, infobert.optimizer.exp_avg_sq):
        of_critic = [moment for moment in moments if "critic." in moment.name]
        assert len(of_critic) == len(CRITIC)
        assert all(infobert.state[moment.name] is moment for moment in of_critic)


def test_the_state_of_another_defence_is_refused(tiny_encoder, tmp_path):
    freelb = Trained("freelb", tiny_encoder, tmp_path, seed=0)
    save(tmp_path / "checkpoints", freelb.state, Position(step=1))
    tavat = Trained("tavat", tiny_encoder, tmp_path, seed=0)
    with pytest.raises(UserError, match="has no parameter 'vocabulary_table'"):
        restore(tmp_path / "checkpoints", tavat.state)
