"""One training step of every defence against PyTorch: δ, gradients, and weights after SGD."""

import dataclasses
import itertools
from typing import NamedTuple

import numpy as np
import pytest
import torch

from mindflood.defences.settings import DefenceSettings, resolved
from tests.oracle.defended_step import ORACLES, Defended, HandedDropout, check, close, loss_of
from tests.oracle.test_bert import set_mode


class Case(NamedTuple):
    """A setting of one step; ``level`` is on either side of J, and decides a sign."""

    K: int
    kind: str
    norm: str
    radius: float
    magnitude: float
    level: float | None
    rows: str
    paper: bool  # the papers' variant, or the release's; pgd-at and lds: normalised, or raw

    @property
    def title(self) -> str:
        level = "unflooded" if self.level is None else f"b{self.level:g}"
        return "-".join(
            [f"K{self.K}", self.kind, self.norm, f"eps{self.radius:g}", f"from{self.magnitude:g}",
             level, self.rows, "paper" if self.paper else "other"]
        )  # fmt: skip


# Every pair of values occurs.
COVERING = [
    Case(1, "bert", "l2", 0.0, 0.3, 0.1, "whole", True),
    Case(1, "roberta", "l2", 0.05, 0.0, None, "whole", False),
    Case(1, "roberta", "linf", 0.0, 0.0, 9.0, "filled", True),
    Case(2, "bert", "linf", 0.05, 0.0, 0.1, "whole", False),
    Case(2, "bert", "linf", 0.05, 0.3, 9.0, "whole", True),
    Case(2, "roberta", "l2", 0.0, 0.3, None, "filled", False),
    Case(5, "bert", "l2", 0.05, 0.3, 9.0, "whole", False),
    Case(5, "bert", "linf", 0.05, 0.0, None, "filled", True),
    Case(5, "roberta", "l2", 0.0, 0.0, 0.1, "filled", False),
]
# All of these, the variant in turns.
WHOLE = [
    Case((1, 2, 5)[K], ("bert", "roberta")[kind], ("l2", "linf")[norm], 0.05 * radius,
         0.3, None, "filled", (K + kind + norm + radius) % 2 == 0)
    for K, kind, norm, radius in itertools.product(range(3), range(2), range(2), range(2))
]  # fmt: skip


def cases(kind: str, norm: str) -> list:
    """All cases, slow but for one."""
    fast = Case(2, kind, norm, 0.05, 0.3, 9.0, "filled", True)
    return [
        pytest.param(case, id=case.title, marks=() if case == fast else pytest.mark.slow)
        for case in dict.fromkeys([fast, *COVERING, *WHOLE])
    ]


FAST = {
    "pgd": ("bert", "l2"),
    "freelb": ("roberta", "linf"),
    "pgd-at": ("roberta", "l2"),
    "lds": ("bert", "linf"),
    "yopo": ("bert", "l2"),
    "tavat": ("roberta", "linf"),
    "infobert": ("roberta", "l2"),
}
OF_A_METHOD = [
    pytest.param(method, *case.values, id=f"{method}-{case.id}", marks=case.marks)
    for method, fast in FAST.items()
    for case in cases(*fast)
]


def settings_of(method, case):
    """What a case of the tables means for a method."""
    magnitude, more = case.magnitude, {}
    if method == "lds":
        magnitude = magnitude or 0.2  # it refuses to start at 0, where its divergence is flat
    if method in ("freelb", "yopo", "tavat", "infobert"):
        more["variant"] = "paper" if case.paper else "release"
    if method in ("pgd-at", "lds"):
        more["normalise"] = case.paper
    if method == "infobert":
        more |= {"alpha": 0.05, "beta": 0.03}
    if method == "yopo":
        more["inner_steps"] = {1: 2, 2: 3, 5: 1}[case.K]
    settings = DefenceSettings(
        case.K, 0.04, magnitude, case.radius, case.norm, reuse_dropout=True, **more
    )
    return resolved(method, settings)


@pytest.mark.parametrize(("method", "case"), OF_A_METHOD)
def test_a_step_equals_torch(method, case, tmp_path):
    settings = settings_of(method, case)
    step = Defended(method, settings, tmp_path, kind=case.kind, rows=case.rows, level=case.level)
    check(step)
    unclipped = method == "tavat" and settings.variant == "release" and case.K == 1
    if settings.radius > 0 and not unclipped:
        whole = sum(step.delta().values()).reshape(5, -1)
        norms = np.linalg.norm(whole, axis=1) if case.norm == "l2" else np.abs(whole).max(1)
        assert norms.max() <= settings.radius * (1 + 1e-5)


@pytest.mark.parametrize(
    ("method", "kind", "within"),
    [
        ("lds", "bert", 1e-3),
        pytest.param("lds", "roberta", 1e-3, marks=pytest.mark.slow),
        pytest.param("pgd-at", "bert", 1e-4, marks=pytest.mark.slow),
    ],
)
def test_in_the_papers_small_ball(method, kind, within, tmp_path):
    """ε = 0.003, K = 3, η = ε/2: LDS climbs a difference of nearly equal float32 outputs there."""
    settings = resolved(method, DefenceSettings())
    check(Defended(method, settings, tmp_path, kind=kind, rows="filled"), delta_within=within)


@pytest.mark.parametrize(
    ("norm", "rows"),
    [
        ("l2", "filled"),
        pytest.param("l2", "whole", marks=pytest.mark.slow),
        pytest.param("linf", "filled", marks=pytest.mark.slow),
    ],
)
def test_tavats_release_knows_neither_a_bucket_nor_a_ball_before_its_first_ascent(
    norm, rows, tmp_path
):
    """Its batch is cut to the longest row, and what δ starts from lies outside of the ball."""
    settings = DefenceSettings(3, 0.04, 0.3, 0.05, norm, False, variant="release")
    check(Defended("tavat", settings, tmp_path, rows=rows, bucket=24))
    step = Defended("tavat", dataclasses.replace(settings, steps=1), tmp_path, rows=rows, bucket=24)
    check(step)
    whole = sum(step.delta().values())
    assert np.abs(whole).max((1, 2)).min() > 0
    assert (np.linalg.norm(whole.reshape(5, -1), axis=1) > 0.05).all()
    assert not whole[:, 17:].any()


@pytest.mark.parametrize("mode", ["graph", pytest.param("pynative", marks=pytest.mark.slow)])
@pytest.mark.parametrize("rows", [pytest.param("whole", marks=pytest.mark.slow), "filled"])
def test_infoberts_release_equals_torch_in_both_modes(rows, mode, tmp_path):
    """Its chunks hold shuffled anchors of the batch, the last of them fewer than the others."""
    settings = resolved(
        "infobert", DefenceSettings(2, 0.04, 0.3, 0.05, variant="release", alpha=0.5, beta=0.03)
    )
    step = Defended("infobert", settings, tmp_path, rows=rows, level=9.0, bucket=24)
    set_mode(mode)
    check(step)


@pytest.mark.parametrize("norm", ["l2", pytest.param("linf", marks=pytest.mark.slow)])
def test_pgd_with_one_step_and_no_noise_takes_the_fast_gradient_step(norm, tmp_path):
    """δ = η·g/‖g‖ with g = ∂J/∂E."""
    settings = resolved("pgd", DefenceSettings(1, 0.03, 0.0, 0.0, norm))
    step = Defended("pgd", settings, tmp_path)
    zero = torch.zeros(step.drawn[2].shape, dtype=torch.float64, requires_grad=True)
    J = loss_of(step.theirs.double(), step.arrays, step.weights)
    g = torch.autograd.grad(J(zero), zero)[0]
    size = torch.linalg.vector_norm(g, 2 if norm == "l2" else torch.inf, (1, 2), keepdim=True)
    step.run()
    close(step.delta(), {0: 0.03 * g / size})


@pytest.mark.slow
@pytest.mark.parametrize("steps", range(1, 6))
@pytest.mark.parametrize("method", ORACLES)
def test_every_delta_on_the_way_equals_torch(method, steps, tmp_path):
    """The ascents of K = 5 are those of K = 1 to 4 and one more."""
    norm = FAST[method][1]
    settings = settings_of(method, Case(5, "bert", norm, 0.05, 0.3, None, "filled", True))
    step = Defended(method, dataclasses.replace(settings, steps=steps), tmp_path, rows="filled")
    expected = step.expected()[2]
    step.run()
    close(step.delta(), expected)


@pytest.mark.parametrize(
    "reuse",
    [pytest.param(True, id="reused"), pytest.param(False, id="redrawn", marks=pytest.mark.slow)],
)
@pytest.mark.parametrize(
    "method",
    [pytest.param(m, marks=() if m == "yopo" else pytest.mark.slow) for m in ORACLES],
)
def test_a_step_with_dropout_equals_torch_with_the_same_masks(method, reuse, tmp_path, monkeypatch):
    """Every pass has its masks; YOPO's inner steps have those of the pass before them."""
    settings = settings_of(method, Case(2, "bert", "l2", 0.05, 0.3, None, "filled", True))
    settings = dataclasses.replace(settings, reuse_dropout=reuse)
    step = Defended(method, settings, tmp_path, rows="filled")
    hidden, attention = step.drawn[:2]
    if reuse:
        hidden, attention = ([masks] * step.noise.passes for masks in (hidden, attention))
    dropout = HandedDropout(hidden, attention, step.arrays[0].shape[1])
    monkeypatch.setattr(torch.nn.functional, "dropout", dropout)
    check(step, dropout=dropout)
