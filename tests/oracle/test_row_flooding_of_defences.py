"""A step of a defence that floods row by row against PyTorch's autograd of the objective."""

import mindspore as ms
import numpy as np
import pytest
import torch

from mindflood.defences.registry import DEFENCE_METHODS
from mindflood.defences.settings import DEFENCES, DefenceSettings, resolved
from mindflood.errors import UserError
from mindflood.flooding.rows import AdaFlood, IFlood, SoftAD
from tests.oracle.defended_step import ROWS, Defended, check

LEVEL = 1.1  # of the rows, which lose 0.7 to 1.7, some are below and some above
LEVELS = np.array([1.3, 0.9, 1.5, 0.7, 1.1], np.float32)
RULES = {"iflood": IFlood, "softad": lambda: SoftAD(0.2), "adaflood": AdaFlood}
FLOODED = [name for name, row in DEFENCE_METHODS.items() if not row.no_rows]


def objective(rows, weights):
    weights, levels = torch.tensor(weights).double(), torch.tensor(LEVELS).double()

    def of(losses):
        if rows == "softad":
            x = (losses - LEVEL) / 0.2
            return 0.2 * (torch.sqrt(x**2 + 1) - 1) @ weights
        level = levels if rows == "adaflood" else LEVEL
        return (losses - level).abs() @ weights

    return of


def settings_of(method, **more):
    own = DEFENCES[method]
    more |= {"variant": "paper"} if own.variant else {}
    more |= {"normalise": True} if own.normalise is not None else {}
    return resolved(method, DefenceSettings(2, 0.04, 0.3, 0.05, "l2", reuse_dropout=True, **more))


CASES = [
    pytest.param(
        method, rows, mode, filled, id=f"{method}-{rows}-{mode}-{filled}",
        marks=() if (method, rows, mode, filled) in {
            ("pgd", "iflood", "graph", "filled"),
            ("freelb", "softad", "graph", "whole"),
            ("pgd-at", "adaflood", "graph", "filled"),
            ("tavat", "iflood", "graph", "filled"),
        } else pytest.mark.slow,
    )
    for method in FLOODED for rows in RULES
    for mode in ("graph", "pynative") for filled in ROWS
]  # fmt: skip


@pytest.mark.parametrize(("method", "rows", "mode", "filled"), CASES)
def test_a_step_equals_torch(method, rows, mode, filled, tmp_path):
    own = rows == "adaflood"
    step = Defended(
        method, settings_of(method), tmp_path, rows=filled, level=None if own else LEVEL,
        flood_rows=RULES[rows](), levels=LEVELS if own else None,
        mode=ms.GRAPH_MODE if mode == "graph" else ms.PYNATIVE_MODE,
    )  # fmt: skip
    check(step, objective=objective(rows, ROWS[filled]))
    assert 0 < float(step.step.climbing.asnumpy()) < 1  # some rows climb, and some do not


# One that replays has another step; the config refuses it.
@pytest.mark.parametrize(
    "method", [name for name, row in DEFENCE_METHODS.items() if row.no_rows and not row.replays]
)
def test_a_defence_without_a_loss_a_row_is_refused(method, tmp_path):
    settings = resolved(method, DefenceSettings(2, 0.04, 0.3, 0.05, "l2", reuse_dropout=True))
    with pytest.raises(UserError, match=f"flood_rows: '{method}'"):
        Defended(method, settings, tmp_path, flood_rows=IFlood())
