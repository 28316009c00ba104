"""Whatever a file holds, its reader gives a value or a UserError: never another exception.

The long version (``-m slow``) tries 100,000 files.
"""

import contextlib
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from mindflood.attack.victim.folder import model_folder
from mindflood.cards.cards import Card, Run, find_runs
from mindflood.cards.records import read_records
from mindflood.errors import UserError
from mindflood.models.config import BertConfig
from mindflood.models.weights import check_shapes, read_weights
from mindflood.pipeline.epochs import epoch_losses
from mindflood.report.examples import examples
from mindflood.report.figures.conditions import by_condition
from mindflood.report.figures.training import read_series
from mindflood.report.page import conditions, report
from mindflood.report.tables.analyses import ball_table, generalisation_table
from mindflood.report.tables.calibration import calibration_table
from mindflood.report.tables.crossings import crossings_table
from mindflood.report.tables.medians import medians_table
from mindflood.report.tables.paper import comparison_table, counts_table, table1, table3, tasks_of
from mindflood.report.tables.render import comma_separated, latex, markdown
from mindflood.training.logs import lines_up_to
from tests.conftest import TINY
from tests.json_faults import damaged, torn, write
from tests.unit.report_runs import a_card, an_attack, an_example

_MEASURED = {"task": "imdb", "accuracy": 0.5, "num_examples": 3}
_PROBE = {
    "level": 0.3, "lower": 0.2, "upper": 0.3, "step": 8, "epoch": 2.0, "sub_epoch": 1,
    "direction": "rising", "source": "accordance", "rule": "crossed", "steps_per_epoch": 4,
    "probe_seconds": 1.0, "first_pass_seconds": 3.0,
}  # fmt: skip
# A card with all that a card can have.
CARD: Any = a_card(
    "flooding-x",
    flood_level=0.3,
    flood_level_source="accordance",
    attacks={
        "textfooler-offline": an_attack(replaced=["USE"], requested=200, seed=0),
        "textfooler-offline-calibrated": an_attack(
            calibration={"temperature": 2.0, "source": "fitted"}, calibration_error=0.1
        ),
    },
    settings={"training.epochs": 3, "training.buckets": [32]},
    data={"train": 100, "test": 20, "words": 9.5},
    accordance=_PROBE,
    search={
        "bounds": {"from": "accordance", **_PROBE},
        "candidates": [{"train_seconds": 3.0, "flood_level": 0.1}],
        "choose_on": "test",
    },
    epochs=[{
        "epoch": 1, "clean_accuracy": 0.5, "train_loss": 0.3, "eval_loss": 0.4,
        "attacks": {"textfooler-offline": an_attack()},
    }],
    analyses={
        "noise": {
            "alpha": [0, 0.1], "loss": [0.2, 0.3], "accuracy": [0.9, 0.8], "num_examples": 3,
            "draws": 1, "seed": 0,
        },
        "ball": {"reference": {
            "max_increment": 0.1, "quartiles": [0.1, 0.2], "natural_loss": 0.1, "radius": 0.2,
            "num_examples": 3, "steps": 2, "restarts": 1, "without_radius": 0,
            "of_largest_radius": 0, "texts": "abc",
        }},
        "generalisation": {"in": _MEASURED, "out": [_MEASURED]},
    },
)  # fmt: skip
TRACE = {
    "step": 4, "epoch": 1.0, "loss": 0.4, "flooding": True, "gradient_norm": 1.0,
    "learning_rate": 1e-4, "eval_loss": 0.5, "eval_accuracy": 0.7, "train_loss": 0.6,
    "accordance": 0.2, "train_seconds": 2.0,
}  # fmt: skip
JOURNAL = an_example("a good film", "a bad film")
CONFIG = {**TINY, "hidden_size": 4, "num_hidden_layers": 1, "intermediate_size": 4,
          "vocab_size": 5, "max_position_embeddings": 4, "id2label": {"0": "no", "1": "yes"},
          "pad_token_id": 0, "classifier_dropout": None}  # fmt: skip
INDEX = {"metadata": {}, "weight_map": {"classifier.bias": "a.safetensors"}}


def show(runs: list[Run]) -> None:
    """All that the report makes of cards, but for its figures."""
    cards: list[Card] = [run.card for run in runs]
    tasks = tasks_of(cards)
    tables = [
        table1(cards, tasks), table3(cards, tasks), counts_table(cards), medians_table(cards),
        calibration_table(cards), ball_table(cards), generalisation_table(cards),
    ]  # fmt: skip
    for table in tables:
        comma_separated(table)
    markdown(*tables)
    latex(*tables)
    conditions(cards)
    by_condition(cards, lambda card: [card["attacks"]])
    Console(file=io.StringIO(), width=100).print(comparison_table(cards))


def a_damaged_card(folder: Path, data: st.DataObject) -> None:
    write(folder / "run" / "card.json", data.draw(damaged(CARD)))
    show(find_runs(folder))


def a_damaged_report(folder: Path, data: st.DataObject) -> None:
    """The whole report, its figures too."""
    write(folder / "run" / "card.json", data.draw(st.one_of(st.just(b""), damaged(CARD))))
    if data.draw(st.booleans()):
        write(folder / "run" / "card.json", json.dumps(CARD).encode())
    for name in ("trace", "evaluations", "accordance", "attacks/textfooler"):
        line = JOURNAL if name.startswith("attacks") else TRACE
        write(folder / "run" / f"{name}.jsonl", data.draw(damaged_lines(line)))
    report(folder)


@st.composite
def damaged_lines(draw: st.DrawFn, line: Any) -> bytes:
    """Lines of a JSON-lines file, one or more of them damaged, perhaps torn at the end."""
    found = [
        draw(st.one_of(st.just(json.dumps(line).encode()), damaged(line)))
        for _ in range(draw(st.integers(1, 3)))
    ]
    return b"\n".join(found) + draw(st.sampled_from([b"\n", b"", b"\n\n", b"\r\n"]))


def a_damaged_trace(folder: Path, data: st.DataObject) -> None:
    path = folder / "trace.jsonl"
    content = data.draw(damaged_lines(TRACE))
    write(path, content)
    write(folder / "evaluations.jsonl", content)
    write(folder / "accordance.jsonl", content)
    readers: list[Callable[[], Any]] = [
        lambda: read_series(path, ("step", "loss", "flooding")),
        lambda: epoch_losses(folder),
        lambda: lines_up_to(path, 3),
        lambda: crossings_table([Run(folder, CARD)]),
    ]
    data.draw(st.sampled_from(readers))()


def a_damaged_journal(folder: Path, data: st.DataObject) -> None:
    path = folder / "attacks" / "textfooler.jsonl"
    write(path, data.draw(damaged_lines(JOURNAL)))
    if data.draw(st.booleans()):
        read_records(path)
    else:
        examples([Run(folder, CARD)])


def a_damaged_model(folder: Path, data: st.DataObject) -> None:
    """A Hugging Face folder: configuration, weights in one file or in shards."""
    import numpy as np
    from safetensors.numpy import save

    write(folder / "config.json", data.draw(damaged(CONFIG)))
    weights = save({"classifier.bias": np.zeros(2, np.float32), "x": np.ones((2, 3), np.float16)})
    if data.draw(st.booleans()):
        write(folder / "model.safetensors", data.draw(torn(weights)))
    else:
        write(folder / "model.safetensors.index.json", data.draw(damaged(INDEX)))
        write(folder / "a.safetensors", data.draw(torn(weights)))
    reader = data.draw(st.sampled_from(["configuration", "weights", "victim"]))
    if reader == "configuration":
        BertConfig.from_folder(folder)
    elif reader == "victim":
        model_folder(folder)
    else:
        check_shapes(folder, read_weights(folder, "bert"), {"bert.classifier.bias": (2,)})


# Reader, how many files the slow version tries, how many the fast one.
READERS: list[tuple[Callable[[Path, st.DataObject], None], int, int]] = [
    (a_damaged_card, 37_000, 60),
    (a_damaged_trace, 30_000, 100),
    (a_damaged_journal, 15_000, 100),
    (a_damaged_model, 15_000, 100),
    (a_damaged_report, 1_000, 5),
]


def fuzz(reader: Callable[[Path, st.DataObject], None], cases: int) -> None:
    @settings(max_examples=cases, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def read(data: st.DataObject) -> None:
        with tempfile.TemporaryDirectory() as folder, contextlib.suppress(UserError):
            reader(Path(folder), data)

    read()


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("reader", "cases"), [(reader, few) for reader, _, few in READERS],
    ids=[reader.__name__ for reader, *_ in READERS],
)  # fmt: skip
def test_a_few_damaged_files(reader: Callable[..., None], cases: int) -> None:
    fuzz(reader, cases)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("reader", "cases"), [(reader, many) for reader, many, _ in READERS],
    ids=[reader.__name__ for reader, *_ in READERS],
)  # fmt: skip
def test_a_great_many_damaged_files(reader: Callable[..., None], cases: int) -> None:
    fuzz(reader, cases)
