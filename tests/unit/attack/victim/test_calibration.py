"""Temperature and calibration error against independent arithmetic, and the calibrated victim."""

import json
import math
import shutil
from collections import OrderedDict

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import BertConfig, BertForSequenceClassification

from mindflood.attack.held_out import held_out_rows
from mindflood.attack.settings import asked
from mindflood.attack.textattack_import import textattack
from mindflood.attack.victim.calibrated import CalibratedVictim
from mindflood.attack.victim.calibration import (
    calibration_error,
    expected_calibration_error,
    fit_temperature,
)
from mindflood.attack.victim.wrapper import Victim
from mindflood.data.sources import load_examples
from mindflood.data.tasks import get_task
from mindflood.errors import UserError
from tests.unit.attack_models import SHAPE, save_tokenizer

TEXTS = ["the film was very good", "bad", "the plot is not very long , the actor was good ."]


def sampled(rows, classes, seed=0):
    """Logits, and labels drawn from their softmax: calibrated as they are."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (rows, classes))
    likely = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return logits, np.array([random.choice(classes, p=row) for row in likely])


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("scale", [1e-3, 0.5, 1.0, 3.0, 1e3])
def test_a_scaled_model_is_fitted_by_its_scale(classes, scale):
    logits, labels = sampled(4000, classes)
    assert fit_temperature(scale * logits, labels) == pytest.approx(scale, rel=0.08)


@pytest.mark.parametrize("seed", range(3))
def test_no_temperature_of_a_grid_is_likelier(seed):
    logits, labels = sampled(200, 3, seed)
    tensor, truth = torch.from_numpy(logits), torch.from_numpy(labels)
    smoothing = 1.5 / 202  # PyTorch spreads it over all classes, the label's own too

    def loss(temperature):
        smooth = torch.nn.functional.cross_entropy(
            tensor / temperature, truth, label_smoothing=smoothing
        )
        return float(smooth)

    fitted = fit_temperature(logits, labels)
    grid = np.geomspace(fitted / 50, fitted * 50, 401)
    assert loss(fitted) <= min(loss(temperature) for temperature in grid) + 1e-5


def test_a_model_that_is_always_right_is_fitted_too():
    logits = np.array([[5.0, 0.0], [0.0, 5.0]] * 30)
    fitted = fit_temperature(logits, logits.argmax(1))
    sure = 1 / (1 + math.exp(-5 / fitted))
    assert sure == pytest.approx(1 - 1 / 62, abs=1e-3)  # Laplace's rule, to rounding


def test_equal_logits_have_no_temperature():
    assert fit_temperature(np.zeros((30, 2)), np.zeros(30, int)) == 1.0


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60),
    st.integers(0, 10),
)
@settings(max_examples=60)
def test_calibration_error_by_hand(rows, seed):
    """The definition, bin by bin; the order of the rows does not matter."""
    total = 0.0
    for number in range(15):
        low, high = number / 15, (number + 1) / 15
        inside = [(p, hit) for p, hit in rows if low < p <= high or (number == 0 and p == 0)]
        if inside:
            accuracy = sum(hit for _, hit in inside) / len(inside)
            confidence = sum(p for p, _ in inside) / len(inside)
            total += len(inside) / len(rows) * abs(accuracy - confidence)
    shuffled = [rows[at] for at in np.random.default_rng(seed).permutation(len(rows))]
    found = expected_calibration_error(*zip(*shuffled, strict=True))
    assert found == pytest.approx(total, abs=1e-9)


def test_calibration_error_of_records_leaves_out_what_was_not_asked():
    asked = {"original_probability": 0.9, "original_prediction": 1, "label": 0}
    raised = {"original_probability": None, "original_prediction": None, "label": 0}
    assert calibration_error([asked, raised]) == pytest.approx(0.9)
    assert calibration_error([raised]) is None


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("victim")
    BertForSequenceClassification(BertConfig(**SHAPE)).save_pretrained(path)
    save_tokenizer(path)
    return path


def scaled(victim, factor):
    with torch.no_grad():
        victim.model.classifier.weight *= factor
        victim.model.classifier.bias *= factor
    return victim


def test_predictions_stay_and_a_scaled_model_is_undone(folder):
    plain, extreme = Victim(folder, device="cpu"), scaled(Victim(folder, device="cpu"), 1000)
    calibrated = CalibratedVictim(extreme, 1000)
    expected = torch.softmax(plain(TEXTS).double(), dim=1)
    assert torch.softmax(extreme(TEXTS), dim=1).max(1).values.min() == 1.0  # nothing to follow
    assert calibrated(TEXTS).dtype == torch.float64
    torch.testing.assert_close(calibrated(TEXTS), expected, atol=1e-6, rtol=0)
    assert torch.equal(calibrated(TEXTS).argmax(1), extreme(TEXTS).argmax(1))


def test_scores_that_float32_cannot_tell_apart():
    class Sure(textattack.models.wrappers.ModelWrapper):
        model = None

        def __call__(self, text_input_list, **_):
            return torch.tensor([[0.0, 18.0], [0.0, 20.0]])

    single = torch.softmax(Sure()(TEXTS[:2]), dim=1)[:, 1]
    assert single[0] == single[1] == 1.0
    assert (CalibratedVictim(Sure(), 1.0)(TEXTS[:2])[:, 1].diff() > 0).all()


def test_textattack_takes_the_probabilities_as_they_are(folder):
    calibrated = CalibratedVictim(Victim(folder, device="cpu"), 0.5)
    goal = textattack.goal_functions.UntargetedClassification(calibrated)
    text = textattack.shared.AttackedText(TEXTS[0])
    result, _ = goal.init_attack_example(text, int(calibrated(TEXTS[:1]).argmax()))
    assert result.score == pytest.approx(1 - float(calibrated(TEXTS[:1]).max()), abs=1e-12)


def test_gradients_are_those_of_the_divided_logits(folder, tmp_path):
    """Against a model whose head itself is divided."""
    wrapper = textattack.models.wrappers.HuggingFaceModelWrapper  # asks in training mode
    without = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    config = json.loads((folder / "config.json").read_text()) | without
    shutil.copytree(folder, tmp_path / "model")
    (tmp_path / "model" / "config.json").write_text(json.dumps(config))
    folder = tmp_path / "model"
    extreme, plain = scaled(Victim(folder, device="cpu"), 50), Victim(folder, device="cpu")
    for victim in (extreme, plain):
        victim.tokenizer.model_input_names = ["input_ids", "attention_mask"]
    calibrated = CalibratedVictim(wrapper(extreme.model, extreme.tokenizer), 50.0)
    expected = wrapper(plain.model, plain.tokenizer).get_grad(TEXTS[0])
    found = calibrated.get_grad(TEXTS[0])
    assert torch.equal(torch.as_tensor(found["ids"]), torch.as_tensor(expected["ids"]))
    assert np.abs(expected["gradient"]).max() > 1e-4
    np.testing.assert_allclose(found["gradient"], expected["gradient"], atol=1e-5, rtol=1e-3)
    before = extreme(TEXTS)
    torch.testing.assert_close(before, 50 * plain(TEXTS), atol=1e-2, rtol=1e-3)  # hook is gone


def test_words_and_tokens_are_aligned_as_the_victim_s(folder):
    """Which a search along gradients (A2T) asks for."""
    victim = Victim(folder, device="cpu")
    calibrated = CalibratedVictim(victim, 2.0)
    pair = OrderedDict(premise=TEXTS[0], hypothesis=TEXTS[1])
    for text in (TEXTS[0], pair):
        words = textattack.shared.AttackedText(text)
        assert words.align_with_model_tokens(calibrated) == words.align_with_model_tokens(victim)
    assert calibrated.tokenize(TEXTS) == victim.tokenize(TEXTS)


def test_a_search_along_gradients_attacks_the_calibrated_victim(folder):
    victim = CalibratedVictim(Victim(folder, device="cpu"), 2.0)
    attack = textattack.Attack(
        textattack.goal_functions.UntargetedClassification(victim),
        [textattack.constraints.pre_transformation.RepeatModification()],
        textattack.transformations.WordSwapRandomCharacterDeletion(random_one=False),
        textattack.search_methods.GreedyWordSwapWIR("gradient"),
    )
    label = int(victim(TEXTS[:1]).argmax())
    assert attack.attack(TEXTS[0], label).num_queries > 1


NAMED = {"model": "model", "task": "sst2", "recipe": "pwws"}


@pytest.mark.parametrize("wanted", ["fited", "0", "-1", "nan", "inf", ""])
def test_what_is_no_temperature(wanted):
    with pytest.raises(UserError, match=r"--temperature: expected (a number or fit|more than 0)"):
        asked(NAMED | {"temperature": wanted})


def test_temperatures_that_are():
    for wanted, kept in (("weakest", "weakest"), ("2.5", 2.5), (2.5, 2.5)):
        assert asked(NAMED | {"temperature": wanted}).temperature == kept


@pytest.mark.parametrize("split", ["dev", "train"])
def test_no_held_out_row_is_attacked(split):
    task = get_task("corpus")
    attacked = load_examples(task, "dev").take(range(0, 40))
    found = held_out_rows(task, split, None, attacked, seed=0)
    assert found.split == split
    assert not set(found.rows.texts) & set(attacked.texts)
    assert set(found.rows.texts) <= set(load_examples(task, split).texts)


def test_too_few_rows_left_say_what_to_do():
    task = get_task("corpus")
    with pytest.raises(UserError, match="--num-examples, or name other rows with --held-out"):
        held_out_rows(task, "dev", None, load_examples(task, "dev"), seed=0)
    with pytest.raises(UserError, match="split 'validation': expected train, dev or test"):
        held_out_rows(task, "validation", None, load_examples(task, "dev"), seed=0)
