"""The victim: TextAttack's own wrapper's logits, without its padding."""

import dataclasses
import json
import shutil

import pytest
import torch
import transformers
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    BertConfig,
    BertForSequenceClassification,
    BertModel,
)

from mindflood.attack.driver.sample import SampleAttacker
from mindflood.attack.textattack_import import textattack
from mindflood.attack.victim import buckets
from mindflood.attack.victim.wrapper import Victim
from mindflood.config.attack import AttackSettings
from mindflood.data.class_names import check_label_order
from mindflood.data.tasks import get_task
from mindflood.errors import UserError
from tests.unit.attack_models import LONGEST, SHAPE, save_tokenizer

TEXTS = [
    "the film was very good",
    "bad",
    "",
    "the plot is not very long , the actor was not very good .",
    "the unknown film was dull " * 12,
]
PAIRS = [(a, b) for a, b in zip(TEXTS, reversed(TEXTS), strict=True)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("victim")
    BertForSequenceClassification(BertConfig(**SHAPE)).save_pretrained(path)
    save_tokenizer(path)
    return path


@pytest.fixture(scope="module")
def victim(folder):
    return Victim(folder, num_labels=3, device="cpu")


@pytest.mark.parametrize("texts", [TEXTS, PAIRS], ids=["single", "pairs"])
def test_same_logits_as_textattack_s_wrapper(victim, texts):
    stock = textattack.models.wrappers.HuggingFaceModelWrapper(victim.model, victim.tokenizer)
    ours, theirs = victim(texts), stock(texts)
    assert ours.shape == (len(texts), 3)
    assert ours.dtype == torch.float32
    assert (theirs.max(0).values - theirs.min(0).values).min() > 0.1  # the texts do differ
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_a_pair_given_as_a_list_is_a_pair(victim):
    torch.testing.assert_close(victim([list(pair) for pair in PAIRS]), victim(PAIRS))


def test_the_second_text_of_a_pair_counts(victim):
    one, other = victim([("the film", "was good"), ("the film", "was bad")])
    assert (one - other).abs().max() > 1e-3


@pytest.mark.parametrize("texts", [TEXTS, PAIRS], ids=["single", "pairs"])
def test_order_is_kept_whatever_the_batches(victim, texts, monkeypatch):
    together = victim(texts)
    monkeypatch.setattr(buckets, "CPU_TOKENS", 1)  # every text a batch of its own
    alone = victim(texts)
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=0)
    torch.testing.assert_close(victim(texts[::-1]), alone.flip(0), atol=0, rtol=0)


def test_evaluation_mode_and_no_gradients_whatever_happened_before(victim):
    before = victim(TEXTS)
    victim.model.train()
    after = victim(TEXTS)
    assert torch.equal(before, after)
    assert not after.requires_grad


@pytest.fixture(scope="module")
def without_dropout(tmp_path_factory):
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("no-dropout")
    shape = SHAPE | {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    BertForSequenceClassification(BertConfig(**shape)).save_pretrained(path)
    save_tokenizer(path)
    return Victim(path, device="cpu")


@pytest.mark.parametrize("text", [*TEXTS, *PAIRS], ids=lambda text: str(text)[:20])
def test_same_gradient_as_textattack_s_wrapper(without_dropout, text):
    """Without dropout the mode makes no difference; TextAttack's wrapper fills up to 24 tokens."""
    victim = without_dropout
    stock = textattack.models.wrappers.HuggingFaceModelWrapper(victim.model, victim.tokenizer)
    theirs, ours = stock.get_grad(text), victim.get_grad(text)
    length = ours["gradient"].shape[0]
    assert ours["ids"].tolist()[0] == theirs["ids"].tolist()[0][:length]
    assert abs(ours["gradient"]).max() > 1e-3
    torch.testing.assert_close(
        torch.tensor(ours["gradient"]),
        torch.tensor(theirs["gradient"][:length]),
        atol=1e-5,
        rtol=1e-3,
    )


def test_the_gradient_is_taken_without_dropout(victim):
    """The model's own dropout is 0.1: in training mode no two gradients are the same."""
    assert victim.model.config.hidden_dropout_prob > 0
    first, again = (victim.get_grad(TEXTS[3])["gradient"] for _ in range(2))
    assert (first == again).all()
    victim.model.train()
    trained = victim.get_grad(TEXTS[3])["gradient"]
    assert victim.model.training
    victim.model.eval()
    assert (first == trained).all()
    assert not victim.model.training


def test_the_gradient_is_that_of_the_loss(victim):
    """Against a finite difference in the direction of the gradient itself."""
    found = victim.get_grad(TEXTS[0])
    gradient = torch.tensor(found["gradient"])
    words = victim.model.get_input_embeddings()(found["ids"]).detach()
    label = victim([TEXTS[0]]).argmax(1)

    def loss(step):
        with torch.no_grad():
            logits = victim.model(inputs_embeds=words + step * gradient).logits
        return torch.nn.functional.cross_entropy(logits.double(), label)

    step = 1e-3 / float(gradient.norm())
    slope = (loss(step) - loss(-step)) / (2 * step)
    assert float(slope) == pytest.approx(float(gradient.square().sum()), rel=0.02)


def test_a_gradient_in_inference_mode_leaves_the_parameters_alone(victim):
    with torch.inference_mode():
        inside = victim.get_grad(TEXTS[0])["gradient"]
    assert (inside == victim.get_grad(TEXTS[0])["gradient"]).all()
    assert all(parameter.grad is None for parameter in victim.model.parameters())


def test_no_text_gives_no_logits(victim):
    assert victim([]).shape == (0, 3)


@pytest.mark.parametrize("kind", ["roberta", "mpnet"])
def test_counted_positions_leave_room_for_the_padding_s(kind, tmp_path):
    shape = {**SHAPE, "max_position_embeddings": LONGEST + 2, "pad_token_id": 1}
    config = AutoConfig.for_model(kind, **shape)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(tmp_path)
    save_tokenizer(tmp_path, longest=512)
    settings = tmp_path / "tokenizer_config.json"
    settings.write_text(
        json.dumps(
            {
                **json.loads(settings.read_text()),
                "model_input_names": ["input_ids", "attention_mask"],
            }
        )
    )
    victim = Victim(tmp_path, device="cpu")
    assert victim.max_length == LONGEST
    assert torch.isfinite(victim(TEXTS)).all()


def test_tokens_for_the_alignment_of_words(victim):
    assert victim.tokenize(["The film"]) == [["[CLS]", "the", "film", "[SEP]"]]


@pytest.mark.parametrize(
    ("names", "task"),
    [
        (("Positive", "Negative"), "sst2"),
        (("POS", "NEG"), "mr"),
        (("NOT-ENTAILMENT", "entailment"), "rte"),
        (("Sports", "World", "sci_tech", "Business"), "ag_news"),
    ],
    ids=["words", "cut short", "spelled in another way", "four"],
)
def test_the_task_s_labels_in_another_order_are_refused(names, task):
    wanted = get_task(task).label_names
    with pytest.raises(UserError) as caught:
        check_label_order("some/model", names, wanted)
    message = str(caught.value)
    assert message.startswith(f"some/model: its labels are 0 = {names[0]}, 1 = {names[1]}")
    assert f"the task's are 0 = {wanted[0]}, 1 = {wanted[1]}" in message
    assert "id2label" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("names", "task"),
    [
        (("NEGATIVE", "POSITIVE"), "sst2"),
        (("neg", "pos"), "sst2"),
        (("LABEL_1", "LABEL_0"), "sst2"),
        (("positive", "LABEL_1"), "sst2"),
        (("positive", "positive"), "sst2"),
        (("good", "bad"), "sst2"),
        (("p", "n"), "sst2"),
        (("not_equivalent", "equivalent"), "mrpc"),
    ],
    ids=str,
)
def test_labels_in_the_task_s_order_or_of_other_names_pass(names, task):
    check_label_order("some/model", names, get_task(task).label_names)


@pytest.mark.parametrize(
    ("names", "task", "said"),
    [
        (("negative", "positive"), "mrpc", "as those of task sst2, imdb, mr, yelp, corpus"),
        (("entailment", "not_entailment"), "sst2", "as those of task qnli, rte, wnli"),
        (("acceptable", "unacceptable"), "mrpc", "as those of task cola"),
    ],
    ids=str,
)
def test_labels_of_another_task_are_refused(names, task, said):
    with pytest.raises(UserError, match=f"{said}; the task's here are 0 = .*--task"):
        check_label_order("some/model", names, get_task(task).label_names)


def test_an_attack_looks_at_the_order_of_the_labels(folder, tmp_path):
    model = shutil.copytree(folder, tmp_path / "model")
    config = json.loads((model / "config.json").read_text())
    named = {"0": "contradiction", "1": "entailment", "2": "neutral"}
    (model / "config.json").write_text(json.dumps(config | {"id2label": named}))
    task = dataclasses.replace(
        get_task("sst2"), label_names=("entailment", "neutral", "contradiction")
    )
    with pytest.raises(UserError, match="0 = contradiction, 1 = entailment, 2 = neutral, and the"):
        SampleAttacker(AttackSettings(model=str(model), task=task, recipe="textfooler"))


def test_labels_that_do_not_fit_the_task(folder):
    with pytest.raises(UserError, match="the model has 3 labels and the task has 2"):
        Victim(folder, num_labels=2)


def damaged(folder, tmp_path, change):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    change(copy)
    return copy


def truncate(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])


def without_head(folder):
    BertModel(BertConfig(**SHAPE)).save_pretrained(folder)


def other_shape(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "hidden_size": 64}))


def not_json(folder):
    (folder / "config.json").write_text("{")


def without_tokenizer(folder):
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        (folder / name).unlink(missing_ok=True)


def without_vocabulary(folder):
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}')


def fewer_rows(folder):
    BertForSequenceClassification(BertConfig(**SHAPE | {"vocab_size": 9})).save_pretrained(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (truncate, "cannot be loaded as a classifier"),
        (without_head, "not a trained classifier"),
        (other_shape, "cannot be loaded as a classifier"),
        (not_json, r"config\.json: expected a JSON file"),
        (without_tokenizer, "a model without a tokenizer; save the one"),
        (without_vocabulary, "its vocabulary file is missing"),
        (fewer_rows, r"its tokenizer knows \d+ tokens and the model has embeddings for 9"),
    ],
)
def test_a_damaged_folder_is_one_line(folder, tmp_path, change, message):
    with pytest.raises(UserError, match=message) as caught:
        Victim(damaged(folder, tmp_path, change))
    assert "\n" not in str(caught.value)


SMALL = {"vocab_size": SHAPE["vocab_size"], "num_labels": 3, "initializer_range": 0.5}
OTHERS = {
    "distilbert": (
        transformers.DistilBertForSequenceClassification,
        transformers.DistilBertConfig(
            **SMALL, dim=32, hidden_dim=64, n_layers=2, n_heads=4, max_position_embeddings=LONGEST
        ),
    ),
    "xlnet": (
        transformers.XLNetForSequenceClassification,
        transformers.XLNetConfig(**SMALL, d_model=32, n_layer=2, n_head=4, d_inner=64),
    ),
    "gpt2": (
        transformers.GPT2ForSequenceClassification,
        transformers.GPT2Config(
            **SMALL, n_embd=32, n_layer=2, n_head=4, n_positions=LONGEST, pad_token_id=None
        ),
    ),
}


def other_architecture(folder, name):
    """A random model of another architecture, with a tokenizer that emits BERT's inputs."""
    torch.manual_seed(0)
    network, config = OTHERS[name]
    network(config).save_pretrained(folder)
    save_tokenizer(folder)
    if name == "xlnet":  # it answers at the last token: its tokenizer pads on the left
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, padding_side="left")
        tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("texts", [TEXTS, PAIRS], ids=["single", "pairs"])
@pytest.mark.parametrize("name", OTHERS)
def test_another_architecture_answers_as_it_does_without_padding(tmp_path, name, texts):
    """Whatever it is padded with, a text's logits are those of its own tokens alone."""
    folder = other_architecture(tmp_path, name)
    victim = Victim(folder, num_labels=3, device="cpu")
    assert 12 < victim.max_length <= 512
    network, _ = OTHERS[name]
    plain = network.from_pretrained(folder).eval()
    unknown = {"distilbert": {"token_type_ids"}}.get(name, set())
    found = victim(texts)
    for text, logits in zip(texts, found, strict=True):
        sides = [[text]] if isinstance(text, str) else [[side] for side in text]
        encoded = victim.tokenizer(*sides, truncation=True, max_length=victim.max_length)
        kept = {key: torch.tensor(encoded[key]) for key in encoded.keys() - unknown}
        with torch.no_grad():
            expected = plain(**kept).logits[0]
        torch.testing.assert_close(logits, expected, atol=1e-4, rtol=0)
    assert (found.max(0).values - found.min(0).values).min() > 1e-3  # the texts do differ


@pytest.mark.parametrize("name", OTHERS)
def test_another_architecture_has_a_gradient(tmp_path, name):
    victim = Victim(other_architecture(tmp_path, name), device="cpu")
    found = victim.get_grad(TEXTS[0])
    assert found["gradient"].shape == (found["ids"].shape[1], 32)
    assert abs(found["gradient"]).max() > 1e-5


def test_a_tokenizer_that_cannot_pad_is_refused(tmp_path):
    other_architecture(tmp_path, "gpt2")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    tokenizer.pad_token = None
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"no padding token; set tokenizer\.pad_token"):
        Victim(tmp_path, device="cpu")


def test_a_model_that_cannot_be_asked_is_one_line(tmp_path):
    """A model of single texts that is given pairs: it has no second segment."""
    config = BertConfig(**SHAPE | {"type_vocab_size": 1})
    BertForSequenceClassification(config).save_pretrained(tmp_path)
    save_tokenizer(tmp_path)
    victim = Victim(tmp_path, device="cpu")
    with pytest.raises(UserError, match="cannot be asked: IndexError") as caught:
        victim.try_out(columns=2)
    assert "\n" not in str(caught.value)


def test_a_model_that_answers_nan_is_refused(folder, tmp_path):
    victim = Victim(folder, device="cpu")
    victim.try_out(columns=2)
    with torch.no_grad():
        victim.model.classifier.bias[0] = float("nan")
    with pytest.raises(UserError, match="no finite numbers"):
        victim.try_out(columns=1)
