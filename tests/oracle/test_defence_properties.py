"""What holds of the defences whatever the network: masks, degenerate cases, padding."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn

from mindflood.config.settings import Config
from mindflood.defences.adversarial_loss import AdversarialLoss
from mindflood.defences.batch import float_mask, named
from mindflood.defences.freeat import FreeATTrainOneStepCell
from mindflood.defences.noise import StepNoise
from mindflood.defences.perturbation import UnitNoise
from mindflood.defences.registry import DEFENCE_METHODS
from mindflood.defences.settings import DEFENCES, DefenceSettings, resolved
from mindflood.errors import UserError
from mindflood.flooding import AccumulatedFloodingStep, FloodingTrainOneStepCell
from mindflood.models.bert import BertConfig, BertForSequenceClassification
from mindflood.models.dropout import DropoutNoise
from mindflood.models.loss import MeanCrossEntropy
from mindflood.training.defended_step import cell_beside, defended
from mindflood.training.defended_step import noise_of as noise_of_method
from tests.oracle.defended_step import Recorded, Replayed, padded
from tests.oracle.test_bert import SIZES, batch, set_mode

LABELS = np.array([0, 2, 1, 1], np.int32)
WEIGHTS = np.full(4, 0.25, np.float32)
STILL = {"step_size": 1e-30, "magnitude": 0.0, "radius": 0.0, "norm": "l2"}
METHODS = pytest.mark.parametrize(
    "method",
    [
        "freelb",
        *(
            pytest.param(m, marks=pytest.mark.slow)
            for m in ("pgd", "freeat", "pgd-at", "lds", "yopo", "tavat", "infobert")
        ),
    ],
)


def network() -> BertForSequenceClassification:
    rates = {"hidden_dropout_prob": 0.3, "attention_probs_dropout_prob": 0.3}
    return BertForSequenceClassification(BertConfig(**SIZES, **rates, initializer_range=0.1))


def step_of(method, model, level=None, **settings):
    whole = resolved(method, DefenceSettings(**settings))
    beside = cell_beside(method, model, seed=0)
    trained = [*model.trainable_params(), *(beside.trainable_params() if beside else [])]
    config = Config(method=method, defence=whole)
    optimizer = nn.SGD(trained, learning_rate=0.1)
    step, _ = defended(
        config, model, optimizer, level, beside, max_gradient_norm=None, loss_scale=None
    )
    return step


class Ascended(nn.Cell):
    """The δ that a defence ends with."""

    def __init__(self, defence):
        super().__init__(auto_prefix=False)
        self.defence = defence

    def construct(self, *inputs):
        return self.defence(named(Tensor(1.0, ms.float32), *inputs))[2]


def arrays(rows: int = 4, length: int = 17) -> list[np.ndarray]:
    return [*batch("bert", rows=rows, length=length), LABELS, WEIGHTS]


def tensors(values) -> list[Tensor]:
    return [Tensor(np.ascontiguousarray(value)) for value in values]


def noise_of(model, passes, reuse_dropout, method="pgd", variant=None):
    row = DEFENCE_METHODS[method]
    return StepNoise(
        DropoutNoise(model.config, 5), UnitNoise(model.config.hidden_size, 5), passes,
        reuse_dropout, resamples=row.resamples,
        shuffles=row.shuffled_release and variant == "release",
    )  # fmt: skip


def weights(model) -> dict[str, np.ndarray]:
    return {p.name: p.asnumpy().copy() for p in model.get_parameters()}


@pytest.mark.parametrize("reuse", [True, False], ids=["reused", "redrawn"])
def test_the_passes_of_a_step_have_the_same_masks_only_where_they_are_reused(reuse):
    """δ stays zero, so that J of a pass depends on its masks alone."""
    set_mode("graph")
    model = network()
    dropout, plain = DropoutNoise(model.config, 5), MeanCrossEntropy(model)
    each = [
        float(plain(*tensors([*arrays(), *dropout.draw(9, range(4), 17, number)])).asnumpy())
        for number in range(3)
    ]
    assert len({round(J, 3) for J in each}) == 3
    step = step_of("freelb", model, steps=3, reuse_dropout=reuse, **STILL)
    drawn = noise_of(model, 3, reuse).draw(9, range(4), 17)
    J = float(step(*tensors([*arrays(), *drawn])).asnumpy())
    assert pytest.approx(each[0] if reuse else np.mean(each), rel=1e-5) == J


def test_pgd_trains_on_the_masks_of_its_last_pass_where_they_are_redrawn():
    set_mode("graph")
    model = network()
    plain = MeanCrossEntropy(model)
    masks = DropoutNoise(model.config, 5).draw(9, range(4), 17, 2)
    expected = float(plain(*tensors([*arrays(), *masks])).asnumpy())
    step = step_of("pgd", model, steps=2, reuse_dropout=False, **STILL)
    drawn = noise_of(model, step.defence.passes, False).draw(9, range(4), 17)
    J = float(step(*tensors([*arrays(), *drawn])).asnumpy())
    assert pytest.approx(expected, rel=1e-5) == J


def test_freeat_draws_new_masks_for_every_replay():
    set_mode("graph")
    model = network()
    dropout, plain = DropoutNoise(model.config, 5), MeanCrossEntropy(model)
    each = [
        float(plain(*tensors([*arrays(), *dropout.draw(9, range(4), 17, number)])).asnumpy())
        for number in range(3)
    ]
    optimizer = nn.SGD(model.trainable_params(), learning_rate=1e-12)  # J depends on the masks
    settings = DefenceSettings(3, reuse_dropout=False, **STILL)
    step = FreeATTrainOneStepCell(AdversarialLoss(model, False), optimizer, None, settings)
    J = float(
        step(*tensors([*arrays(), *noise_of(model, 3, False).draw(9, range(4), 17)])).asnumpy()
    )
    assert pytest.approx(np.mean(each), rel=1e-5) == J


def test_freelb_with_one_step_and_no_noise_is_fine_tuning():
    set_mode("graph")
    defended, plain = network(), network()
    drawn = noise_of(plain, 1, True).draw(2, range(4), 17)
    inputs = tensors([*arrays(), *drawn])
    step = step_of("freelb", defended, steps=1, magnitude=0.0)
    optimizer = nn.SGD(plain.trainable_params(), learning_rate=0.1)
    reference = FloodingTrainOneStepCell(MeanCrossEntropy(plain), optimizer)
    for _ in range(2):
        losses = step(*inputs).asnumpy(), reference(*inputs[:-1]).asnumpy()
        np.testing.assert_allclose(*losses, rtol=1e-6)
    ours, theirs = weights(defended), weights(plain)
    for name in theirs:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-5, atol=1e-7, err_msg=name)


OF_RELEASES = [(m, "release") for m, settings in DEFENCES.items() if settings.variant]


@pytest.mark.parametrize("norm", ["l2", pytest.param("linf", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("method", "variant"),
    [
        pytest.param(*case, marks=() if case == ("freelb", None) else pytest.mark.slow)
        for case in [*((m, None) for m in DEFENCES), *OF_RELEASES]
    ],
)
def test_a_larger_bucket_changes_nothing(method, variant, norm):
    """δ of the tokens, J, the weights, the critic, the table: none knows of padding behind them."""
    set_mode("graph")
    found = []
    for length in (17, 24):
        texts = padded(arrays()[:3], "bert", length)
        lengths = {"step_size": 0.03, "magnitude": 0.1, "radius": 0.1}
        step = step_of(method, network(), steps=3, norm=norm, variant=variant, **lengths)
        drawn = noise_of(step.network.classifier, 4, True, method, variant)
        _, _, *noise = drawn.draw(0, range(4), length)
        inputs = tensors([*texts, LABELS, WEIGHTS, *noise])
        if method == "freeat":
            J, delta = Replayed(step)(*inputs)
            delta = delta.asnumpy()
        else:
            parts = 1 + (method == "tavat")
            shape = (4, length, 48)
            step.defence = Recorded(step.defence, step.weights, shape, parts)
            J = step(*inputs[:5], None, None, *inputs[5:])
            delta = sum(part.asnumpy() for part in step.defence.parts)
        assert not delta[:, 17:].any()
        if (method, variant) != ("tavat", "release"):  # whose padding is perturbed too
            assert not delta[texts[1] == 0].any()
        kept = [*step.weights]
        if method == "tavat":
            kept.append(step.defence.defence.table.table)
        ends = {p.name: p.asnumpy() for p in kept} | {"delta": delta[:, :17]}
        found.append((ends, J.asnumpy()))
    np.testing.assert_allclose(found[1][1], found[0][1], rtol=1e-5)
    for name, value in found[0][0].items():
        np.testing.assert_allclose(found[1][0][name], value, rtol=1e-3, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("method", ["pgd-at", pytest.param("lds", marks=pytest.mark.slow)])
def test_a_raw_ascent_is_each_samples_own(method):
    """Neither rows that only fill the batch nor the factor that msrun puts on weights move δ."""
    set_mode("graph")
    model = network()
    step = step_of(method, model, steps=3, normalise=False, step_size=0.5, magnitude=1.0, radius=9)
    noise = noise_of(model, 5, True).draw(0, range(4), 17)[2]
    found = []
    for shares in (np.ones(2) / 2, np.ones(2), np.array([1, 1, 0, 0]) / 2):
        rows = len(shares)
        inputs = tensors([*(a[:rows] for a in arrays()[:4]), shares.astype(np.float32)])
        delta = Ascended(step.defence)(*inputs, None, None, Tensor(noise[:rows]))
        found.append(delta.asnumpy())
    start = step.defence.initial(
        {"unit_noise": Tensor(noise), "mask": float_mask(inputs[1])}
    ).asnumpy()
    assert np.abs(found[2] - start)[:2].max() > 1e-3  # it climbed
    np.testing.assert_array_equal(found[2][2:], start[2:])
    for other in found[1:]:
        np.testing.assert_allclose(other[:2], found[0], rtol=1e-4, atol=1e-6)


def test_yopo_needs_a_layer_behind_the_first():
    model = BertForSequenceClassification(BertConfig(**(SIZES | {"num_hidden_layers": 1})))
    with pytest.raises(UserError, match=r"^method: 'yopo' .* this encoder has one; use another"):
        step_of("yopo", model)


@pytest.mark.parametrize("method", DEFENCES)
def test_the_noise_is_gaussian_for_altinisiks_methods_alone(method):
    settings = resolved(method, DefenceSettings())
    noise = noise_of_method(method, settings, network(), passes=1, seed=5)
    unit = noise.draw(0, range(4), 17)[2]
    if method in ("pgd-at", "lds"):
        assert unit.std() == pytest.approx(1, abs=0.05)
    else:
        assert np.abs(unit).max() <= 1


@pytest.mark.slow
@METHODS
def test_pynative_takes_the_steps_of_graph_mode(method):
    ends = []
    for mode in ("graph", "pynative"):
        set_mode(mode)
        model = network()
        step = step_of(method, model, level=0.9, steps=2, radius=0.1, reuse_dropout=True)
        drawn = noise_of(model, 3, True, method).draw(2, range(4), 17)
        losses = [float(step(*tensors([*arrays(), *drawn])).asnumpy()) for _ in range(3)]
        ends.append((losses, weights(model)))
    np.testing.assert_allclose(ends[0][0], ends[1][0], rtol=1e-4)
    for name, value in ends[0][1].items():
        np.testing.assert_allclose(ends[1][1][name], value, atol=1e-5, err_msg=name)


@pytest.mark.parametrize(
    "method",
    [
        "freelb",
        *(pytest.param(m, marks=pytest.mark.slow) for m in ("pgd", "pgd-at", "lds", "yopo")),
    ],
)
def test_micro_batches_add_up_to_the_batch(method):
    """Each sample has its own δ, so a batch in two parts takes the step of the whole."""
    set_mode("graph")
    ends = []
    for parts in ([range(4)], [range(2), range(2, 4)]):
        model = network()
        step = step_of(method, model, level=5.0, steps=2, radius=0.1, reuse_dropout=True)
        noise = noise_of(model, 3, True)
        inputs = []
        for part in parts:
            *texts, shares = (a[part.start : part.stop] for a in arrays())
            inputs.append(tensors([*texts, shares * len(parts), *noise.draw(1, part, 17)]))
        J = step(*inputs[0]) if len(parts) == 1 else AccumulatedFloodingStep(step)(inputs)
        ends.append((float(J.asnumpy()), weights(model)))
    assert pytest.approx(ends[0][0], rel=1e-5) == ends[1][0]
    for name, value in ends[0][1].items():
        np.testing.assert_allclose(ends[1][1][name], value, rtol=1e-4, atol=1e-6, err_msg=name)
