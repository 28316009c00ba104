"""Shares, Ray tasks and the calibrated victim: real attacks on one small trained classifier."""

import pytest
import ray
import torch

from mindflood.attack.results.merge import merge_shares
from mindflood.attack.runner import attack
from mindflood.cards.cards import read_card
from mindflood.data.sources import load_examples
from mindflood.data.tasks import get_task
from mindflood.errors import UserError
from tests.attack_records import assert_same, records
from tests.unit.attack_models import save_masked_lm

ROWS, SAMPLES = 64, 5


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Short sentences of the built-in corpus as a folder in SST-2's format."""
    examples = load_examples(get_task("corpus"), "train", limit=20 * ROWS, seed=0)
    rows = zip(examples.texts, examples.labels, strict=True)
    short = [(text, label) for (text,), label in rows if len(text.split()) <= 9][:ROWS]
    lines = ["sentence\tlabel", *(f"{text}\t{label}" for text, label in short)]
    folder = tmp_path_factory.mktemp("data")
    for name in ("dev.tsv", "train.tsv"):
        (folder / name).write_text("\n".join(lines) + "\n")
    return str(folder)


@pytest.fixture(scope="module")
def classifier(data):
    """The embedded encoder with a head that was trained on these sentences, and its tokenizer."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from mindflood.attack.resources.embedded import embedded_encoder

    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(embedded_encoder())
    model = AutoModelForSequenceClassification.from_pretrained(embedded_encoder(), num_labels=2)
    model.eval()
    examples = load_examples(get_task("sst2"), "dev", data)
    texts, labels = [text for (text,) in examples.texts], torch.from_numpy(examples.labels)
    with torch.no_grad():
        inputs = tokenizer(texts, padding=True, return_tensors="pt")
        states = model.bert(**inputs).last_hidden_state[:, :1]
    head = [*model.bert.pooler.parameters(), *model.classifier.parameters()]
    optimizer = torch.optim.Adam(head, 1e-3)
    for _ in range(25):
        logits = model.classifier(model.bert.pooler(states))
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(logits, labels).backward()
        optimizer.step()
    return model, tokenizer


@pytest.fixture(scope="module")
def models(classifier, tmp_path_factory):
    """Folders of the classifier and of the same with its logits times 1000."""
    model, tokenizer = classifier
    plain, extreme = (tmp_path_factory.mktemp(name) for name in ("plain", "extreme"))
    for folder, factor in ((plain, 1), (extreme, 1000)):
        with torch.no_grad():
            model.classifier.weight *= factor
            model.classifier.bias *= factor
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return plain, extreme


@pytest.fixture(scope="module")
def run(data):
    def attack_model(model, out, **options):
        chosen = {"num_examples": SAMPLES, "seed": 1} | options
        return attack(model, "sst2", "pwws", out, data=data, **chosen)

    return attack_model


@pytest.fixture(scope="module")
def whole(models, run, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    return out, run(models[0], out, name="ours")


def without_time(card):
    attacks = {key: {**one, "seconds": None} for key, one in card["attacks"].items()}
    for one in attacks.values():  # of probabilities, whose last bits a batch's size decides
        one["calibration_error"] = pytest.approx(one["calibration_error"], abs=1e-5)
    return {**card, "attacks": attacks}


def test_merged_shares_equal_the_unsharded_attack(models, run, whole, tmp_path):
    for number in (1, 2):
        run(models[0], tmp_path / f"{number}", shard=f"{number}/2", name="ours")
    merge_shares([tmp_path / "1", tmp_path / "2"], tmp_path / "out")
    assert_same(records(tmp_path / "out", "pwws"), records(whole[0], "pwws"))
    card, expected = (read_card(out / "card.json") for out in (tmp_path / "out", whole[0]))
    card["attacks"]["pwws-offline"]["seconds"] = None
    assert card == without_time(expected)
    assert card["encoder"] == "ours"
    sizes = [len(records(tmp_path / name, "pwws")) for name in ("1", "2")]
    assert sizes == [3, 2]


def test_a_share_does_not_go_where_another_is(models, run, tmp_path):
    run(models[0], tmp_path, shard="5/5")
    with pytest.raises(UserError, match="shard is '5/5', here '4/5'"):
        run(models[0], tmp_path, shard="4/5")
    with pytest.raises(UserError, match="shard is '5/5', here None"):
        run(models[0], tmp_path)


@pytest.fixture
def cluster():
    """A Ray cluster of two processes, which is gone after the test."""
    yield ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    ray.shutdown()


@pytest.mark.slow
def test_ray_tasks_give_the_same_records(models, run, whole, cluster, tmp_path):
    run(models[0], tmp_path, ray=True, workers=2, at_once=1)
    assert_same(records(tmp_path, "pwws"), records(whole[0], "pwws"))


def test_extreme_confidence_is_an_illusion_of_robustness(models, run, whole, tmp_path):
    """The same classifier with its logits times 1000 looks robust, until it is calibrated."""
    honest = whole[1]["accuracy_under_attack"]
    extreme = run(models[1], tmp_path)
    assert extreme["calibration_error"] is not None
    assert extreme["accuracy_under_attack"] > honest
    calibrated = run(models[1], tmp_path, temperature="fitted")
    assert calibrated["calibration"]["source"] == "fitted"
    assert calibrated["calibration"]["temperature"] > 100
    assert calibrated["accuracy_under_attack"] == honest
    # Two classes: every temperature ranks the candidates alike, once they can be told apart.
    found = records(tmp_path, "pwws-calibrated")
    for row, record in records(whole[0], "pwws").items():
        for key in ("result", "perturbed", "queries"):
            assert found[row][key] == record[key]
    attacks = read_card(tmp_path / "card.json")["attacks"]
    assert attacks["pwws-offline"] == extreme
    assert attacks["pwws-offline-calibrated"] == calibrated
    assert run(models[1], tmp_path, temperature="fitted") == calibrated  # nothing is done again


def test_a_recipe_that_asks_a_masked_language_model_has_a_temperature_too(models, data, tmp_path):
    save_masked_lm(tmp_path / "masked-lm")
    chosen = {"data": data, "num_examples": 1, "masked_lm": tmp_path / "masked-lm"}
    out = tmp_path / "out"
    summary = attack(models[0], "sst2", "bae", out, temperature="fitted", **chosen)
    assert summary["calibration"]["source"] == "fitted"
    kept = out / "bae-calibrated.temperature.json"
    written = kept.stat().st_mtime_ns
    assert attack(models[0], "sst2", "bae", out, temperature="fitted", **chosen) == summary
    assert kept.stat().st_mtime_ns == written  # the choice is known again


@pytest.mark.slow
def test_the_weakest_temperature_is_no_stronger_than_any_tried(models, run, tmp_path, monkeypatch):
    from mindflood.attack.driver import temperature

    monkeypatch.setattr(temperature, "WEAKEST_ROWS", 3)
    tried = {}
    attacked = temperature._attack

    def remember(settings, samples, workers):
        found = attacked(settings, samples, workers)
        succeeded = sum(record["result"] == "succeeded" for record in found)
        tried[settings.temperature] = succeeded
        return found

    monkeypatch.setattr(temperature, "_attack", remember)
    summary = run(models[1], tmp_path, temperature="weakest", num_examples=1)
    assert len(tried) == 5
    assert tried[summary["calibration"]["temperature"]] == max(tried.values())
    assert summary["calibration"]["rows"] == 3
    tried.clear()
    run(models[1], tmp_path, temperature="weakest", num_examples=1)
    assert not tried  # the choice was kept
