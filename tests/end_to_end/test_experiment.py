"""``mindflood run`` and the grid search, from config to report."""

import json
from pathlib import Path

import pytest

from mindflood.config.attack import AttackSection, AttackSettings
from mindflood.config.settings import Config
from mindflood.flooding import choose_flood_level
from mindflood.pipeline import stages
from mindflood.pipeline.grid_search import best, grid
from tests.conftest import read_lines


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_run_trains_exports_attacks_and_reports(write_config, mindflood, tmp_path):
    config = write_config(
        methods=["finetune", {"method": "flooding", "flood_level": 0.6}],
        attack={"recipes": ["textfooler"], "profile": "offline", "num_examples": 4},
    )
    done = mindflood("run", config)
    assert done.returncode == 0, done.stderr
    for name in ("finetune", "flooding"):
        run = tmp_path / "runs" / f"{name}-seed0"
        assert (run / "model" / "model.safetensors").exists()
        assert len(read_lines(run / "attacks" / "textfooler.jsonl")) == 4
        card = json.loads((run / "card.json").read_text())
        assert card["attacks"]["textfooler-offline"]["num_examples"] == 4
        assert name.capitalize() in done.stdout.replace("Fine-tuning", "Finetune")
    page = (tmp_path / "runs" / "report.html").read_text()
    assert "offline" in page
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*.ckpt")}
    again = mindflood("run", config)
    assert again.returncode == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*.ckpt")} == before


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_epoch_is_attacked_and_drawn(write_config, mindflood, tmp_path):
    config = write_config(
        training__keep_epochs=True,
        attack={
            "recipes": ["textfooler"], "profile": "offline", "num_examples": 3,
            "each_epoch": True, "epoch_examples": 2,
        },
    )  # fmt: skip
    done = mindflood("run", config)
    assert done.returncode == 0, done.stderr
    runs = tmp_path / "runs"
    run = runs / "finetune-seed0"
    card = json.loads((run / "card.json").read_text())
    trace = read_lines(run / "trace.jsonl")
    evaluations = read_lines(run / "evaluations.jsonl")
    assert [one["epoch"] for one in card["epochs"]] == [1, 2]
    for number, one in enumerate(card["epochs"]):
        assert one["attacks"]["textfooler-offline"]["num_examples"] == 2
        assert 0 <= one["clean_accuracy"] <= 1
        assert one["eval_loss"] == evaluations[number]["eval_loss"]
        losses = [line["loss"] for line in trace[6 * number : 6 * number + 6]]
        assert one["train_loss"] == pytest.approx(sum(losses) / 6)
    final = card["epochs"][-1]["clean_accuracy"]
    assert final == pytest.approx(card["clean_accuracy"], abs=0.01)
    assert card["attacks"]["textfooler-offline"]["num_examples"] == 3
    assert (runs / "report" / "epochs-1.svg").exists()
    assert "1 run," in (runs / "report.html").read_text()
    again = mindflood("run", config)
    assert again.returncode == 0
    assert "loading TextAttack" not in again.stderr, "nothing is attacked again"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_grid_search_chooses_on_rows_that_no_candidate_saw(write_config, mindflood, tmp_path):
    config = write_config(
        method="flooding-search",
        search={"lower": 0.1, "upper": 0.2, "step": 0.1, "examples": 6},
        attack={"profile": "offline"},
        training={"epochs": 1, "batch_size": 16, "learning_rate": 1e-3},
    )
    done = mindflood("train", config)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / "flooding-search-seed0"
    card = json.loads((run / "card.json").read_text())
    assert card["flood_level_source"] == "search"
    assert card["search"]["choose_on"] == "held-out"
    assert card["search"]["bounds"] == {"from": "fixed", "lower": 0.1, "upper": 0.2}
    levels = [one["flood_level"] for one in card["search"]["candidates"]]
    assert levels == [0.1, 0.2]
    assert card["flood_level"] == best(card["search"]["candidates"])["flood_level"]
    seen, held_out = (
        {line["text"] for line in read_lines(run / "search" / "data" / f"{part}.jsonl")}
        for part in ("train", "test")
    )
    assert len(held_out) == 6
    assert not seen & held_out


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_grid_search_takes_the_range_that_the_probe_found(write_config, mindflood, tmp_path):
    config = write_config(
        method="flooding-search",
        search={"bounds": "accordance", "step": 0.5, "examples": 4},
        attack={"profile": "offline"},
        accordance={"batches": 3},
    )
    done = mindflood("train", config)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / "flooding-search-seed0"
    trace = run / "accordance.jsonl"
    assert trace.read_text() == (run / "search" / "probe-seed0" / "accordance.jsonl").read_text()
    found = choose_flood_level(read_lines(trace))
    card = json.loads((run / "card.json").read_text())
    bounds = card["search"]["bounds"]
    assert bounds["from"] == "accordance"
    assert (bounds["lower"], bounds["upper"]) == (found.lower, found.upper)
    levels = [one["flood_level"] for one in card["search"]["candidates"]]
    assert levels == list(found.grid(0.5))


def test_the_grid_has_both_ends():
    from mindflood.config.settings import SearchSettings

    levels = grid(SearchSettings())
    assert levels == [round(0.01 * n, 2) for n in range(1, 21)]
    assert grid(SearchSettings(lower=0.0, upper=0.1, step=0.04)) == [0.0, 0.04, 0.08]


def test_of_equals_the_lowest_level_is_chosen():
    candidates = [
        {"flood_level": 0.3, "accuracy_under_attack": 0.5},
        {"flood_level": 0.1, "accuracy_under_attack": 0.5},
        {"flood_level": 0.2, "accuracy_under_attack": 0.4},
    ]
    assert best(candidates)["flood_level"] == 0.1


def handed_over(monkeypatch, attack: AttackSection, **how) -> AttackSettings:
    """What the stage of an attack is told."""
    commands = []
    monkeypatch.setattr(stages, "run_verb", lambda *words: commands.append(words))
    stages.attack(Path("run"), Config(attack=attack), "textfooler", None, **how)
    ((*_, told),) = commands
    return AttackSettings.from_json(told)


@pytest.mark.parametrize("allowed", [True, False])
def test_the_config_decides_whether_the_attack_may_load_pickles(monkeypatch, allowed):
    told = handed_over(monkeypatch, AttackSection(allow_pickles=allowed))
    assert told.allow_pickles == allowed


def test_the_config_s_budget_reaches_the_attack(monkeypatch):
    told = handed_over(monkeypatch, AttackSection(max_queries=50, max_seconds=2.5))
    assert (told.max_queries, told.max_seconds) == (50, 2.5)


@pytest.mark.parametrize(("temperature", "held_out"), [("fitted", "dev"), (2.0, None)])
def test_held_out_rows_are_named_where_a_temperature_is_chosen_on_them(
    monkeypatch, temperature, held_out
):
    """The attack refuses them elsewhere, as an option that would be ignored."""
    told = handed_over(monkeypatch, AttackSection(temperature=temperature), calibrated=True)
    assert (told.temperature, told.held_out) == (temperature, held_out)
    plain = handed_over(monkeypatch, AttackSection(temperature=temperature))
    assert (plain.temperature, plain.held_out) == (None, None)
