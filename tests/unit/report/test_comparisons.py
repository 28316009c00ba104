"""Figures 2 and 4: what is drawn of a sweep and of the epochs, from the cards alone."""

import re
from pathlib import Path
from typing import Any

import pytest

from mindflood.cards.cards import Card, Run, find_runs, merge_epochs, read_card, write_card
from mindflood.errors import UserError
from mindflood.report.page import comparisons, report
from tests.unit.report_runs import a_card, a_run, an_attack

ATTACK = "textfooler-offline"
FOUND = {"level": 0.12, "lower": 0.08, "upper": 0.14, "epoch": 2.5, "source": "accordance"}


def attacked(method: str, failed: int, seed: int = 0, **changes: Any) -> Card:
    return a_card(method, seed, attacks={ATTACK: an_attack(failed)}, **changes)


def level(b: float, failed: int, **changes: Any) -> Card:
    return attacked("flooding", failed, flood_level=b, **changes)


def flooding_x(**changes: Any) -> Card:
    found = {"flood_level": 0.12, "flood_level_source": "accordance", "accordance": FOUND}
    return attacked("flooding-x", 35, **{**found, **changes})


def a_sweep() -> list[Card]:
    levels = ((0.02, 20), (0.05, 28), (0.1, 36), (0.2, 25), (0.4, 8))
    return [attacked("finetune", 18), *(level(b, n) for b, n in levels), flooding_x()]


def epochs(fall: float, gain: int, floor: float = 0.0) -> list[Any]:
    return [
        {
            "epoch": epoch,
            "clean_accuracy": 0.8,
            "train_loss": max(floor, 0.7 * fall**epoch),
            "eval_loss": 0.4 + 0.02 * epoch,
            "attacks": {ATTACK: an_attack(4 + gain * epoch, skipped=10, total=50)},
        }
        for epoch in range(1, 6)
    ]


def drawn(cards: list[Card], kind: str) -> list[tuple[str, str]]:
    runs = [Run(Path("no-files"), card) for card in cards]
    return [(title, figure.svg) for title, figure in comparisons(runs) if figure.kind == kind]


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_a_sweep_shows_its_levels_the_range_and_finetuning() -> None:
    [(title, svg)] = drawn(a_sweep(), "sweep")
    assert title == "SST-2, MiniLM-L6 (embedded), TextFooler (offline), 200 texts"
    shown = texts(svg)
    for words in (
        "Flooding at b", "Fine-tuning", "range of gradient accordance", "Flooding-X",
        "chosen level b = 0.12", "flood level b (nats)", "accuracy under attack (%)",
    ):  # fmt: skip
        assert words in shown


def bars(svg: str) -> list[tuple[float, float]]:
    """Ends of the vertical error bars, in the figure's points, one pair a bar."""
    found = re.findall(r'd="M ([\d.]+) ([\d.]+) \nL \1 ([\d.]+) \n"', svg)
    return [(float(low), float(high)) for x, low, high in found]


def test_bars_are_wilsons_intervals() -> None:
    [(_, svg)] = drawn([level(0.1, 50), level(0.2, 100)], "sweep")
    lengths = sorted({round(abs(high - low), 3) for low, high in bars(svg)}, reverse=True)
    # Wilson's half widths for 50 and 100 of 200, by hand: z = 1.959964.
    z, n = 1.959964, 200
    halves = [
        z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5 / (1 + z * z / n) for p in (0.5, 0.25)
    ]
    ratios = [one / other for one in lengths for other in lengths]
    assert any(ratio == pytest.approx(halves[0] / halves[1], rel=1e-3) for ratio in ratios)


def test_one_level_is_no_sweep_and_other_fingerprints_are_another() -> None:
    assert not drawn([attacked("finetune", 18), level(0.1, 20), flooding_x()], "sweep")
    other = {ATTACK: an_attack(20, fingerprint="another")}
    assert not drawn([level(0.1, 20), a_card("flooding", flood_level=0.2, attacks=other)], "sweep")
    unmeasured = {ATTACK: an_attack(20, accuracy_under_attack=None)}
    assert not drawn(
        [level(0.1, 20), a_card("flooding", flood_level=0.2, attacks=unmeasured)], "sweep"
    )


def test_a_range_is_a_bar_without_a_point() -> None:
    """Of the level 0.2 between 20 and 80 of 200 texts are still right."""
    unclear = {ATTACK: an_attack(20, succeeded=90, out_of_budget=60, accuracy_under_attack=None)}
    cards = [level(0.1, 20), a_card("flooding", flood_level=0.2, attacks=unclear), level(0.3, 30)]
    [(_, svg)] = drawn(cards, "sweep")
    points = len(re.findall("<use [^>]*#0072b2", svg))
    [(_, without)] = drawn([level(b, 20) for b in (0.1, 0.3)], "sweep")
    assert points == len(re.findall("<use [^>]*#0072b2", without))
    assert len(re.findall("stroke-dasharray: 2", svg)) == 1
    tuned = a_card("finetune", attacks=unclear)
    [(_, svg)] = drawn([level(0.1, 20), level(0.2, 20), tuned], "sweep")
    assert "Fine-tuning, range" in texts(svg)
    assert "Fine-tuning" not in texts(svg)


def test_a_sweep_without_flooding_x_has_no_range() -> None:
    [(_, svg)] = drawn([level(0.1, 20), level(0.2, 20)], "sweep")
    assert "range of gradient accordance" not in texts(svg)
    never = flooding_x(accordance={"rule": "no crossing"}, flood_level=None)
    [(_, svg)] = drawn([level(0.1, 20), level(0.2, 20), never], "sweep")
    assert "range of gradient accordance" not in texts(svg)
    fallback = flooding_x(accordance=FOUND | {"source": "fallback"})
    [(_, svg)] = drawn([level(0.1, 20), level(0.2, 20), fallback], "sweep")
    assert "chosen level b = 0.12, fallback" in texts(svg)
    assert "range of the fallback" in texts(svg)
    assert "range of gradient accordance" not in texts(svg)


def test_a_search_within_the_range_of_a_probe_shows_the_range() -> None:
    search = attacked(
        "flooding-search", 30, flood_level=0.1, flood_level_source="search",
        search={"bounds": FOUND, "candidates": []},
    )  # fmt: skip
    [(_, svg)] = drawn([level(0.1, 20), level(0.2, 20), search], "sweep")
    shown = texts(svg)
    assert "range of gradient accordance" in shown
    assert not [words for words in shown if words.startswith("chosen level")]


def test_seeds_of_a_level_are_one_point() -> None:
    one = drawn([level(b, 20) for b in (0.1, 0.2)], "sweep")
    three = drawn([level(b, 20, seed=seed) for b in (0.1, 0.2) for seed in range(3)], "sweep")
    blue = [len(re.findall("<use [^>]*#0072b2", svg)) for [(_, svg)] in (one, three)]
    assert blue[0] == blue[1] > 0


def test_a_model_that_met_other_texts_is_in_no_other_s_sweep() -> None:
    alone = [level(0.1, 20), level(0.2, 20)]
    again = a_card(
        "flooding",
        flood_level=0.2,
        attacks={"textfooler-offline": an_attack(60, total=100, seed=1)},
    )
    (expected,), (found,) = (
        [re.sub(r"sweep-\d", "", svg) for _, svg in drawn(cards, "sweep")]
        for cards in (alone, [*alone, again])
    )
    assert found == expected
    more = level(0.1, 60)
    more["attacks"] = again["attacks"]
    titles = [title for title, _ in drawn([*alone, again, more], "sweep")]
    assert [title.rsplit(", ", 1)[1] for title in titles] == ["100 texts of draw 1", "200 texts"]


def test_levels_that_seeds_chose_have_one_label() -> None:
    cards = [level(0.1, 20), level(0.2, 20)]
    cards += [
        flooding_x(accordance=FOUND | {"level": at}, seed=int(100 * at)) for at in (0.1, 0.13)
    ]
    [(_, svg)] = drawn(cards, "sweep")
    assert [words for words in texts(svg) if words.startswith("chosen")] == ["chosen levels b"]


def test_a_sweep_of_longer_training_is_a_figure_of_its_own() -> None:
    short, long = ({"training.epochs": epochs, "task.max_length": 40} for epochs in (8, 24))
    cards = [attacked("finetune", 18, settings=settings) for settings in (short, long)]
    cards += [level(b, 20, settings=settings) for b in (0.1, 0.3) for settings in (short, long)]
    cards.append(level(0.5, 20, settings=long))
    # What only Flooding-X has to set does not part it from the levels it is drawn with.
    cards.append(flooding_x(settings={**short, "accordance.persistence": 2}))
    (first, of_short), (second, of_long) = drawn(cards, "sweep")
    assert first.endswith("(offline), 200 texts, training.epochs = 8")
    assert second.endswith("(offline), 200 texts, training.epochs = 24")
    assert "Flooding-X" in texts(of_short)
    assert "Flooding-X" not in texts(of_long)


def test_epochs_are_a_line_a_method() -> None:
    cards = [
        a_card("finetune", epochs=epochs(0.4, 1)),
        a_card("flooding", flood_level=0.1, epochs=epochs(0.4, 3, 0.1)),
        flooding_x(epochs=epochs(0.4, 3, 0.12)),
    ]
    [(_, svg)] = drawn(cards, "epochs")
    shown = texts(svg)
    for words in ("Fine-tuning", "Flooding, b = 0.1", "Flooding-X", "training loss J", "epoch"):
        assert words in shown
    assert not drawn([a_card("finetune")], "epochs")


def test_the_report_writes_them_into_page_and_files(tmp_path: Path) -> None:
    for number, card in enumerate([*a_sweep(), a_card("pgd", epochs=epochs(0.4, 1))]):
        a_run(tmp_path / str(number), card)
    page = report(tmp_path).read_text()
    for kind in ("sweep", "epochs"):
        assert (tmp_path / "report" / f"{kind}-1.svg").exists()
    assert page.count("<svg") == page.count('<figure role="img"') == 12
    identifiers = re.findall(r'\bid="([^"]*)"', page)
    assert len(identifiers) == len(set(identifiers))


def test_cards_of_single_epochs_are_no_runs(tmp_path: Path) -> None:
    run = a_run(tmp_path / "finetune-seed0", a_card())
    (run / "config.yaml").write_text("")
    write_card(run / "epochs" / "1" / "attacks" / "card.json", a_card("unknown"))
    assert [found.folder for found in find_runs(tmp_path)] == [run]
    merge_epochs(run / "card.json", epochs(0.4, 1))
    assert read_card(run / "card.json")["epochs"] == epochs(0.4, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epoch": 1.5}, r"epochs\[0\]\.epoch': expected a count"),
        ({"train_loss": "low"}, r"epochs\[0\]\.train_loss': expected null or a number"),
        ({"attacks": {"x": {}}}, r"epochs\[0\]\.attacks': 'x' is not RECIPE-PROFILE"),
        ({"attacks": {ATTACK: {}}}, r"epochs\[0\]\.attacks\.textfooler-offline\.num_examples"),
    ],
)
def test_a_wrong_epoch_is_named(tmp_path: Path, change: dict, message: str) -> None:
    write_card(tmp_path / "card.json", a_card())
    with pytest.raises(UserError, match=rf"card\.json: key '{message}"):
        merge_epochs(tmp_path / "card.json", [{**epochs(0.4, 1)[0], **change}])  # type: ignore[typeddict-item]
    with pytest.raises(UserError, match="key 'epochs': expected a list"):
        merge_epochs(tmp_path / "card.json", {})  # type: ignore[arg-type]
    assert "epochs" not in read_card(tmp_path / "card.json")
