"""The paper profile where downloads are half here, cut short, pickled, or others than before."""

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType, SimpleNamespace

import huggingface_hub
import pytest
import torch
from sentence_transformers import SentenceTransformer
from transformers import AutoModelForMaskedLM, BertConfig, BertForMaskedLM

from mindflood.attack import nltk_data
from mindflood.attack.driver.own_copy import own_copy
from mindflood.attack.recipes import build, textfooler
from mindflood.attack.recipes.parts import Assembled
from mindflood.attack.resources import downloads, paper_contents
from mindflood.attack.resources.downloads import PIECES
from mindflood.attack.textattack_import import safetensors_only, textattack
from mindflood.config import recipes
from mindflood.config.attack import RecipeOptions
from mindflood.errors import UserError
from tests.unit.attack_models import SHAPE, save_tokenizer

VARIABLES = ("TA_CACHE_DIR", "TFHUB_CACHE_DIR", "FLAIR_CACHE_ROOT")
VECTORS = "word_embeddings/paragramcf"


@pytest.fixture
def caches(tmp_path, monkeypatch):
    """Empty caches, servers and hub that do not answer, and no answer remembered."""
    for name in VARIABLES:
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr(downloads, "reachable", lambda url: False)
    monkeypatch.setattr(downloads, "hub_answers", lambda: False)
    find = huggingface_hub.try_to_load_from_cache
    hub = tmp_path / "hub"
    monkeypatch.setattr(
        huggingface_hub, "try_to_load_from_cache", lambda *names: find(*names, cache_dir=hub)
    )
    paper_contents._content.cache_clear()
    yield tmp_path
    paper_contents._content.cache_clear()


def put(folder, *names, content="first"):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def put_in_hub(caches, model, *names, content="first"):
    """Files of a model as the hub's cache holds them."""
    folder = caches / "hub" / f"models--{model.replace('/', '--')}"
    put(folder, "refs/main", content="abc")
    put(folder / "snapshots" / "abc", *names, content=content)


@pytest.mark.parametrize(
    ("variables", "cache"),
    [
        ({}, Path(tempfile.gettempdir()) / "tfhub_modules"),
        ({"TFHUB_CACHE_DIR": "/tf"}, Path("/tf")),
        ({"TFHUB_CACHE_DIR": "/tf", "TA_CACHE_DIR": "/ta"}, Path("/ta")),  # TextAttack sets it
    ],
    ids=["by itself", "chosen", "TextAttack's"],
)
def test_where_the_sentence_encoder_is_looked_for(monkeypatch, variables, cache):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    # sha1 of https://tfhub.dev/google/universal-sentence-encoder/3
    assert downloads.sentence_encoder_folder() == cache / "42480c3c7f42bf87d36d4c58fc4374b08dae2909"


def test_textattack_s_cache_does_not_become_the_hub_s(tmp_path):
    program = (
        "import os; from mindflood.attack.textattack_import import textattack;"
        "import huggingface_hub.constants as hub;"
        "print(hub.HF_HOME, os.environ['HF_HOME'], os.environ.get('XDG_CACHE_HOME'),"
        "os.environ['TFHUB_CACHE_DIR'])"
    )
    variables = {name: value for name, value in os.environ.items() if name != "XDG_CACHE_HOME"}
    caches = {"TA_CACHE_DIR": str(tmp_path / "ta"), "HF_HOME": str(tmp_path / "hf")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=variables | caches,
        capture_output=True,
        text=True,
    )
    hub, inherited, others, sentence_encoder = done.stdout.split()[-4:]
    assert hub == inherited == caches["HF_HOME"], done.stderr
    assert others == "None"
    assert sentence_encoder == caches["TA_CACHE_DIR"]  # as downloads.py expects


def test_another_module_is_not_the_sentence_encoder(caches, monkeypatch):
    monkeypatch.setattr(downloads.importlib.util, "find_spec", lambda name: name)
    put(caches, hashlib.sha1(b"https://tfhub.dev/another/1").hexdigest() + "/saved_model.pb")
    assert "tfhub.dev is away" in PIECES[recipes.SENTENCE_ENCODER].missing()
    put(downloads.sentence_encoder_folder(), "saved_model.pb")
    assert PIECES[recipes.SENTENCE_ENCODER].missing() == ""


@pytest.mark.parametrize(
    ("piece", "model", "here", "message"),
    [
        (PIECES[recipes.MASKED_LANGUAGE_MODEL], "bert-base-uncased", ["config.json"],
         "model.safetensors is not in the hub's cache"),
        (PIECES[recipes.MASKED_LANGUAGE_MODEL], "bert-base-uncased",
         ["config.json", "tokenizer.json", "pytorch_model.bin"], "model.safetensors is not in"),
        (PIECES[recipes.STS_ENCODER], downloads.STS, ["modules.json", "1_Pooling/config.json"],
         "config.json is not in the hub's cache"),
        (PIECES[recipes.STS_ENCODER], downloads.STS, [],
         "not in the hub's cache, and the hub is away"),
    ],
    ids=["configuration only", "a pickle only", "half an encoder", "nothing"],
)  # fmt: skip
def test_a_model_that_is_half_cached_is_missing(caches, piece, model, here, message):
    put_in_hub(caches, model, *here)
    assert message in piece.missing()


def test_a_model_that_is_cached_whole_is_here(caches):
    put_in_hub(caches, "bert-base-uncased", *downloads.BERT_FILES)
    assert PIECES[recipes.MASKED_LANGUAGE_MODEL].missing() == ""


def test_what_a_failed_download_leaves_is_not_the_piece(caches):
    put(caches, f"{VECTORS}/paragram.npy", "transformations/hownet/word_candidates_sense.pkl.lock")
    put(caches, "models/upos-english-fast/refs/main")
    assert (
        "paragramcf lacks wordlist.pickle: delete the folder" in PIECES[recipes.VECTORS].missing()
    )
    assert "not in TextAttack's cache" in PIECES[recipes.SEMEMES].missing()
    assert "not in flair's cache" in PIECES[recipes.FLAIR_TAGGER].missing()


@pytest.fixture
def pickled(tmp_path):
    """A masked language model whose only weights are a pickle."""
    model = BertForMaskedLM(BertConfig(**SHAPE))
    save_tokenizer(tmp_path)
    model.config.save_pretrained(tmp_path)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    return str(tmp_path)


def test_no_pickled_weights_are_loaded(pickled):
    with safetensors_only():
        with pytest.raises(OSError, match="safetensors"):
            AutoModelForMaskedLM.from_pretrained(pickled)
        with pytest.raises(OSError, match="safetensors"):
            SentenceTransformer(pickled, device="cpu")


def test_safetensors_are_loaded_as_ever(tmp_path):
    model = BertForMaskedLM(BertConfig(**SHAPE))
    model.save_pretrained(tmp_path)
    with safetensors_only():
        again = AutoModelForMaskedLM.from_pretrained(tmp_path)
    assert torch.equal(again.cls.predictions.bias, model.cls.predictions.bias)
    assert again.num_parameters() == model.num_parameters()


def test_a_download_that_is_cut_short_is_one_line(monkeypatch):
    def cut_short(victim, options):
        raise ConnectionError("Connection broken:\nIncompleteRead(1024 bytes read)")

    monkeypatch.setattr(build, "check_available", lambda *_, **__: None)
    monkeypatch.setattr(textfooler, "paper", cut_short)
    with pytest.raises(UserError) as caught:
        build.build_recipe("textfooler", "paper", None, RecipeOptions(allow_pickles=True))
    message = str(caught.value)
    assert message.startswith("textfooler, profile 'paper': TextAttack could not build it: Conn")
    assert "broken: IncompleteRead" in message
    assert "--profile offline" in message
    assert "\n" not in message


def test_the_sentence_encoder_is_loaded_once_for_all_samples(monkeypatch):
    """TextAttack loads it at the first use, and every sample has an attack of its own."""
    encoders = textattack.constraints.semantics.sentence_encoders
    loaded = []

    def load(address):
        loaded.append(address)
        return lambda sentences: {"outputs": torch.ones(len(sentences), 2)}

    hub = SimpleNamespace(load=load)
    monkeypatch.setattr(encoders.universal_sentence_encoder.universal_sentence_encoder, "hub", hub)
    victim = SimpleNamespace(model=None)
    attack = textattack.Attack(
        textattack.goal_functions.UntargetedClassification(victim),
        [encoders.UniversalSentenceEncoder()],
        textattack.transformations.WordSwapQWERTY(),
        textattack.search_methods.GreedySearch(),
    )
    monkeypatch.setattr(build, "check_available", lambda *_, **__: None)
    monkeypatch.setattr(build, "contents", lambda downloads: {})
    monkeypatch.setattr(textfooler, "paper", lambda *_: Assembled(attack))
    built = build.build_recipe("textfooler", "paper", victim).attack
    for copy in (own_copy(built, 10), own_copy(built, 10)):
        (encoder,) = copy.constraints
        assert len(encoder.encode(["one", "two"])) == 2
    assert loaded == ["https://tfhub.dev/google/universal-sentence-encoder/3"]


@pytest.fixture
def everything(caches, monkeypatch):
    """Every piece in its cache; the packages that look there are played."""

    def write(content):
        put(caches, *(f"{VECTORS}/{name}" for name in downloads._VECTORS_FILES), content=content)
        put(downloads.sentence_encoder_folder(), "saved_model.pb", "v/0", content=content)
        put(caches, "tagger.json", "english", "data.noun", content=content)
        put_in_hub(caches, "bert-base-uncased", *downloads.BERT_FILES, content=content)
        put_in_hub(caches, downloads.STS, *downloads.STS_FILES, content=content)
        put(downloads.sememes_file().parent, downloads.sememes_file().name, content=content)
        put(caches, "models/upos-english-fast/s/abc/pytorch_model.bin", content=content)
        paper_contents._content.cache_clear()

    hub = ModuleType("tensorflow_hub")
    hub.resolve = lambda address: str(downloads.sentence_encoder_folder())
    monkeypatch.setitem(sys.modules, "tensorflow_hub", hub)
    monkeypatch.setattr(nltk_data, "tagger_weights", lambda: caches / "tagger.json")
    monkeypatch.setattr(nltk_data, "stop_words_file", lambda: caches / "english")
    monkeypatch.setattr(nltk_data, "wordnet_files", lambda: [caches / "data.noun"])
    monkeypatch.setattr(textattack.shared.utils, "flair_tag", lambda sentence: None)
    return write


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_every_download_of_a_recipe_counts_by_its_content(everything, name):
    pieces = downloads.pieces_of(name)
    found = []
    for content in ("first", "other", "first"):
        everything(content)
        found.append(paper_contents.contents(pieces))
    first, other, again = found
    assert set(first) == {piece.name for piece in pieces}
    assert first == again
    assert all(first[piece] != other[piece] for piece in first)
