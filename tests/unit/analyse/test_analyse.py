"""The analyses on tiny models, against plain computations and closed forms."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from mindflood.analyse import ball
from mindflood.analyse.embedded import EmbeddedClassifier, Rows
from mindflood.analyse.noise import loss_under_noise
from mindflood.cards.cards import find_runs, read_card, write_card
from mindflood.cli import main
from mindflood.data.sources import Examples
from mindflood.report.page import report
from mindflood.report.tables.analyses import ball_table
from tests.unit.attack_models import SHAPE, save_tokenizer
from tests.unit.report_runs import a_card

TEXTS = ["the film is good", "a plot", "the actor was not very warm , a bad film", "dull", "good ."]
LABELS = [1, 0, 0, 0, 1]


def examples() -> Examples:
    return Examples(tuple((text,) for text in TEXTS), np.array(LABELS))


@pytest.fixture(params=["bert", "roberta", "mpnet", "electra"])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return a_model(tmp_path / "model", request.param)


def a_model(folder: Path, kind: str = "bert", seed: int = 0) -> Path:
    torch.manual_seed(seed)
    shape = SHAPE | {"num_labels": 2, "pad_token_id": 0}
    if kind == "electra":
        shape |= {"embedding_size": 16}
    if kind == "mpnet":  # which counts positions behind 1, whatever its padding is
        shape |= {"pad_token_id": 1}
    config = transformers.AutoConfig.for_model(kind, **shape)
    network = transformers.AutoModelForSequenceClassification.from_config(config)
    network.eval().save_pretrained(folder)
    save_tokenizer(folder)
    return folder


def a_run(folder: Path, seed: int = 0, **changes: object) -> Path:
    a_model(folder / "model", seed=seed)
    write_card(folder / "card.json", a_card(seed=seed, **changes))
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("train.csv", "dev.csv"):
        with (folder / name).open("w", newline="") as file:
            csv.writer(file).writerows([("sentence", "label"), *zip(TEXTS, LABELS, strict=True)])
    return folder


@pytest.mark.parametrize("batch_size", [2, 64])
def test_the_loss_under_noise_is_that_of_noisy_embeddings(model, batch_size):
    found = loss_under_noise(
        EmbeddedClassifier(str(model), 2, batch_size), examples(), [0.0, 0.3], draws=2, seed=7
    )
    network = transformers.AutoModelForSequenceClassification.from_pretrained(model).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    for alpha, loss, accuracy in zip(found["alpha"], found["loss"], found["accuracy"], strict=True):
        losses, right = [], []
        for draw in range(2):
            for place, (text, label) in enumerate(zip(TEXTS, LABELS, strict=True)):
                ids = tokenizer(text, return_tensors="pt")
                if network.config.model_type == "mpnet":
                    del ids["token_type_ids"]
                z = np.random.default_rng((7, draw, place)).standard_normal(
                    (ids["input_ids"].shape[1], network.get_input_embeddings().embedding_dim),
                    np.float32,
                )
                hook = network.get_input_embeddings().register_forward_hook(
                    lambda *call, z=z, alpha=alpha: call[2] + alpha * torch.tensor(z)
                )
                logits = network(**ids).logits.detach()
                hook.remove()
                losses.append(
                    float(torch.nn.functional.cross_entropy(logits, torch.tensor([label])))
                )
                right.append(int(logits.argmax()) == label)
        assert loss == pytest.approx(np.mean(losses), rel=1e-4)
        assert accuracy == np.mean(right)
    assert found["loss"][0] != found["loss"][1]


class Linear(EmbeddedClassifier):
    """Two logits, 0 and ⟨w, Σ words + δ⟩ + c, whose ball has a closed form."""

    def __init__(self, w: np.ndarray, lengths: list[int]) -> None:
        self.w = torch.tensor(w, dtype=torch.float32)
        self.lengths = lengths

    def rows(self, examples: Examples):
        longest = max(self.lengths)
        words = torch.tensor(np.random.default_rng(0).standard_normal((3, longest, len(self.w))))
        mask = torch.tensor([[[float(t < n)] for t in range(longest)] for n in self.lengths])
        words = words.float() * mask
        yield Rows(words, mask, self.labels(words), {}, (0, 1, 2))

    def labels(self, words: torch.Tensor) -> torch.Tensor:
        """What it says itself: all are right."""
        return ((words @ self.w).sum(1) > 0).long()

    def logits(self, rows: Rows, delta: torch.Tensor) -> torch.Tensor:
        score = (((rows.words + delta) * rows.mask) @ self.w).sum(1)
        return torch.stack([torch.zeros_like(score), score], 1)


def test_the_ball_of_a_linear_classifier_is_its_closed_form():
    classifier = Linear(np.array([0.3, -0.2, 0.5, 0.1]), [3, 5, 2])
    three = Examples((("a",), ("b",), ("c",)), np.zeros(3))
    [rows] = classifier.rows(three)
    margins = (rows.words @ classifier.w).sum(1).abs().numpy()
    slopes = np.sqrt(np.array(classifier.lengths)) * float(classifier.w.norm())
    search = ball.BallSearch(steps=40, restarts=3, seed=1)
    radii = ball.safe_radii(classifier, three, search, largest=8.0, halvings=12)
    exact = np.minimum(margins / slopes, 8.0)
    np.testing.assert_allclose(radii, exact, atol=8.0 / 2**11)
    assert (radii <= exact + 1e-5).all()
    zeros = np.zeros(4)
    counts = ball.summary(zeros, zeros, np.array([0.0, 0.5, 0.0, 8.0]), 8.0, search)
    assert (counts["without_radius"], counts["of_largest_radius"]) == (2, 1)
    increments, natural = ball.max_increments(classifier, three, radii, search)
    softplus = lambda x: np.log1p(np.exp(x))  # noqa: E731
    np.testing.assert_allclose(natural, softplus(-margins), rtol=1e-5)
    expected = softplus(-(margins - radii * slopes)) - softplus(-margins)
    np.testing.assert_allclose(increments, expected, rtol=1e-4)


def test_more_steps_never_find_less_and_no_random_point_is_higher(model):
    classifier = EmbeddedClassifier(str(model), 2)
    radii = np.full(5, 0.4)
    short, natural = ball.max_increments(classifier, examples(), radii, ball.BallSearch(1, 1))
    long, _ = ball.max_increments(classifier, examples(), radii, ball.BallSearch(40, 3))
    assert (long >= short - 1e-6).all()
    assert (short >= 0).all()
    random = torch.Generator().manual_seed(0)
    for rows in classifier.rows(examples()):
        for _ in range(50):
            delta = torch.randn(rows.words.shape, generator=random) * rows.mask
            delta = 0.4 * delta / delta.flatten(1).norm(dim=1)[:, None, None]
            rise = classifier.judged(rows, delta)[0].numpy() - natural[list(rows.places)]
            assert (rise <= long[list(rows.places)] + 1e-5).all()


def test_noise_goes_into_the_cards_and_the_report(tmp_path, data, capsys):
    runs = [a_run(tmp_path / "runs" / f"finetune-seed{seed}", seed) for seed in (0, 1)]
    words = ["--data", str(data), "--alpha", "0", "0.1", "--draws", "1"]
    assert main(["analyse", "noise", *map(str, runs), *words]) == 0
    assert "finetune-seed1: α=0: " in capsys.readouterr().out
    noise = read_card(runs[0] / "card.json")["analyses"]["noise"]
    assert noise["alpha"] == [0.0, 0.1]
    assert noise["num_examples"] == 5
    page = report(tmp_path / "runs").read_text()
    assert "Loss under Gaussian noise in the word embeddings" in page
    assert (tmp_path / "runs" / "report" / "noise-1.svg").exists()


def test_the_ball_is_kept_by_reference(tmp_path, data, capsys):
    runs = [str(a_run(tmp_path / "runs" / f"finetune-seed{seed}", seed)) for seed in (0, 1)]
    words = ["--data", str(data), "--steps", "3", "--restarts", "1", "--halvings", "2"]
    alike = main(["analyse", "ball", runs[0], runs[0], "--reference", runs[0], *words])
    assert alike == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == second
    found = read_card(Path(runs[0]) / "card.json")["analyses"]["ball"]
    assert list(found) == ["runs/finetune-seed0"]
    assert found["runs/finetune-seed0"]["max_increment"] >= 0
    assert found["runs/finetune-seed0"]["requested"] == 5
    assert "Largest rise of the loss" in report(tmp_path / "runs").read_text()


def right_texts(run: Path) -> np.ndarray:
    """Which texts the run's model gets right, text by text."""
    network = transformers.AutoModelForSequenceClassification.from_pretrained(run / "model").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(run / "model")
    with torch.inference_mode():
        said = [int(network(**tokenizer(text, return_tensors="pt")).logits.argmax())
                for text in TEXTS]  # fmt: skip
    return np.array(said) == LABELS


def a_run_wrong_on(folder: Path, place: int) -> Path:
    """A run with a random model that errs on this one text alone."""
    wanted = np.arange(len(TEXTS)) != place
    return next(
        run for seed in range(200) if (right_texts(run := a_run(folder, seed)) == wanted).all()
    )


def test_the_ball_is_of_the_texts_that_all_get_right_with_the_references_radii(tmp_path, data):
    """FreeLB §4.3's rule; every model errs on another text, and nothing but its radii."""
    reference, *compared = (
        a_run_wrong_on(tmp_path / "runs" / name, place)
        for name, place in (("reference", 3), ("one", 1), ("other", 4))
    )
    numbers = ["--steps", "4", "--restarts", "2", "--halvings", "8", "--largest", "0.5"]
    words = [*map(str, compared), "--reference", str(reference), "--data", str(data), *numbers]
    assert main(["analyse", "ball", *words]) == 0

    of_all = np.all([right_texts(run) for run in (reference, *compared)], axis=0)
    common = examples().take(np.flatnonzero(of_all))
    assert common.texts == ((TEXTS[0],), (TEXTS[2],))
    search = ball.BallSearch(steps=4, restarts=2, seed=0)
    radii, *theirs = (
        ball.safe_radii(EmbeddedClassifier(str(run / "model"), 2), common, search, 0.5, 8)
        for run in (reference, *compared)
    )
    for run, own in zip(compared, theirs, strict=True):
        found = read_card(run / "card.json")["analyses"]["ball"]["runs/reference"]
        assert (found["num_examples"], found["requested"]) == (2, 5)
        assert np.median(own) != np.median(radii), "or the test could not tell them apart"
        assert found["radius"] == np.median(radii)
        classifier = EmbeddedClassifier(str(run / "model"), 2)
        increments, natural = ball.max_increments(classifier, common, radii, search)
        assert found["max_increment"] == pytest.approx(np.median(increments), rel=1e-6)
        assert found["natural_loss"] == pytest.approx(np.median(natural), rel=1e-6)
    assert "ball" not in read_card(reference / "card.json").get("analyses", {})


def noted(folder: Path) -> list[str]:
    """What the report's table says of rows over different texts."""
    table = ball_table([run.card for run in find_runs(folder)])
    return [note for note in table.notes if "different texts" in note]


def test_rows_over_different_texts_are_told_apart(tmp_path, data):
    runs = [a_run_wrong_on(tmp_path / "runs" / str(place), place) for place in (0, 1, 3)]
    first, second, reference = map(str, runs)
    words = ["--reference", reference, "--data", str(data), "--steps", "1", "--halvings", "1"]
    assert main(["analyse", "ball", first, second, *words]) == 0
    together = [read_card(run / "card.json") for run in runs[:2]]
    one, other = (card["analyses"]["ball"]["runs/3"] for card in together)
    assert one["texts"] == other["texts"]
    assert not noted(tmp_path / "runs")

    assert main(["analyse", "ball", first, *words]) == 0  # text 1 is now among the compared
    alone = read_card(runs[0] / "card.json")
    assert alone["analyses"]["ball"]["runs/3"]["texts"] != other["texts"]
    [note] = noted(tmp_path / "runs")
    assert note.startswith("Reference runs/3 on SST-2: ")
    digests = [alone["analyses"]["ball"]["runs/3"]["texts"], other["texts"]]
    assert f"different texts ({', '.join(sorted(digests))})" in note
    assert note[:40] in report(tmp_path / "runs").read_text()

    for card, run in zip(together, runs, strict=False):  # as they were written before
        del card["analyses"]["ball"]["runs/3"]["texts"]
        write_card(run / "card.json", card)
    [note] = noted(tmp_path / "runs")
    assert "(not told by an older card)" in note


def test_a_digest_is_of_texts_labels_and_order():
    rows = examples()
    assert ball.digest(rows) == ball.digest(examples())
    others = [
        rows.take([0, 1]),
        rows.take([1, 0, 2, 3, 4]),
        Examples(rows.texts, 1 - rows.labels),
        Examples(tuple((f"{text} ",) for text in TEXTS), rows.labels),
    ]
    assert len({ball.digest(each) for each in [rows, *others]}) == 5


def other_reviews(folder: Path) -> Path:
    """The same texts as a test set of MR, all of them positive."""
    folder.mkdir()
    with (folder / "test.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *zip(TEXTS, [1] * 5, strict=True)])
    return folder


def test_generalisation_is_the_accuracy_on_other_files(tmp_path, data):
    run = a_run(tmp_path / "runs" / "finetune-seed0")
    other = other_reviews(tmp_path / "other")
    words = ["--data", str(data), "--on", f"mr={other}"]
    assert main(["analyse", "generalisation", str(run), *words]) == 0
    found = read_card(run / "card.json")["analyses"]["generalisation"]
    classifier = EmbeddedClassifier(str(run / "model"), 2)
    right = ball.right(classifier, examples())
    assert found["in"] == {"task": "sst2", "accuracy": right.mean(), "num_examples": 5}
    positive = ball.right(classifier, Examples(examples().texts, np.ones(5, int)))
    assert found["out"] == [{"task": "mr", "accuracy": positive.mean(), "num_examples": 5}]
    assert "Out of distribution" in report(tmp_path / "runs").read_text()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["noise", "--alpha", "-0.1"], "--alpha -0.1: expected at least 0"),
        (["noise", "--num-examples", "0"], "--num-examples 0: expected at least 1"),
        (["noise", "--draws", "0"], "--draws 0: expected at least 1"),
        (["ball", "--reference", "RUN", "--largest", "0"], "--largest 0.0: expected a radius"),
        (["ball", "--reference", "RUN", "--steps", "0"], "--steps 0: expected at least 1"),
        (["ball", "--reference", "nowhere"], "nowhere: there is no card.json; give a RUN folder"),
        (["generalisation", "--on", "mrpc"], "--on mrpc: mrpc tells not_equivalent, equivalent"),
        (["generalisation", "--on", "imdbb"], "imdbb"),
        (["generalisation", "--on", "sst2=DATA", "sst2=DATA"], "sst2 is named twice"),
    ],
)
def test_what_makes_no_sense_is_one_line(words, line, tmp_path, data, capsys):
    run = str(a_run(tmp_path / "run"))
    before = (tmp_path / "run" / "card.json").read_text()
    words = [run if word == "RUN" else word.replace("DATA", str(data)) for word in words]
    assert main(["analyse", words[0], run, *words[1:], "--data", str(data)]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert line in said
    assert (tmp_path / "run" / "card.json").read_text() == before


def test_the_ball_of_another_encoder_says_nothing(tmp_path, data, capsys):
    ours = str(a_run(tmp_path / "ours"))
    theirs = str(a_run(tmp_path / "theirs", encoder="bert-base-uncased"))
    assert main(["analyse", "ball", ours, "--reference", theirs, "--data", str(data)]) == 2
    assert f"{ours}: its encoder is embedded" in capsys.readouterr().err


def test_a_model_that_breaks_leaves_the_cards_before_it(tmp_path, data):
    first, second = (a_run(tmp_path / name) for name in ("first", "second"))
    (second / "model" / "config.json").write_text("{}")
    before = (first / "card.json").read_text()
    words = [str(first), str(second), "--data", str(data)]
    for kind in (["noise"], ["generalisation", "--on", f"sst2={data}"]):
        assert main(["analyse", kind[0], *words, *kind[1:]]) == 2
        assert (first / "card.json").read_text() == before


@pytest.mark.parametrize(
    "words",
    [["noise", "--alpha", "0"], ["generalisation", "--on", "sst2=DATA"]],
    ids=["noise", "generalisation"],
)
def test_data_that_are_gone_leave_the_cards_before_them(tmp_path, data, words, capsys):
    first, second = (a_run(tmp_path / name) for name in ("first", "second"))
    for run, source in ((first, data), (second, tmp_path / "gone")):
        (run / "config.yaml").write_text(f"task: {{name: sst2, data: {source}}}\n")
    before = (first / "card.json").read_text()
    words = [word.replace("DATA", str(data)) for word in words]
    assert main(["analyse", words[0], str(first), str(second), *words[1:]]) == 2
    assert str(tmp_path / "gone") in capsys.readouterr().err
    assert (first / "card.json").read_text() == before


def test_a_model_from_elsewhere_gets_a_card(tmp_path, data, capsys):
    model = a_model(tmp_path / "theirs")
    words = ["analyse", "noise", str(model), "--data", str(data), "--alpha", "0"]
    assert main(words) == 2
    assert "no card says what task the model is for; give --task" in capsys.readouterr().err
    assert main([*words, "--task", "sst2"]) == 0
    card = read_card(model / "card.json")
    assert (card["task"], card["method"], card["encoder"]) == ("sst2", "unknown", "theirs")
    assert card["analyses"]["noise"]["num_examples"] == 5
    assert main([*words, "--task", "mrpc"]) == 2
    assert "is of task 'sst2'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [["noise"], ["ball", "--reference", "MODEL"], ["generalisation", "--on", "mr=OTHER"]],
    ids=lambda words: words[0],
)
def test_a_model_that_counts_its_classes_otherwise_is_refused(words, tmp_path, data, capsys):
    model = a_model(tmp_path / "theirs")
    config = json.loads((model / "config.json").read_text())
    config |= {"id2label": {"0": "POSITIVE", "1": "NEGATIVE"}}
    config |= {"label2id": {"POSITIVE": 0, "NEGATIVE": 1}}
    (model / "config.json").write_text(json.dumps(config))
    other = other_reviews(tmp_path / "other")
    words = [word.replace("OTHER", str(other)).replace("MODEL", str(model)) for word in words]
    ending = ["--data", str(data), "--task", "sst2"]
    assert main(["analyse", words[0], str(model), *words[1:], *ending]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "its labels are 0 = POSITIVE, 1 = NEGATIVE, and the task's are" in error
    assert not (model / "card.json").exists()


def test_the_model_of_a_run_is_the_run(tmp_path, data):
    run = a_run(tmp_path / "run")
    words = ["--data", str(data), "--alpha", "0"]
    assert main(["analyse", "noise", str(run / "model"), *words]) == 0
    assert "noise" in read_card(run / "card.json")["analyses"]
    assert not (run / "model" / "card.json").exists()


def test_a_run_that_was_not_exported_is_named(tmp_path, capsys):
    write_card(tmp_path / "card.json", a_card())
    assert main(["analyse", "noise", str(tmp_path)]) == 2
    assert "not a model: there is no config.json" in capsys.readouterr().err
