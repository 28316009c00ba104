"""The user's choice of the text of a pair that may change."""

import dataclasses
import os

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification

from mindflood.attack.driver.columns import with_columns
from mindflood.attack.driver.sample import SampleAttacker
from mindflood.attack.recipes import BuiltRecipe
from mindflood.attack.settings import asked, check_together, protected_column
from mindflood.attack.textattack_import import textattack
from mindflood.attack.victim.wrapper import Victim
from mindflood.config.attack import AttackSettings
from mindflood.data.sources import load_examples
from mindflood.data.tasks import TASKS, get_task
from mindflood.errors import UserError
from tests.unit.attack_models import SHAPE, save_tokenizer

DATA = os.environ.get("MINDFLOOD_DATA")
PAIRS = [name for name, task in TASKS.items() if len(task.text_columns) == 2]
INVENTED = [
    ("the film was very good", "a good film"),
    ("the plot is not very long , the actor was bad .", "the plot is short . the actor was dull"),
]


def real_pairs(name):
    """Rows of the benchmark where it is there, else of our own."""
    if DATA and os.path.isdir(os.path.join(DATA, name)):
        examples = load_examples(get_task(name), "dev", os.path.join(DATA, name), limit=8)
        return list(examples.texts)
    return INVENTED


@pytest.fixture(scope="module")
def victim(tmp_path_factory):
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("pairs")
    config = BertConfig(**{**SHAPE, "num_labels": 2})
    BertForSequenceClassification(config).save_pretrained(folder)
    save_tokenizer(folder)
    return Victim(folder, num_labels=2, device="cpu")


def a_recipe(victim):
    """Swaps two letters of any word: every column is open to it."""
    attack = textattack.Attack(
        textattack.goal_functions.UntargetedClassification(victim),
        [textattack.constraints.pre_transformation.RepeatModification()],
        textattack.transformations.WordSwapNeighboringCharacterSwap(random_one=False),
        textattack.search_methods.GreedyWordSwapWIR(wir_method="delete"),
    )
    return BuiltRecipe(attack, (), "0123456789abcdef")


@pytest.mark.parametrize("name", ["mrpc", "qnli"])
@pytest.mark.parametrize("columns", ["both", "first", "second"])
def test_candidates_change_the_chosen_columns_only(victim, name, columns):
    task = get_task(name)
    attack = with_columns(a_recipe(victim), task, columns).attack
    changed = set()
    for texts in real_pairs(name):
        named = dict(zip(task.text_columns, texts, strict=True))
        before = textattack.shared.AttackedText(textattack.shared.attacked_text.OrderedDict(named))
        for after in attack.get_transformations(before, original_text=before):
            assert list(after._text_input) == list(task.text_columns)
            changed |= {key for key in named if after._text_input[key] != named[key]}
    first, second = task.text_columns
    assert changed == {"both": {first, second}, "first": {first}, "second": {second}}[columns]


@pytest.mark.parametrize("columns", ["first", "second"])
def test_a_whole_attack_leaves_the_other_text_alone(victim, columns, monkeypatch):
    monkeypatch.setattr(
        "mindflood.attack.driver.sample.build_recipe", lambda *_, **__: a_recipe(victim)
    )
    settings = AttackSettings(
        model=str(victim.folder), task=get_task("mrpc"), recipe="textfooler", columns=columns
    )
    attacker = SampleAttacker(settings)
    protected = 1 if columns == "first" else 0
    moved = 0
    for row, texts in enumerate(real_pairs("mrpc")[:3]):
        label = int(victim([texts]).argmax())
        record = attacker(row, texts, label)
        assert record["error"] is None
        assert record["perturbed"][protected] == texts[protected]
        moved += record["perturbed"][1 - protected] != texts[1 - protected]
    assert moved > 0


@pytest.mark.parametrize("name", PAIRS)
def test_stock_recipes_protect_no_column_of_ours(name):
    """TextAttack protects 'premise' where the columns are exactly premise and hypothesis."""
    assert set(get_task(name).text_columns).isdisjoint({"premise", "hypothesis"})
    assert protected_column(get_task(name), "both") is None


def test_each_choice_has_a_fingerprint_of_its_own(victim):
    task = get_task("mrpc")
    found = {
        choice: with_columns(a_recipe(victim), task, choice).fingerprint
        for choice in ("both", "first", "second")
    }
    assert found["both"] == "0123456789abcdef"
    assert len(set(found.values())) == 3
    assert with_columns(a_recipe(victim), task, "second").fingerprint == found["second"]


def test_choices_that_do_not_fit():
    named = {"model": "model", "task": "mrpc", "recipe": "textfooler"}
    with pytest.raises(UserError, match=r"--columns: unknown 'secnd'; did you mean 'second'"):
        asked(named | {"columns": "secnd"})
    check_together(asked(named | {"columns": "second"}))
    single = asked(named | {"task": "sst2", "columns": "first"})
    with pytest.raises(UserError, match="task sst2 has a single text"):
        check_together(single)
    check_together(dataclasses.replace(single, columns="both"))
