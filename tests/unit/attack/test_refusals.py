"""What is wrong with an attack is told before TextAttack and the model are loaded."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mindflood.attack.chosen import chosen_rows
from mindflood.attack.results.identity import settings_of
from mindflood.cards.cards import write_card
from mindflood.cli import main
from mindflood.config.attack import AttackSettings
from mindflood.data.tasks import get_task
from mindflood.files import write_json
from mindflood.process import module_command
from tests.conftest import ROOT
from tests.unit.report_runs import a_card, an_example, lines


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """A command line whose model has the files that one needs, its weights as yet unread."""
    model = a_model(tmp_path / "model", "")
    return ["attack", str(model), "--task", "corpus", "--recipe", "textfooler", "--out"]


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_an_out_below_a_file(words, capsys, tmp_path):
    (tmp_path / "notes").write_text("mine")
    assert "part of that path is a file" in refused([*words, str(tmp_path / "notes/x/y")], capsys)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_out_without_permission(words, capsys, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    assert "no permission to write there" in refused([*words, str(closed / "out")], capsys)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder that nobody writes to")
def test_an_out_in_a_file_system_that_takes_no_files(words, capsys):
    assert "/proc/self/out: cannot write" in refused([*words, "/proc/self/out"], capsys)


@pytest.mark.parametrize("option", ["--max-queries", "--max-seconds", "--at-once"])
def test_limits_that_allow_nothing(words, capsys, tmp_path, option):
    line = refused([*words, str(tmp_path / "out"), option, "0"], capsys)
    assert f"{option}: expected " in line
    assert not (tmp_path / "out").exists()


def test_the_card_of_another_task(words, capsys, tmp_path):
    write_card(tmp_path / "out" / "card.json", a_card())
    line = refused([*words, str(tmp_path / "out")], capsys)
    assert "a card of task 'sst2', not 'corpus'" in line


def test_a_run_of_another_task(words, capsys, tmp_path):
    words[1] = str(a_model(tmp_path / "run" / "model", "its own").parent)
    for task, said in (("mrpc", "not_equivalent, equivalent apart in 2"), ("cola", "in 1")):
        write_card(tmp_path / "run" / "card.json", a_card("flooding"))
        line = refused([*words, str(tmp_path / "out"), "--task", task], capsys)
        assert "was trained on task sst2, which tells negative, positive apart in 1 text(s)" in line
        assert said in line


def a_model(folder: Path, weights: str) -> Path:
    """The files that a model has, with other weights than others."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_text(weights)
    return folder


@pytest.mark.parametrize("out", ["run/attacks", "run"])
def test_the_card_of_a_run_takes_no_other_model_s_numbers(words, capsys, tmp_path, out):
    write_card(tmp_path / "run" / "card.json", a_card("flooding", task="corpus"))
    a_model(tmp_path / "run" / "model", "another's")
    line = refused([*words, str(tmp_path / out)], capsys)
    assert f"{tmp_path / 'run' / 'card.json'}: the card of another model (fingerprint" in line
    assert "choose another --out" in line


def test_a_run_without_an_export_tells_of_no_model(words, capsys, tmp_path):
    write_card(tmp_path / "run" / "card.json", a_card("flooding", task="corpus"))
    line = refused([*words, str(tmp_path / "run" / "attacks")], capsys)
    assert f"its model is not in {tmp_path / 'run' / 'model'}; export it there" in line


def test_a_stranger_s_card_is_of_one_model(words, capsys, tmp_path):
    """Also where the files that describe its attacks were deleted."""
    stranger = a_card("unknown", task="corpus", model="0123456789abcdef")
    write_card(tmp_path / "out" / "card.json", stranger)
    line = refused([*words, str(tmp_path / "out")], capsys)
    assert "the card of another model (fingerprint 0123456789abcdef, here " in line


def test_a_card_keeps_its_model_s_name(words, capsys, tmp_path):
    out = tmp_path / "out"
    write_card(out / "card.json", a_card("unknown", encoder="theirs", task="corpus"))
    line = refused([*words, str(out), "--name", "ours"], capsys)
    assert f"--name ours: {out / 'card.json'} calls it 'theirs'; choose another --out" in line
    write_card(out / "card.json", a_card("flooding", task="corpus"))
    line = refused([*words, str(out), "--name", "ours"], capsys)
    assert "is the card of a run, which 'name' of its config names; leave it out" in line


def test_a_model_goes_on_to_its_own_card(tmp_path):
    from mindflood.attack.results.card import check_model
    from mindflood.attack.victim.folder import model_fingerprint

    fingerprint = model_fingerprint(a_model(tmp_path / "model", "its own"))
    card = tmp_path / "card.json"
    check_model(card, fingerprint)  # there is none yet
    for found in (a_card("flooding"), a_card("unknown"), a_card("unknown", model=fingerprint)):
        write_card(card, found)
        check_model(card, fingerprint)


def test_a_model_that_neither_the_hub_nor_its_cache_has(tmp_path):
    environment = os.environ | {
        "HF_HOME": str(tmp_path / "home"),
        "HF_ENDPOINT": "http://127.0.0.1:9",  # the port that discards: nobody listens
        "PYTHONPATH": str(ROOT),
    }
    for variable in ("HF_HUB_OFFLINE", "HF_HUB_CACHE"):
        environment.pop(variable, None)
    command = module_command("mindflood", "attack", "some/model-not")
    command += ["--task", "corpus", "--recipe", "textfooler", "--out", str(tmp_path / "out")]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("mindflood: error: some/model-not: no such folder, and the hub does not")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--num-examples", "0"], "--num-examples: expected at least 1, not 0"),
        (
            ["--recipe", "textfoler"],
            "--recipe: unknown 'textfoler'; did you mean 'textfooler'? (known: textfooler",
        ),
        (
            ["--profile", "online"],
            "--profile: unknown 'online'; did you mean 'offline'? (known: offline, paper)",
        ),
        (["--task", "sst3"], "task 'sst3': no such task; did you mean 'sst2'?"),
        (["--columns", "second"], "--columns second: task corpus has a single text ('text')"),
        (["--columns", "premise"], "--columns: unknown 'premise' (known: both, first, second)"),
        (["--shard", "5/4"], "--shard 5/4: expected i/n with 1 <= i <= n"),
        (["--num-examples", "2", "--shard", "1/3"], "there are 2 samples"),
        (
            ["--temperature", "hot"],
            "--temperature: expected a number or fitted or weakest, not 'hot'",
        ),
        (
            ["--temperature", "fitted", "--held-out", "validation"],
            "--held-out: unknown 'validation' (known: train, dev, test)",
        ),
        (["--held-out", "dev"], "--held-out dev: only '--temperature fitted' and 'weakest' look"),
        (["--temperature", "2", "--held-out", "dev"], "--held-out dev: only '--temperature fitt"),
        (["--candidates", "8"], "--candidates 8: textfooler has no such setting, only bert-attack"),
        (
            ["--recipe", "bert-attack", "--candidates", "0"],
            "--candidates: expected at least 1, not 0",
        ),
        (["--masked-lm", "x"], "--masked-lm x: textfooler (offline) asks no such model, only bert"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_value_that_does_not_fit(words, capsys, tmp_path, more, message):
    assert message in refused([*words, str(tmp_path / "out"), *more], capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("log", ["notes/log.csv", "folder"])
def test_a_log_that_cannot_be_written(words, capsys, tmp_path, log):
    (tmp_path / "notes").write_text("mine")
    (tmp_path / "folder").mkdir()
    line = refused([*words, str(tmp_path / "out"), "--csv", str(tmp_path / log)], capsys)
    assert f"{tmp_path / log.partition('/')[0]}: cannot write: " in line
    assert not (tmp_path / "out").exists()


def test_a_log_over_another_file(words, capsys, tmp_path):
    """Before anything is attacked, and the data that are attacked above all."""
    data = tmp_path / "reviews.csv"
    data.write_text("text,label\na film,1\n")
    out = str(tmp_path / "out")
    line = refused([*words, out, "--data", str(data), "--csv", str(data)], capsys)
    assert f"{data}: is there, and is no log of an attack; name another with --csv" in line
    assert data.read_text() == "text,label\na film,1\n"
    assert "/dev/null: is no file" in refused([*words, out, "--csv", "/dev/null"], capsys)
    assert not (tmp_path / "out").exists()


def test_every_row_attacked_leaves_none_for_a_temperature(words, capsys, tmp_path):
    more = ["--temperature", "fitted", "--split", "dev", "--num-examples", "100000"]
    line = refused([*words, str(tmp_path / "out"), *more], capsys)
    assert "of the rows of split dev, " in line
    assert ", 0 are not attacked" in line
    assert "--held-out" in line


def test_ray_that_is_not_installed(words, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    line = refused([*words, str(tmp_path / "out"), "--ray"], capsys)
    assert "pip install 'mindflood[ray]'" in line


def test_a_folder_that_is_not_a_model(words, capsys, tmp_path):
    (tmp_path / "notes").mkdir()
    words[1] = str(tmp_path / "notes")
    assert "not a model: there is no config.json" in refused([*words, str(tmp_path)], capsys)


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--seed", "1", "seed is 0, here 1"),
        ("--num-examples", "6", "num_examples is 5, here 6"),
        ("--max-queries", "50", "max_queries is None, here 50"),
        ("--shard", "1/2", "shard is None, here '1/2'"),
    ],
)
def test_another_setting_in_the_same_folder_is_named(words, capsys, tmp_path, option, value, told):
    """Not a hash of the rows that it leads to, and before anything heavy is loaded."""
    task, out = get_task("corpus"), tmp_path / "out"
    settings = AttackSettings(model="model", task=task, recipe="textfooler")
    before = settings_of(settings, chosen_rows(task, None, None, 5, 0)) | {"examples": "0" * 16}
    write_json(out / "textfooler.meta.json", before)
    line = refused([*words, str(out), "--num-examples", "5", option, value], capsys)
    assert f"{out}: holds results of another attack (textfooler.meta.json: {told})" in line


def test_the_record_of_another_sample_is_named_before_anything_heavy_is_loaded(
    words, capsys, tmp_path
):
    results = tmp_path / "out" / "textfooler.jsonl"
    lines(results, [an_example("a film", "a movie", index=99999)])
    line = refused([*words, str(results.parent), "--num-examples", "5"], capsys)
    assert f"{results}, line 1: row 99999 is not among the 5 that are attacked here" in line


def test_another_number_of_classes_than_the_model_s(words, capsys, tmp_path):
    names = {"id2label": {"0": "bad", "1": "good"}}
    write_json(Path(words[1]) / "config.json", names)
    data = tmp_path / "test.csv"
    data.write_text("review,stars\na,bad\nb,mixed\nc,good\n")
    own = ["--data", str(data), "--text", "review", "--label", "stars", "--labels"]
    described = [*words[:2], *words[4:-1], *own, "bad", "good", "mixed"]
    said = "the model has 2 labels and the task has 3; choose the task it was trained on"
    assert said in refused([*described, "--out", str(tmp_path / "out")], capsys)
    line = refused([*words, str(tmp_path / "out"), "--task", "ag_news"], capsys)
    assert "the model has 2 labels and the task has 4" in line
    assert not (tmp_path / "out").exists()


def test_a_prediction_of_a_model_of_choices(words, capsys, monkeypatch):
    write_json(Path(words[1]) / "config.json", {"architectures": ["BertForMultipleChoice"]})
    monkeypatch.setitem(sys.modules, "mindflood.attack.victim.wrapper", None)  # not to be imported
    line = refused(["predict", words[1], "hello"], capsys)
    assert "attacks, predictions and analyses are for classifiers" in line
