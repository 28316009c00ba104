"""Results as TextAttack's CSV log: the same as the log that TextAttack itself wrote."""

import json

import pandas as pd
import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification

from mindflood.attack.driver.sample import SampleAttacker
from mindflood.attack.recipes import BuiltRecipe
from mindflood.attack.results.csv_log import write_csv
from mindflood.attack.results.log_file import check_log
from mindflood.attack.results.metrics import summarise
from mindflood.attack.textattack_import import textattack
from mindflood.attack.victim.wrapper import Victim
from mindflood.cli import main
from mindflood.config.attack import AttackSettings
from mindflood.data.tasks import get_task
from mindflood.errors import UserError
from tests.unit.attack_models import SHAPE, save_tokenizer

SINGLES = [
    "the film was very good",
    "a bad plot , a dull actor .",
    'the "long" film is not good',
    "the actor was warm",
]
RAISED = {
    "index": 0, "result": "error", "label": 1, "queries": 0, "seconds": 1.0,
    "original": ["a film"], "original_score": None,
}  # fmt: skip
PAIRS = [(text, "the plot is " + text) for text in SINGLES]


class DropOrAdd(textattack.transformations.Transformation):
    """Takes a word away or adds one, so that words move to other places."""

    def _get_transformations(self, current_text, indices_to_modify):
        places = sorted(indices_to_modify)
        fewer = [current_text.delete_word_at_index(at) for at in places if len(places) > 2]
        return fewer + [current_text.insert_text_after_word_index(at, "bad") for at in places]


def a_recipe(victim, transformation):
    attack = textattack.Attack(
        textattack.goal_functions.UntargetedClassification(victim),
        [textattack.constraints.pre_transformation.RepeatModification()],
        transformation,
        textattack.search_methods.GreedySearch(),
    )
    return BuiltRecipe(attack, (), "f")


def swap():
    return textattack.transformations.WordSwapNeighboringCharacterSwap(random_one=False)


@pytest.fixture(scope="module")
def victim(tmp_path_factory):
    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("log")
    config = BertConfig(**{**SHAPE, "num_labels": 2})
    BertForSequenceClassification(config).save_pretrained(folder)
    save_tokenizer(folder)
    return Victim(folder, num_labels=2, device="cpu")


@pytest.mark.parametrize("transformation", [swap, DropOrAdd], ids=["swaps", "moves"])
@pytest.mark.parametrize(("name", "asked"), [("sst2", SINGLES), ("mrpc", PAIRS)])
def test_same_rows_as_textattack_s_own_log(
    victim, name, asked, transformation, tmp_path, monkeypatch
):
    task = get_task(name)
    labels = victim(asked).argmax(1).tolist()
    labels[1] = 1 - labels[1]  # the model is wrong from the start
    samples = list(zip(asked, labels, strict=True))
    monkeypatch.setattr(
        "mindflood.attack.driver.sample.build_recipe",
        lambda *_, **__: a_recipe(victim, transformation()),
    )
    ours = SampleAttacker(AttackSettings(model=str(victim.folder), task=task, recipe="textfooler"))
    texts = [(text,) if isinstance(text, str) else text for text, _ in samples]
    records = [
        ours(row, texts[row], label) | {"seconds": 0.5} for row, (_, label) in enumerate(samples)
    ]
    results = tmp_path / "textfooler.jsonl"
    results.write_text("".join(json.dumps(record) + "\n" for record in reversed(records)))
    (tmp_path / "textfooler.meta.json").write_text(json.dumps({"task": name}))
    assert write_csv(results, tmp_path / "ours.csv") == 0

    columns = task.text_columns if len(task.text_columns) == 2 else ["text"]
    dataset = textattack.datasets.Dataset(samples, input_columns=columns)
    settings = textattack.AttackArgs(
        num_examples=len(samples),
        disable_stdout=True,
        silent=True,
        log_to_csv=str(tmp_path / "theirs.csv"),
        csv_coloring_style="file",
    )
    theirs = a_recipe(victim, transformation()).attack
    textattack.Attacker(theirs, dataset, settings).attack_dataset()
    found, expected = (pd.read_csv(tmp_path / f"{side}.csv") for side in ("ours", "theirs"))
    assert list(expected["result_type"] == "Skipped") == [False, True, False, False]
    assert expected["perturbed_text"].str.contains(r"\[\[").any()
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, atol=1e-6)


class NoSubstitutes(textattack.transformations.WordSwap):
    """Finds nothing for any word, as the recipes' do for a text in a language they do not know."""

    def _get_replacement_words(self, word):
        return []


def test_a_text_that_nothing_can_be_tried_on_is_untouched(victim, tmp_path, monkeypatch):
    """TextAttack's failed attack, after queries that rank its words, says nothing of robustness."""
    goal = textattack.goal_functions.UntargetedClassification(victim)
    search = textattack.search_methods.GreedyWordSwapWIR("delete")
    made = BuiltRecipe(textattack.Attack(goal, [], NoSubstitutes(), search), (), "f")
    monkeypatch.setattr("mindflood.attack.driver.sample.build_recipe", lambda *_, **__: made)
    settings = AttackSettings(model=str(victim.folder), task=get_task("sst2"), recipe="textfooler")
    ours = SampleAttacker(settings)
    label = victim(["这 部 电影 很 好"]).argmax(1).item()
    record = ours(0, ("这 部 电影 很 好",), label) | {"seconds": 0.5}
    assert record["result"] == "untouched"
    assert record["queries"] > 2
    assert summarise([record])["accuracy_under_attack"] is None
    (tmp_path / "bae.jsonl").write_text(json.dumps(record) + "\n")
    (tmp_path / "bae.meta.json").write_text(json.dumps({"task": "sst2"}))
    write_csv(tmp_path / "bae.jsonl", tmp_path / "bae.csv")
    (row,) = pd.read_csv(tmp_path / "bae.csv").to_dict("records")
    assert row["result_type"] == "Failed"


def test_samples_that_raised_are_left_out_and_counted(victim, tmp_path):
    (tmp_path / "bae.jsonl").write_text(json.dumps(RAISED) + "\n")
    (tmp_path / "bae.meta.json").write_text(json.dumps({"task": "sst2"}))
    assert write_csv(tmp_path / "bae.jsonl", tmp_path / "bae.csv") == 1


def test_the_command_line_tells_how_many_are_left_out(victim, tmp_path, monkeypatch, capsys):
    (tmp_path / "bae.jsonl").write_text(json.dumps(RAISED) + "\n")
    (tmp_path / "bae.meta.json").write_text(json.dumps({"task": "sst2"}))
    told = {"fingerprint": "f", "replaced": [], "calibration_error": None}
    monkeypatch.setattr(
        "mindflood.attack.runner.attack_as", lambda *_, **__: summarise([RAISED]) | told
    )
    words = ["attack", "m", "--task", "sst2", "--recipe", "bae", "--out", str(tmp_path)]
    assert main([*words, "--csv", str(tmp_path / "log.csv")]) == 0
    assert "log.csv: 1 samples are left out" in capsys.readouterr().err
    assert (tmp_path / "log.csv").exists()


def test_a_text_without_letters_is_logged_unmarked(victim, tmp_path):
    """TextAttack's own logger stops at it: it asks for the text's language."""
    record = {
        "index": 0, "result": "failed", "label": 0, "queries": 3, "index_map": None,
        "seconds": 0.5, "original": ["1 2 3"], "original_prediction": 0, "original_score": 0.25,
        "perturbed": ["1 4 3"], "perturbed_prediction": 0, "perturbed_score": 0.5,
    }  # fmt: skip
    (tmp_path / "bae.jsonl").write_text(json.dumps(record) + "\n")
    (tmp_path / "bae.meta.json").write_text(json.dumps({"task": "sst2"}))
    assert write_csv(tmp_path / "bae.jsonl", tmp_path / "bae.csv") == 0
    (row,) = pd.read_csv(tmp_path / "bae.csv").to_dict("records")
    assert (row["original_text"], row["perturbed_text"]) == ("1 2 3", "1 4 3")
    assert (row["result_type"], row["perturbed_score"]) == ("Failed", 0.5)


def test_no_cell_of_the_log_is_a_formula_or_an_escape(tmp_path):
    record = {
        "index": 0, "result": "failed", "label": 0, "queries": 3, "seconds": 1.0,
        "index_map": None,
        "original": ["=HYPERLINK(a) is good"], "original_prediction": 0, "original_score": 0.25,
        "perturbed": ["@SUM is \x1b[31m bad"], "perturbed_prediction": 0, "perturbed_score": 0.5,
    }  # fmt: skip
    (tmp_path / "bae.jsonl").write_text(json.dumps(record) + "\n")
    (tmp_path / "bae.meta.json").write_text(json.dumps({"task": "sst2"}))
    write_csv(tmp_path / "bae.jsonl", tmp_path / "bae.csv")
    (row,) = pd.read_csv(tmp_path / "bae.csv").to_dict("records")
    assert row["original_text"].startswith("'=")  # TextAttack marks the words that differ
    assert row["perturbed_text"].startswith("'@")
    assert "\x1b" not in row["perturbed_text"]
    assert row["perturbed_score"] == 0.5


def test_results_that_are_not_there(tmp_path):
    with pytest.raises(UserError, match=r"pso.jsonl: no such results"):
        write_csv(tmp_path / "pso.jsonl", tmp_path / "pso.csv")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1"])
def test_no_cell_is_run_as_a_formula(victim, tmp_path, text):
    """A spreadsheet that opens the log shows such a text and does not compute it."""
    record = RAISED | {
        "result": "skipped", "original": [text], "original_prediction": 0, "original_score": 0.5
    }  # fmt: skip
    (tmp_path / "bae.jsonl").write_text(json.dumps(record) + "\n")
    (tmp_path / "bae.meta.json").write_text(json.dumps({"task": "sst2"}))
    write_csv(tmp_path / "bae.jsonl", tmp_path / "bae.csv")
    (row,) = pd.read_csv(tmp_path / "bae.csv").to_dict("records")
    assert row["original_text"] == row["perturbed_text"] == f"'{text}"


def test_a_log_takes_the_place_of_a_log_only(victim, tmp_path):
    (tmp_path / "bae.jsonl").write_text(json.dumps(RAISED) + "\n")
    (tmp_path / "bae.meta.json").write_text(json.dumps({"task": "sst2"}))
    log = tmp_path / "bae.csv"
    for content in (None, ""):
        if content is not None:
            log.write_text(content)
        write_csv(tmp_path / "bae.jsonl", log)
    assert check_log(log) is None
    data = tmp_path / "reviews.csv"
    data.write_text("text,label\na film,1\n")
    with pytest.raises(UserError, match=r"reviews.csv: is there, and is no log of an attack"):
        write_csv(tmp_path / "bae.jsonl", data)
    assert data.read_text() == "text,label\na film,1\n"
