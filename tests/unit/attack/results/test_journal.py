"""The results file: continued after a kill, never mixed, never written by two."""

import json
import multiprocessing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mindflood.attack.results.journal import Journal
from mindflood.errors import UserError

IDENTITY = {"model": "m", "task": "sst2", "recipe": "textfooler", "seed": 0}
SHARED = ("model", "task")


def open_journal(folder, **changed):
    return Journal(folder, changed.get("recipe", "textfooler"), {**IDENTITY, **changed}, SHARED)


def a_record(index, **changes):
    """A sample that resisted."""
    blank = {"index": index, "result": "failed", "label": 1, "original": ["a film"], "queries": 9}
    return blank | {"original_prediction": 1, "perturbed": None, "seconds": 0.5} | changes


def test_records_survive_closing_and_reopening(tmp_path):
    with open_journal(tmp_path) as journal:
        journal.append(a_record(3, original=["naïve\nlines"]))
    with open_journal(tmp_path) as journal:
        journal.append(a_record(5))
        assert journal.records == [a_record(3, original=["naïve\nlines"]), a_record(5)]


@settings(max_examples=25, deadline=None)
@given(cut=st.integers(1, 250))
def test_a_kill_inside_the_last_line_loses_that_line_only(tmp_path_factory, cut):
    folder = tmp_path_factory.mktemp("killed")
    with open_journal(folder) as journal:
        journal.append(a_record(0, original=["x" * 20]))
        whole = journal.path.read_bytes()
        journal.append(a_record(1, original=["y" * 150]))
        content = journal.path.read_bytes()
    journal.path.write_bytes(content[: max(len(whole), len(content) - cut)])
    with open_journal(folder) as journal:
        assert [record["index"] for record in journal.records] == [0]
        journal.append(a_record(1))
    assert [json.loads(line)["index"] for line in journal.path.read_text().splitlines()] == [0, 1]


def test_a_sample_that_two_have_written_counts_once(tmp_path):
    """Where the file system has no locks; the first record is the one that stays."""
    with open_journal(tmp_path) as journal:
        lines = [a_record(4), a_record(2), a_record(4, queries=12)]
        journal.path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        assert journal.read() == lines[:2]
    with open_journal(tmp_path) as journal:
        assert journal.records == lines[:2]


def test_what_is_on_the_disk_is_read_although_an_interrupt_kept_it_from_being_noted(
    tmp_path, monkeypatch
):
    def interrupted(_):
        raise KeyboardInterrupt

    with open_journal(tmp_path) as journal:
        monkeypatch.setattr("os.fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            journal.append(a_record(4))
        assert journal.read() == [a_record(4)]


@pytest.mark.parametrize(
    ("changed", "named"),
    [({"seed": 1}, "seed"), ({"model": "other"}, "model"), ({"task": "mr"}, "task")],
    ids=["seed", "model", "task"],
)
def test_results_of_another_attack_are_refused(tmp_path, changed, named):
    open_journal(tmp_path).__exit__(None, None, None)
    with pytest.raises(UserError, match=f"another attack.*{named} is"):
        open_journal(tmp_path, **changed)


def test_another_recipe_on_the_same_model_shares_the_folder(tmp_path):
    with open_journal(tmp_path), open_journal(tmp_path, recipe="bae", seed=7) as second:
        second.append(a_record(0))
    assert sorted(path.name for path in tmp_path.glob("*.jsonl")) == [
        "bae.jsonl",
        "textfooler.jsonl",
    ]


def test_another_recipe_on_another_model_does_not(tmp_path):
    open_journal(tmp_path).__exit__(None, None, None)
    with pytest.raises(UserError, match="model is 'm', here 'n'"):
        open_journal(tmp_path, recipe="bae", model="n")


def test_results_without_their_description_are_refused(tmp_path):
    (tmp_path / "textfooler.jsonl").write_text("{}\n")
    with pytest.raises(UserError, match="nothing describes"):
        open_journal(tmp_path)


def _open_in_child(folder, answer):
    try:
        open_journal(folder).__exit__(None, None, None)
        answer.put("opened")
    except UserError as error:
        answer.put(str(error))


def test_two_attacks_cannot_write_to_one_file(tmp_path):
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    with open_journal(tmp_path):
        child = context.Process(target=_open_in_child, args=(tmp_path, answer))
        child.start()
        said = answer.get(timeout=60)
        child.join()
    assert "another attack is writing" in said


def test_results_from_before_a_key_was_kept_go_on(tmp_path):
    with open_journal(tmp_path) as journal:
        journal.append(a_record(3))
    with open_journal(tmp_path, candidates=48, masked_lm=None) as journal:
        assert len(journal.records) == 1
    with pytest.raises(UserError, match="profile is None, here 'paper'"):
        open_journal(tmp_path, profile="paper")
    with (
        open_journal(tmp_path / "new", candidates=48),
        pytest.raises(UserError, match="candidates is 48, here 8"),
    ):
        open_journal(tmp_path / "new", candidates=8)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (a_record(99999), "line 2: row 99999 is not among the 1"),
        (a_record(3, original=["another film"]), "line 2: its original is not the text of row 3"),
        ({"result": "failed"}, "line 2: expected the sample's row"),
        ([], "line 2: expected an object"),
    ],
)
def test_a_foreign_record_is_refused_and_the_file_can_be_opened_again(tmp_path, line, said):
    def opened():
        return Journal(tmp_path, "textfooler", IDENTITY, SHARED, {3: (["a film"], 1)})

    with opened() as journal:
        journal.append(a_record(3))
        content = journal.path.read_bytes()
        journal.path.write_bytes(content + json.dumps(line).encode() + b"\n")
        with pytest.raises(UserError, match=said):
            journal.read()
    with pytest.raises(UserError, match=said):
        opened()
    journal.path.write_bytes(content)
    with opened() as journal:
        assert journal.records == [a_record(3)]
