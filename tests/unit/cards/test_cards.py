"""Cards: written whole, read strictly, updated without losing anything."""

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mindflood.cards.cards import (
    find_cards,
    find_runs,
    merge_attack,
    merge_warnings,
    new_card,
    read_card,
    versions,
    write_card,
)
from mindflood.errors import UserError
from tests.unit.report_runs import a_card, an_attack


def test_a_card_is_read_as_it_was_written(tmp_path: Path) -> None:
    card = a_card("flooding", attacks={"textfooler-offline": an_attack()})
    write_card(tmp_path / "card.json", card)
    assert read_card(tmp_path / "card.json") == card


def test_a_new_card_has_every_key_of_the_contract() -> None:
    card = new_card(task="sst2", method="finetune", seed=1, encoder="embedded")
    assert set(card) == {
        "task", "method", "seed", "encoder", "flood_level", "flood_level_source",
        "clean_accuracy", "train_seconds", "seconds_per_epoch", "attacks", "versions",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "key", "expected"),
    [
        ({"task": ""}, "task", "text"),
        ({"seed": 1.5}, "seed", "null or a whole number"),
        ({"seed": True}, "seed", "null or a whole number"),
        ({"clean_accuracy": 85.3}, "clean_accuracy", "a fraction between 0 and 1"),
        ({"clean_accuracy": float("nan")}, "clean_accuracy", "a fraction between 0 and 1"),
        ({"flood_level": -0.1}, "flood_level", "a number ≥ 0"),
        ({"flood_level_source": "guess"}, "flood_level_source", "accordance"),
        ({"train_seconds": "12"}, "train_seconds", "a number ≥ 0"),
        ({"attacks": []}, "attacks", "an object"),
        ({"versions": {"torch": 2}}, "versions.torch", "a version"),
        ({"attacks": {"textfooler": an_attack()}}, "attacks", "RECIPE-PROFILE"),
        ({"attacks": {"pso-paper": an_attack(failed=-1)}}, "attacks.pso-paper.failed", "0 or more"),
        ({"attacks": {"pso-paper": an_attack(replaced="all")}}, "pso-paper.replaced", "a list"),
        ({"data": {"train": 2, "test": "all", "words": None}}, "data.test", "a count"),
        ({"model": None}, "model", "text"),
        ({"warnings": "doubtful"}, "warnings", "a list of sentences"),
        ({"attacks": {"pso-paper": an_attack(warnings=[1])}}, "pso-paper.warnings", "sentences"),
    ],
)
def test_a_wrong_value_is_named_with_its_file(
    tmp_path: Path, change: dict[str, Any], key: str, expected: str
) -> None:
    path = tmp_path / "card.json"
    path.write_text(json.dumps({**a_card(), **change}), encoding="utf-8")
    with pytest.raises(UserError) as raised:
        read_card(path)
    message = str(raised.value)
    assert str(path) in message
    assert key in message
    assert expected in message


NOISE = {
    "alpha": [0.0, 0.1], "loss": [0.4, 0.5], "accuracy": [0.8, 0.7],
    "num_examples": 9, "draws": 1, "seed": 0,
}  # fmt: skip
BALL = {
    "max_increment": 0.1, "quartiles": [0.0, 0.2], "natural_loss": 0.1, "radius": 0.5,
    "num_examples": 9, "steps": 3, "restarts": 1, "without_radius": 1, "of_largest_radius": 0,
}  # fmt: skip
IN = {"task": "mr", "accuracy": 0.8, "num_examples": 9}
OF_ALL = {"noise": NOISE, "ball": {"x": BALL}, "generalisation": {"in": IN, "out": [IN]}}


@pytest.mark.parametrize(
    ("analyses", "key", "expected"),
    [
        ({"noise": {"alpha": [0.0]}}, "noise.loss", "a list of numbers"),
        ({"noise": NOISE | {"loss": [0.4]}}, "noise.alpha", "as many numbers as"),
        ({"noise": NOISE | {"loss": [0.4, None]}}, "noise.loss", "a list of numbers"),
        ({"ball": {"x": 3}}, "ball.x", "an object"),
        ({"ball": {"x": {"max_increment": 1}}}, "ball.x.quartiles", "two numbers"),
        ({"ball": {"x": BALL | {"quartiles": [1]}}}, "ball.x.quartiles", "two numbers"),
        ({"ball": {"x": BALL | {"texts": 3}}}, "ball.x.texts", "text"),
        ({"ball": 3}, "ball", "an object"),
        ({"generalisation": {"in": 1, "out": []}}, "generalisation.in", "an object"),
        ({"generalisation": {"in": IN}}, "generalisation.out", "a list"),
        ({"generalisation": {"in": IN, "out": [{}]}}, "generalisation.out[0].task", "text"),
    ],
)
def test_a_wrong_analysis_is_named(tmp_path, analyses, key, expected) -> None:
    path = tmp_path / "card.json"
    path.write_text(json.dumps({**a_card(), "analyses": OF_ALL | analyses}), encoding="utf-8")
    with pytest.raises(UserError, match=rf"'analyses\.{re.escape(key)}.*: expected {expected}"):
        read_card(path)


def test_an_analysis_may_warn(tmp_path):
    from mindflood.report.tables.notes import warning_notes

    card = a_card(analyses={"noise": NOISE | {"warnings": ["the model answers 'a' to every row"]}})
    write_card(tmp_path / "card.json", card)
    assert warning_notes([read_card(tmp_path / "card.json")]) == [
        "Warning, Fine-tuning on SST-2, seed 0, analysis of noise: the model answers 'a' to every "
        "row."
    ]
    with pytest.raises(UserError, match=r"analyses\.noise\.warnings': expected a list of sent"):
        write_card(tmp_path / "card.json", a_card(analyses={"noise": NOISE | {"warnings": 1}}))


def test_the_card_of_every_analysis_is_right(tmp_path) -> None:
    card: Any = a_card(analyses=OF_ALL)
    write_card(tmp_path / "card.json", card)
    assert read_card(tmp_path / "card.json") == card


@pytest.mark.parametrize("key", sorted(a_card()))
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    card: dict[str, Any] = dict(a_card())
    del card[key]
    path = tmp_path / "card.json"
    path.write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(UserError, match=f"key '{key}' is missing"):
        read_card(path)


@pytest.mark.parametrize("text", ["[]", "3", '"card"', "{", ""], ids=repr)
def test_what_is_no_card_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "card.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"card\.json"):
        read_card(path)


def test_a_wrong_card_is_not_written(tmp_path: Path) -> None:
    write_card(tmp_path / "card.json", a_card())
    with pytest.raises(UserError):
        write_card(tmp_path / "card.json", a_card(clean_accuracy=2.0))
    assert read_card(tmp_path / "card.json") == a_card()


def test_cards_are_found_at_any_depth_but_not_half_written_ones(tmp_path: Path) -> None:
    for folder in ("b", "a/deep/er", ".model.x1.part"):
        write_card(tmp_path / folder / "card.json", a_card())
    assert find_cards(tmp_path) == [tmp_path / "a/deep/er/card.json", tmp_path / "b/card.json"]
    assert [run.folder for run in find_runs(tmp_path)] == [tmp_path / "a/deep/er", tmp_path / "b"]


def test_candidates_of_a_search_are_no_runs(tmp_path: Path) -> None:
    run = tmp_path / "flooding-search"
    for folder in (run, run / "search" / "b0.05", tmp_path / "search" / "kept"):
        write_card(folder / "card.json", a_card())
    (run / "config.yaml").write_text("method: flooding-search\n", encoding="utf-8")
    assert find_cards(tmp_path) == [run / "card.json", tmp_path / "search/kept/card.json"]
    assert find_cards(run) == [run / "card.json"]
    assert find_cards(run / "search") == [run / "search/b0.05/card.json"]


def test_a_folder_without_cards_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no card\.json"):
        find_cards(tmp_path)
    with pytest.raises(UserError, match="no such folder"):
        find_cards(tmp_path / "absent")


def test_merging_keeps_other_attacks_and_unknown_keys(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    card: Any = {**a_card(attacks={"pso-paper": an_attack()}), "noise": {"alpha": [0.1]}}
    write_card(path, card)
    merge_attack(path, "textfooler-offline", an_attack(failed=3))
    merged: Any = read_card(path)
    assert list(merged["attacks"]) == ["pso-paper", "textfooler-offline"]
    assert merged["attacks"]["textfooler-offline"]["failed"] == 3
    assert merged["noise"] == {"alpha": [0.1]}


def test_warnings_are_added_once(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    write_card(path, a_card())
    merge_warnings(path, ["one class only is predicted"])
    merge_warnings(path, ["one class only is predicted", "the accuracy is below chance"])
    expected = ["one class only is predicted", "the accuracy is below chance"]
    assert read_card(path)["warnings"] == expected


def test_attacks_that_end_together_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    write_card(path, a_card())
    keys = [f"recipe{number}-offline" for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: merge_attack(path, key, an_attack()), keys))
    assert set(read_card(path)["attacks"]) == set(keys)


def test_merging_into_no_card_needs_one_to_begin_with(tmp_path: Path) -> None:
    path = tmp_path / "out" / "card.json"
    with pytest.raises(UserError, match="no such file"):
        merge_attack(path, "pso-paper", an_attack())
    merge_attack(path, "pso-paper", an_attack(), otherwise=a_card())
    assert list(read_card(path)["attacks"]) == ["pso-paper"]


def test_versions_are_found_without_importing_the_packages() -> None:
    assert {"numpy", "pandas"} <= set(versions())
    code = (
        "import sys; from mindflood.cards.cards import versions; versions(); "
        "print([name for name in ('torch', 'mindspore', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (10**5000, "what is too long or too deep to be shown"),
        (10**16, "'10000000000000000'"),
        (float("inf"), "'inf'"),
        (True, "'True'"),
        ("3", "'3'"),
        (3.0, "'3.0'"),
        ([[[]]], r"'\[\[\[\]\]\]'"),
        (None, "'None'"),
    ],
    ids=["digits", "large", "infinite", "truth", "text", "fraction", "nested", "null"],
)
def test_a_hostile_count_is_one_line(tmp_path: Path, value: object, shown: str) -> None:
    card = a_card(attacks={"pso-paper": an_attack() | {"failed": value}})
    said = rf"'attacks\.pso-paper\.failed': expected a count \(0 or more\), found {shown}$"
    with pytest.raises(UserError, match=said):
        write_card(tmp_path / "card.json", card)
    assert not (tmp_path / "card.json").exists()


def test_a_card_is_written_as_it_is_given(tmp_path: Path) -> None:
    """Whole numbers stay whole, keys keep their order, further keys stay: the check copies none."""
    attack = {"mine": "é", **an_attack(seconds=84, audit=AUDIT)}
    card: Any = {"of a newer version": {"x": 1e-7}, **a_card(attacks={"pso-paper": attack})}
    card["train_seconds"] = 400
    write_card(tmp_path / "card.json", card)
    written = (tmp_path / "card.json").read_text(encoding="utf-8")
    assert written == json.dumps(card, indent=2) + "\n"
    assert json.dumps(read_card(tmp_path / "card.json"), indent=2) + "\n" == written


AUDIT = {
    "graded": 3, "same": 1, "changed": 1, "unclear": 1, "english": 3, "keeps_label": 1 / 3,
    "still_english": 1, "validated_accuracy": 0.5, "sheet": "sheet.csv",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"graded": 4}, r"audit\.graded': expected same \+ changed \+ unclear, above 0, found '4'"),
        ({"english": 4}, r"audit\.english': expected at most 3 graded, found '4'"),
        (
            {"graded": 999, "same": 997},
            r"audit\.graded': expected at most 148 succeeded, found '999'",
        ),
    ],
)
def test_an_audit_adds_up(tmp_path: Path, change: dict[str, int], said: str) -> None:
    card = a_card(attacks={"pso-paper": an_attack(audit=AUDIT | change)})
    with pytest.raises(UserError, match=rf"'attacks\.pso-paper\.{said}"):
        write_card(tmp_path / "card.json", card)
