"""Which models' adversarial texts compare, and what becomes of them, without asking a model."""

import json
import re
import subprocess
import sys

import pytest

from mindflood.analyse.subject import subject
from mindflood.analyse.transfer import _outcome, _perturbed, comparable
from mindflood.attack.victim.folder import model_fingerprint
from mindflood.cards.cards import write_card
from mindflood.cli import main
from mindflood.errors import UserError
from tests.unit.report_runs import a_card, lines

KEY = "textfooler-offline"
RESULTS = ("succeeded", "failed", "succeeded", "skipped", "out_of_budget", "error")


def a_record(index, result, name="", **changes):
    label = index % 2
    found = {
        "index": index,
        "result": result,
        "label": label,
        "original": [f"text {index}"],
        "original_prediction": 1 - label if result == "skipped" else label,
        "queries": 3,
        "seconds": 0.1,
    }
    if result in ("succeeded", "failed"):
        found |= {"perturbed": [f"{name} {index}"]}
        found |= {"perturbed_prediction": 1 - label if result == "succeeded" else label}
    if result == "error":
        found["original_prediction"] = None
    return found | changes


def a_run(folder, results=RESULTS, recipe="textfooler", **changes):
    """A RUN folder whose attack came out as ``results``; its model is none that can be asked."""
    model = folder / "model"
    model.mkdir(parents=True, exist_ok=True)
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_text(folder.name)
    if not (folder / "card.json").exists():
        write_card(folder / "card.json", a_card())
    identity = {
        "model": model_fingerprint(model),
        "task": "sst2",
        "recipe": recipe,
        "profile": "offline",
        "fingerprint": f"of {recipe}",
        "examples": "the texts",
        "num_examples": len(results),
        "calibration": None,
    } | changes
    records = [a_record(index, result, folder.name) for index, result in enumerate(results)]
    lines(folder / "attacks" / f"{recipe}.jsonl", records)
    (folder / "attacks" / f"{recipe}.meta.json").write_text(json.dumps(identity))
    return folder


@pytest.fixture
def runs(tmp_path):
    return [a_run(tmp_path / "sst2" / name) for name in ("one", "two", "three")]


def compared(*runs):
    return comparable([subject(str(run)) for run in runs])


def test_what_becomes_of_the_others_texts(tmp_path):
    own = a_run(
        tmp_path / "own",
        ("failed", "failed", "failed", "succeeded", "skipped", "out_of_budget", "error", "failed"),
    )
    one = a_run(
        tmp_path / "one",
        ("succeeded", "succeeded", "failed", "succeeded", "succeeded", "succeeded", "succeeded",
         "failed"),
    )  # fmt: skip
    two = a_run(
        tmp_path / "two",
        ("succeeded", "failed", "succeeded", "failed", "failed", "failed", "failed", "skipped"),
    )
    names = {run.name: f"{tmp_path.name}/{run.name}" for run in (own, one, two)}
    attacked = compared(own, one, two)
    mine = attacked.pop(names["own"])
    # Tried: where the model is right and the others succeeded. 4 was wrong, 6 raised an error.
    assert _perturbed(mine, attacked) == [
        ("one 0",), ("one 1",), ("one 3",), ("one 5",), ("two 0",), ("two 2",)
    ]  # fmt: skip
    wrong, right = {0: 1, 1: 0, 2: 1, 3: 0, 5: 0}, {0: 0, 1: 1, 2: 0, 3: 1, 5: 1}
    predicted = {
        ("one 0",): wrong[0], ("one 1",): right[1], ("one 3",): wrong[3], ("one 5",): wrong[5],
        ("two 0",): wrong[0], ("two 2",): wrong[2],
    }  # fmt: skip
    assert _outcome(mine[KEY], KEY, attacked, predicted) == {
        "fingerprint": "of textfooler",
        "num_examples": 6,  # without the one out of budget and the error
        "held": 4,  # 0, 1, 2, 7
        "fell": 2,  # 0 to both, 2 to the second
        "from": {
            names["one"]: {"tried": 4, "fooled": 3},
            names["two"]: {"tried": 2, "fooled": 2},
        },
    }


def test_attacks_that_not_all_have_are_left_out(runs):
    a_run(runs[0], recipe="bae")
    assert {tuple(attacks) for attacks in compared(*runs).values()} == {(KEY,)}


def refused(message, *runs):
    with pytest.raises(UserError, match=re.escape(message)):
        compared(*runs)


def test_one_run_alone(runs):
    refused("one model alone; give two or more", runs[0])


def test_a_run_twice(runs):
    refused("give each model once", runs[0], runs[0])


def test_a_run_without_attacks_names_the_command(runs):
    for path in (runs[1] / "attacks").iterdir():
        path.unlink()
    refused(
        f"{runs[1]}: no attack in {runs[1]}/attacks; make one with: mindflood attack {runs[1]} "
        f"--task sst2 --recipe textfooler --out {runs[1]}/attacks",
        *runs,
    )


def test_runs_without_a_common_attack_name_the_command(tmp_path, runs):
    other = a_run(tmp_path / "sst2" / "four", recipe="bae")
    refused(
        f"{other}: no attack that the models before it have (textfooler-offline); make one with: "
        f"mindflood attack {other} --task sst2 --recipe textfooler --out {other}/attacks",
        *runs,
        other,
    )


def test_another_task(runs):
    write_card(runs[1] / "card.json", a_card(task="mr"))
    refused("a model of task mr (negative, positive)", *runs)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("examples", "others", "on other texts than"),
        ("fingerprint", "new", "on another recipe than"),
        ("columns", "first", "on other columns than"),
        ("model", "abc", "an attack on another model (fingerprint abc)"),
        ("num_examples", 99, "the attack is unfinished (6 of 99 texts)"),
        ("shard", "1/2", "share 1/2 of an attack"),
    ],
)
def test_attacks_that_do_not_compare(runs, key, value, message):
    meta = runs[1] / "attacks" / "textfooler.meta.json"
    meta.write_text(json.dumps(json.loads(meta.read_text()) | {key: value}))
    refused(message, *runs)


def test_a_refusal_is_one_line_and_leaves_the_cards(runs, capsys):
    a_run(runs[2], examples="others")
    cards = [(run / "card.json").read_bytes() for run in runs]
    assert main(["analyse", "transfer", *map(str, runs)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert [(run / "card.json").read_bytes() for run in runs] == cards


def test_a_refusal_does_not_wait_for_torch(runs):
    program = f"""
import sys
from mindflood.cli import main
status = main(["analyse", "transfer", {str(runs[0])!r}])
print(status, "torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["2", "False"], done.stderr
