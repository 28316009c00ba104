"""Recipes whose offline profile is TextAttack's own but for what it downloads.

Each sample is attacked by TextAttack's own recipe with the sample's random numbers, and has to come
out as the driver's.
"""

import csv
import shutil
from pathlib import Path
from types import SimpleNamespace

import nltk
import pytest

from mindflood.attack import nltk_data
from mindflood.attack.driver.sample import seed_sample
from mindflood.attack.recipes import pwws
from mindflood.attack.runner import attack
from mindflood.attack.textattack_import import textattack
from mindflood.attack.victim.wrapper import Victim
from mindflood.cards.cards import read_card
from mindflood.config.attack import RecipeOptions
from tests.attack_records import assert_same, records
from tests.unit.attack_models import save_classifier

SENTENCES = [
    ("the film is a boring and predictable story without any humor", "negative"),
    ("a warm and funny film with an excellent cast", "positive"),
    ("the dull actors ruin a good story", "negative"),
    ("a charming and moving comedy", "positive"),
    ("an awful mess of a plot", "negative"),
    ("wonderful", "positive"),
]
STOCK = {
    "deepwordbug": textattack.attack_recipes.DeepWordBugGao2018,
    "pruthi": textattack.attack_recipes.Pruthi2019,
    "pwws": textattack.attack_recipes.PWWSRen2019,
}
NAMES = tuple(STOCK)
LETTERS = ("deepwordbug", "pruthi")


@pytest.fixture(autouse=True)
def shipped_synonyms(monkeypatch):
    """TextAttack's PWWS with the shipped synonyms for the WordNet that it would fetch."""
    monkeypatch.setattr(
        textattack.attack_recipes.pwws_ren_2019, "WordSwapWordNet", pwws.SynonymSwap
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Data, and a classifier that knows it by heart."""
    folder = tmp_path_factory.mktemp("sst2")
    for split in ("train", "dev"):
        with (folder / f"{split}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("sentence", "label"), *SENTENCES])
    labels = [int(label == "positive") for _, label in SENTENCES]
    save_classifier(folder / "model", [text for text, _ in SENTENCES], labels)
    return folder


@pytest.fixture(scope="module")
def attacked(folder, tmp_path_factory):
    """Recipe → its folder of results, side by side in this process."""
    outs = {name: tmp_path_factory.mktemp(name) for name in NAMES}
    for name, out in outs.items():
        attack(folder / "model", "sst2", name, out, data=str(folder), at_once=4)
    return outs


@pytest.mark.parametrize("name", NAMES)
def test_as_textattack_s_own_recipe(name, folder, attacked):
    nltk_data.stop_words()
    stock = STOCK[name].build(Victim(folder / "model"))
    found = records(attacked[name], name)
    for index, record in found.items():
        seed_sample(0, index)
        expected = stock.attack(record["original"][0], record["label"])
        stock.clear_cache()
        kind = type(expected).__name__.removesuffix("AttackResult")
        assert {"Successful": "succeeded", "Failed": "failed"}[kind] == record["result"]
        assert record["queries"] == expected.num_queries
        assert record["perturbed"] == [expected.perturbed_result.attacked_text.text]
    assert "succeeded" in {record["result"] for record in found.values()}


@pytest.mark.parametrize("name", NAMES)
def test_its_card_is_as_the_others(name, attacked):
    summary = read_card(attacked[name] / "card.json")["attacks"][f"{name}-offline"]
    assert summary["num_examples"] == len(SENTENCES) == summary["requested"]
    synonyms = ["NLTK's WordNet by WordNet 3.0's synonyms as shipped, inflected as the word is"]
    others = [line for line in summary["replaced"] if "stop words" not in line]
    assert others == (synonyms if name == "pwws" else [])


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_one_by_one_and_in_workers_it_is_the_same(name, folder, attacked, tmp_path):
    for number, how in enumerate(({"at_once": 1}, {"workers": 2})):
        out = tmp_path / str(number)
        attack(folder / "model", "sst2", name, out, data=str(folder), **how)
        assert_same(records(out, name), records(attacked[name], name))


@pytest.mark.parametrize("name", LETTERS)
def test_what_it_does_to_words(name, attacked):
    kinds = set()
    for record in records(attacked[name], name).values():
        before, after = record["original"][0].split(), record["perturbed"][0].split()
        assert len(before) == len(after)
        changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
        edits = sum(nltk.edit_distance(a, b) for a, b in changed)
        kinds |= {len(b) - len(a) for a, b in changed}
        if name == "pruthi":
            assert len(changed) <= 1
            assert all(len(a) >= 4 and (a[0], a[-1]) == (b[0], b[-1]) for a, b in changed)
        else:
            assert edits <= 30
            assert all(nltk.edit_distance(a, b, transpositions=True) == 1 for a, b in changed)
    assert len(kinds) > 1  # letters come, go or change


def test_a_text_of_too_many_words_ends_at_thirty_edits():
    from mindflood.attack.recipes import deepwordbug

    class Firm:
        """Never changes its mind, whatever it reads."""

        model = None

        def __call__(self, texts):
            import torch

            shares = [1 / (2 + len(text)) for text in texts]
            return torch.tensor([[0.9 - share / 10, 0.1 + share / 10] for share in shares])

    built = deepwordbug.offline(Firm(), RecipeOptions())
    seed_sample(0, 0)
    text = " ".join(["predictable", "wonderful", "charming", "terrible"] * 15)
    found = built.attack.attack(text, 0).perturbed_result.attacked_text.text
    assert nltk.edit_distance(text, found) <= 30


@pytest.mark.parametrize("name", LETTERS)
def test_the_paper_s_profile_is_textattack_s_own(name):
    from mindflood.attack.recipes.build import recipe_module

    nltk_data.stop_words()
    victim = SimpleNamespace(model=None)
    found = recipe_module(name).paper(victim, RecipeOptions())
    assert str(found.attack) == str(STOCK[name].build(victim))
    assert found.replaced == ()
    offline = recipe_module(name).offline(victim, RecipeOptions())
    assert str(offline.attack) == str(found.attack)


@pytest.mark.parametrize(
    ("word", "there"),
    [("film", "movie"), ("films", "movies"), ("purchased", "bought"), ("bigger", "larger")],
)
def test_synonyms_have_the_word_s_form(word, there):
    assert there in pwws.synonyms(word)
    assert word not in pwws.synonyms(word)
    assert pwws.synonyms(word) == sorted(set(pwws.synonyms(word)))


def test_a_word_that_wordnet_lacks_has_no_synonyms():
    assert pwws.synonyms("qwrtz") == []


def test_pwws_keeps_a_word_s_capitals():
    text = textattack.shared.AttackedText("Film FILM film")
    found = {one.text for one in pwws.SynonymSwap()(text)}
    assert {"Movie FILM film", "Film MOVIE film", "Film FILM movie"} <= found


@pytest.fixture
def wordnet(tmp_path, monkeypatch):
    """Debian's WordNet where NLTK looks for its own, with the files that only NLTK's corpus has."""
    debian = Path("/usr/share/wordnet")
    if not (debian / "data.noun").is_file():
        pytest.skip("Debian's package wordnet-base is not installed")
    corpus = tmp_path / "corpora" / "wordnet"
    corpus.mkdir(parents=True)
    for path in debian.glob("*.*"):
        shutil.copy(path, corpus)
    (corpus / "lexnames").write_text("".join(f"{n:02}\tname{n}\t1\n" for n in range(45)))
    for name in ("index.sense", "README", "LICENSE"):
        (corpus / name).touch()
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path), *nltk.data.path])
    nltk_data.wordnet.cache_clear()
    yield corpus
    nltk_data.wordnet.cache_clear()


def test_the_paper_s_pwws_is_textattack_s_own_in_one_order(wordnet, monkeypatch):
    from textattack.transformations import WordSwapWordNet

    monkeypatch.setattr(textattack.attack_recipes.pwws_ren_2019, "WordSwapWordNet", WordSwapWordNet)
    asked = []
    monkeypatch.setattr(nltk, "download", lambda *words, **_: asked.append(words))
    assert nltk_data.wordnet() == "found"
    assert {path.name for path in nltk_data.wordnet_files()} == {
        "data.adj", "data.adv", "data.noun", "data.verb"
    }  # fmt: skip
    nltk_data.stop_words()
    victim = SimpleNamespace(model=None)
    found = pwws.paper(victim, RecipeOptions())
    assert asked == []
    stock = textattack.attack_recipes.PWWSRen2019.build(victim)
    text = textattack.shared.AttackedText("the film buys a dull plot")
    ours = [one.text for one in found.attack.transformation(text)]
    assert sorted(ours) == sorted(one.text for one in stock.transformation(text))
    assert "the movie buys a dull plot" in ours
    first = ours[: ours.index("the film bargain a dull plot")]
    assert first == sorted(first)
    assert str(found.attack).replace("WordNetSwap", "WordSwapWordNet") == str(stock)
    assert found.replaced == pwws.ORDER
