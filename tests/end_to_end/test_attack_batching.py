"""Every recipe: each sample's outcome is the same one at a time, side by side and in workers."""

import csv

import pytest

from mindflood.attack.runner import attack
from mindflood.data.sources import load_examples
from mindflood.data.tasks import get_task
from tests.attack_records import assert_same, assert_same_as_textattack, records
from tests.unit.attack_models import save_classifier, save_masked_lm

SENTENCES = [
    ("the film is a boring and predictable story without any humor", "negative"),
    ("a warm and funny film with an excellent cast", "positive"),
    ("the dull actors ruin a good story", "negative"),
    ("a charming and moving comedy", "positive"),
    ("an awful mess of a plot", "negative"),
]
PAIRS = [
    ("a man plays the guitar on a stage", "a musician gives a concert", "entailment"),
    ("the court rejected the appeal", "the appeal was accepted", "not_entailment"),
    ("the company sold its old offices", "the firm bought a building", "not_entailment"),
    ("two children run through the rain", "children are outside", "entailment"),
]
NEWS = [
    ("the minister met the president in the capital", "World"),
    ("the striker scored twice in the final match", "Sports"),
    ("shares fell after the bank cut its forecast", "Business"),
    ("the new software protects computers from viruses", "Sci/Tech"),
]
DATA = {"sst2": SENTENCES, "rte": PAIRS, "ag_news": NEWS}
OPTIONS = {"bert-attack": {"candidates": 6}, "pso": {"max_queries": 200}}
PAIRED = [("textfooler", "both"), ("textfooler", "second"), ("bae", "second"), ("a2t", "both")]
FAST = [("sst2", "textbugger", "both"), ("rte", "textfooler", "second")]
CASES = [
    *FAST,
    ("sst2", "textfooler", "both"),
    ("sst2", "bert-attack", "both"),
    ("sst2", "bae", "both"),
    ("sst2", "a2t", "both"),
    ("sst2", "pso", "both"),
    ("rte", "bae", "second"),
    ("rte", "a2t", "both"),
    ("ag_news", "a2t", "both"),
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Task → its data and a classifier that knows them by heart."""
    found = {}
    for name, rows in DATA.items():
        task, folder = get_task(name), tmp_path_factory.mktemp(name)
        for split in ("train", task.attacked_split):
            with (folder / f"{split}.csv").open("w", newline="") as file:
                csv.writer(file).writerows([(*task.text_columns, "label"), *rows])
        examples = load_examples(task, task.attacked_split, str(folder))
        texts = [row[0] if len(row) == 1 else row for row in examples.texts]
        save_classifier(folder / "model", texts, examples.labels)
        found[name] = folder
    return found


@pytest.fixture(scope="module")
def masked_lm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("masked-lm")
    save_masked_lm(folder)
    return folder


@pytest.fixture(scope="module")
def run(folders, masked_lm):
    def attacked(case, out, **how):
        task, recipe, columns = case
        chosen = OPTIONS.get(recipe, {}) | {"columns": columns} | how
        if recipe in ("bert-attack", "bae"):
            chosen["masked_lm"] = masked_lm
        attack(folders[task] / "model", task, recipe, out, data=str(folders[task]), **chosen)
        return records(out, recipe)

    return attacked


@pytest.fixture(scope="module")
def one_by_one(run, tmp_path_factory):
    """A case → its records, made once."""
    known = {}

    def found(case):
        if case not in known:
            known[case] = run(case, tmp_path_factory.mktemp("alone"), at_once=1)
        return known[case]

    return found


def named(case):
    return " ".join(case)


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=[] if case in FAST else [pytest.mark.slow]) for case in CASES],
    ids=named,
)
def test_side_by_side_as_one_by_one(case, run, one_by_one, tmp_path):
    alone = one_by_one(case)
    assert {record["result"] for record in alone.values()} <= {
        "succeeded", "failed", "out_of_budget", "untouched"
    }  # fmt: skip
    assert sum(record["queries"] for record in alone.values()) > 2 * len(alone)
    assert_same(run(case, tmp_path, at_once=3), alone)
    if case[2] == "second":
        assert all(record["perturbed"][0] == record["original"][0] for record in alone.values())


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=named)
def test_in_two_workers_as_one_by_one(case, run, one_by_one, tmp_path):
    assert_same(run(case, tmp_path, workers=2), one_by_one(case))


@pytest.mark.slow
@pytest.mark.parametrize(
    "case",
    [
        *(("sst2", recipe, "both") for recipe in ("textfooler", "bert-attack", "bae", "a2t")),
        *(("rte", recipe, columns) for recipe, columns in PAIRED),
    ],
    ids=named,
)
def test_as_textattack_s_own_attacker(case, folders, masked_lm, one_by_one, tmp_path):
    """The recipes in which nothing is random."""
    from mindflood.attack.driver.columns import with_columns
    from mindflood.attack.recipes import build_recipe
    from mindflood.attack.victim.wrapper import Victim
    from mindflood.config.attack import RecipeOptions

    name, recipe, columns = case
    options = RecipeOptions(**OPTIONS.get(recipe, {}), masked_lm=masked_lm)
    victim = Victim(folders[name] / "model")
    task = get_task(name)
    built = with_columns(build_recipe(recipe, "offline", victim, options), task, columns)
    found = one_by_one(case)
    assert_same_as_textattack(found, built.attack, tmp_path, task.text_columns)
