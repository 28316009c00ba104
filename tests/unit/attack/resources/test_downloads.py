"""A user's mistakes, told before TextAttack is imported."""

import json
import subprocess
import sys
from importlib import resources

import pytest

from mindflood.attack.chosen import choose_rows
from mindflood.attack.resources import downloads
from mindflood.attack.resources.downloads import check_available
from mindflood.attack.runner import attack
from mindflood.attack.victim.folder import model_fingerprint, model_folder
from mindflood.config.recipes import RECIPES
from mindflood.data.tasks import get_task
from mindflood.errors import UserError


def a_model(folder, *files):
    folder.mkdir(parents=True)
    for name in files:
        (folder / name).write_text("{}")
    return folder


@pytest.mark.parametrize(
    ("recipe", "profile", "message"),
    [
        ("textfoler", "offline", "did you mean 'textfooler'"),
        ("nothing", "offline", r"no such recipe \(known: textfooler"),
        ("textfooler", "online", "did you mean 'offline'.*known: offline, paper"),
    ],
    ids=["near recipe", "far recipe", "profile"],
)
def test_unknown_names_list_the_known(recipe, profile, message):
    with pytest.raises(UserError, match=message):
        check_available(recipe, profile)


def test_paper_names_each_missing_piece_and_its_replacement(monkeypatch, tmp_path):
    monkeypatch.setenv("TA_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(downloads, "reachable", lambda url: False)
    with pytest.raises(UserError) as caught:
        check_available("textfooler", "paper")
    for piece in ("counter-fitted word vectors", "Universal Sentence Encoder", "--profile offline"):
        assert piece in str(caught.value)
    for replacement in ("mindflood's table of substitutes", "MiniLM sentence encoder"):
        assert replacement in str(caught.value)


@pytest.mark.parametrize(
    ("recipe", "pieces"),
    [
        ("textbugger", ("counter-fitted word vectors", "Universal Sentence Encoder")),
        ("bert-attack", ("bert-base-uncased", "mindflood masked-lm")),
        ("bae", ("bert-base-uncased", "Universal Sentence Encoder", "mindflood masked-lm")),
        ("a2t", ("counter-fitted word vectors", "stsb-distilbert-base", "MiniLM")),
        ("a2t-mlm", ("bert-base-uncased", "stsb-distilbert-base", "mindflood masked-lm")),
        ("pso", ("HowNet substitutes", "flair part-of-speech tagger", "mindflood's own tagger")),
    ],
)
def test_every_recipe_names_its_own_pieces(monkeypatch, tmp_path, recipe, pieces):
    for variable in ("TA_CACHE_DIR", "TFHUB_CACHE_DIR", "FLAIR_CACHE_ROOT", "HF_HUB_CACHE"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr(downloads, "reachable", lambda url: False)
    monkeypatch.setattr(downloads, "hub_answers", lambda: False)
    monkeypatch.setattr(downloads, "cached", lambda model, files: [])
    with pytest.raises(UserError) as caught:
        check_available(recipe, "paper")
    for piece in pieces:
        assert piece in str(caught.value)


@pytest.mark.parametrize("recipe", ["deepwordbug", "pruthi"])
def test_recipes_of_letters_need_stop_words_only(monkeypatch, recipe):
    monkeypatch.setattr(downloads.nltk_data, "stop_words", lambda **_: "replaced")
    with pytest.raises(UserError, match=r"missing: NLTK stop words .* takes mindflood's own list"):
        check_available(recipe, "paper")
    monkeypatch.setattr(downloads.nltk_data, "stop_words", lambda **_: "found")
    check_available(recipe, "paper")


def test_pwws_needs_wordnet_too(monkeypatch):
    monkeypatch.setattr(downloads.nltk_data, "wordnet", lambda **_: "missing")
    with pytest.raises(UserError, match=r"missing: NLTK WordNet .* which ship with mindflood"):
        check_available("pwws", "paper")


def test_a_budget_is_the_default_for_the_swarm_only():
    budgets = {name: entry.default_query_budget for name, entry in RECIPES.items()}
    assert budgets.pop("pso") == 5000
    assert set(budgets.values()) == {None}


def test_paper_reads_pickles_only_when_allowed():
    pickled = (downloads.Download("NLTK part-of-speech tagger", "a lexicon", pickled=True),)
    missing_nothing = {"NLTK part-of-speech tagger": lambda: ""}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(downloads, "_MISSING", missing_nothing)
        with pytest.raises(UserError, match="--allow-textattack-pickles"):
            downloads.require("textfooler", pickled, allow_pickles=False)
        downloads.require("textfooler", pickled, allow_pickles=True)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ((), "there is no config.json"),
        (("config.json",), "found none"),
        (("config.json", "pytorch_model.bin"), "pytorch_model.bin, a pickle"),
    ],
    ids=["no model", "no weights", "pickle only"],
)
def test_a_folder_that_is_not_a_model(tmp_path, files, message):
    with pytest.raises(UserError, match=message):
        model_folder(a_model(tmp_path / "m", *files))


def test_an_adapter_is_told_from_a_model(tmp_path):
    adapter = a_model(tmp_path / "m", "adapter_model.safetensors")
    (adapter / "adapter_config.json").write_text('{"base_model_name_or_path": "bert-base-cased"}')
    with pytest.raises(UserError, match=r"is an adapter .* of bert-base-cased, not a model; put"):
        model_folder(adapter)


def test_a_missing_folder_is_not_taken_for_a_hub_id(tmp_path):
    with pytest.raises(UserError, match="no such folder"):
        model_folder(tmp_path / "absent")
    assert model_folder("someone/some-model") == "someone/some-model"


def test_a_run_folder_stands_for_the_model_in_it(tmp_path):
    model = a_model(tmp_path / "run" / "model", "config.json", "model.safetensors")
    assert model_folder(tmp_path / "run") == str(model)


def test_fingerprint_follows_the_weights_not_the_place(tmp_path):
    first = a_model(tmp_path / "a", "config.json", "model.safetensors")
    second = a_model(tmp_path / "b", "config.json", "model.safetensors")
    assert model_fingerprint(first) == model_fingerprint(second)
    (second / "model.safetensors").write_text("other")
    assert model_fingerprint(first) != model_fingerprint(second)


@pytest.mark.parametrize(
    "name",
    ["special_tokens_map.json", "added_tokens.json", "vocab.json", "vocab.txt", "spiece.model"],
)
def test_fingerprint_follows_every_file_of_the_tokenizer(tmp_path, name):
    folder = a_model(tmp_path / "m", "config.json", "model.safetensors", name)
    before = model_fingerprint(folder)
    (folder / name).write_text('{"unk_token": "[MASK]"}')
    assert model_fingerprint(folder) != before


def test_a_smaller_sample_is_part_of_a_larger_one():
    task = get_task("sst2")
    small, large = choose_rows(1000, task, 50, seed=3), choose_rows(1000, task, 200, seed=3)
    assert set(small) < set(large)
    assert len(set(large)) == 200
    assert list(small) == sorted(small)
    assert list(choose_rows(1000, task, 50, seed=4)) != list(small)


@pytest.mark.parametrize(
    ("name", "size"), [("sst2", 2000), ("ag_news", 800)], ids=["whole split", "sample of 800"]
)
def test_the_paper_s_sample_is_the_default(name, size):
    assert len(choose_rows(2000, get_task(name), None, seed=0)) == size


@pytest.mark.parametrize("count", [0, -1])
def test_zero_samples_are_refused(count):
    with pytest.raises(UserError, match="expected 1 or more"):
        choose_rows(10, get_task("sst2"), count, seed=0)


def test_a_mistake_is_told_without_importing_torch(tmp_path):
    program = f"""
import sys, json
from mindflood.attack import command
from mindflood.attack.runner import attack
from mindflood.errors import UserError
try:
    attack({str(tmp_path)!r}, "corpus", "textfooler", {str(tmp_path / "out")!r})
except UserError as error:
    print(json.dumps([str(error), [m for m in ("torch", "textattack") if m in sys.modules]]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    message, imported = json.loads(done.stdout)
    assert "there is no config.json" in message
    assert imported == []
    assert not (tmp_path / "out").exists()


def test_unknown_task(tmp_path):
    with pytest.raises(UserError, match="did you mean 'sst2'"):
        attack(tmp_path, "sst-2", "textfooler", tmp_path / "out")


def test_a_recipe_is_one_file_and_one_row():
    folder = resources.files("mindflood.attack.recipes")
    files = {
        path.name.removesuffix(".py") for path in folder.iterdir() if path.name.endswith(".py")
    }
    named = {name.replace("-", "_") for name in RECIPES}
    assert files - named == {"__init__", "build", "parts"}
    assert named <= files
    assert len({entry.title for entry in RECIPES.values()}) == len(RECIPES)
