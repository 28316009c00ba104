"""A training step of every defence on MPNet, DistilBERT and ELECTRA against PyTorch's.

MPNet's positions and bias, DistilBERT's missing dropout and ELECTRA's narrower words are what a
defence could get wrong: δ is a word's, while YOPO's p and InfoBERT's critic are of states.
"""

import dataclasses

import pytest
import torch

from tests.oracle import test_freeat
from tests.oracle.defended_step import Defended, HandedDropout, check
from tests.oracle.encoders import KINDS
from tests.oracle.test_defences import FAST, Case, settings_of

NEW = KINDS[2:]
CHEAP = {("yopo", "electra"), ("tavat", "electra"), ("infobert", "mpnet"), ("pgd", "distilbert")}
PAIRS = [
    pytest.param(
        method, kind, id=f"{method}-{kind}",
        marks=() if (method, kind) in CHEAP else pytest.mark.slow,
    )
    for method in FAST
    for kind in NEW
]  # fmt: skip


def a_case(kind: str) -> Case:
    return Case(2, kind, "l2", 0.05, 0.3, 9.0, "filled", True)


@pytest.mark.parametrize(("method", "kind"), PAIRS)
def test_a_step_equals_torch(method, kind, tmp_path):
    settings = settings_of(method, a_case(kind))
    check(Defended(method, settings, tmp_path, kind=kind, rows="filled", level=9.0))


@pytest.mark.slow
@pytest.mark.parametrize("kind", NEW)
@pytest.mark.parametrize("method", FAST)
def test_a_step_with_dropout_equals_torch_with_the_same_masks(method, kind, tmp_path, monkeypatch):
    settings = dataclasses.replace(settings_of(method, a_case(kind)), reuse_dropout=False)
    step = Defended(method, settings, tmp_path, kind=kind, rows="filled")
    dropout = HandedDropout(*step.drawn[:2], step.arrays[0].shape[1], kind)
    monkeypatch.setattr(torch.nn.functional, "dropout", dropout)
    check(step, dropout=dropout)


@pytest.mark.slow
@pytest.mark.parametrize("kind", NEW)
def test_freeats_replays_equal_torch(kind, tmp_path):
    test_freeat.check(test_freeat.FreeAT(a_case(kind), tmp_path))
