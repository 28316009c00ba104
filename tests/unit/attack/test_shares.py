"""Shares of an attack: every sample in one of them, and merged into what the whole would be."""

import json
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindflood.attack.chosen import SHARE_CARD, Share
from mindflood.attack.results.identity import card_key, examples_fingerprint, summary_of
from mindflood.attack.results.merge import merge_shares
from mindflood.attack.victim.folder import model_fingerprint
from mindflood.cards.cards import find_cards, read_card, write_card
from mindflood.cli import main
from mindflood.data.sources import Examples
from mindflood.errors import UserError
from tests.unit.report_runs import a_card, lines

TEXTS = [f"text number {row}" for row in range(11)]
ROWS = [3, 4, 9, 12, 15, 16, 17, 20, 31, 40, 41]


def record(place):
    result = ("failed", "succeeded", "skipped")[place % 3]
    return {
        "index": ROWS[place],
        "result": result,
        "label": place % 2,
        "original_prediction": 1 - place % 2 if result == "skipped" else place % 2,
        "original_probability": 0.6 + 0.03 * place,
        "queries": 10 + place,
        "seconds": 0.5,
        "original": [TEXTS[place]],
        "perturbed": [TEXTS[place].upper()] if result == "succeeded" else None,
        "perturbed_prediction": 1 - place % 2 if result == "succeeded" else None,
    }


def identity(**changes):
    labels = np.array([place % 2 for place in range(len(ROWS))])
    fingerprint = examples_fingerprint(Examples(tuple((text,) for text in TEXTS), labels))
    return {
        "model": "m", "task": "sst2", "split": "dev", "examples": fingerprint,
        "num_examples": len(ROWS), "seed": 0, "recipe": "textfooler", "profile": "offline",
        "fingerprint": "f", "replaced": [], "columns": None, "calibration": None, "shard": None,
    } | changes  # fmt: skip


@pytest.fixture
def shares(tmp_path):
    """Three folders as ``mindflood attack --shard`` leaves them; records as they were finished."""
    folders = []
    for number in (1, 2, 3):
        folder = tmp_path / f"share{number}"
        places = Share(number, 3).rows(np.arange(len(ROWS)))
        lines(folder / "textfooler.jsonl", [record(int(place)) for place in reversed(places)])
        meta = identity(shard=f"{number}/3")
        (folder / "textfooler.meta.json").write_text(json.dumps(meta))
        card = a_card("unknown", clean_accuracy=0.9 if number == 1 else None)
        write_card(folder / SHARE_CARD, card)
        folders.append(folder)
    return folders


@given(st.integers(1, 60), st.data())
def test_the_shares_are_a_partition_of_the_rows(count, data):
    of = data.draw(st.integers(1, count))
    rows = np.arange(count) * 7
    parts = [Share(number, of).rows(rows) for number in range(1, of + 1)]
    assert sorted(np.concatenate(parts)) == list(rows)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "1/0", "a/b", "1/4/2", "-1/4", "1.0/2", ""])
def test_what_is_no_share(text):
    with pytest.raises(UserError, match="expected i/n"):
        Share.parse(text)


def test_more_shares_than_samples():
    with pytest.raises(UserError, match="there are 3 samples"):
        Share(1, 4).rows(np.arange(3))


def test_merged_in_any_order_they_are_the_whole(shares, tmp_path):
    out = tmp_path / "out"
    found = merge_shares([shares[2], shares[0], shares[1]], out)
    whole = [record(place) for place in range(len(ROWS))]
    merged = [json.loads(line) for line in (out / "textfooler.jsonl").read_text().splitlines()]
    assert merged == whole
    assert json.loads((out / "textfooler.meta.json").read_text()) == identity()
    expected = summary_of(whole, identity())
    card = read_card(out / "card.json")
    assert card["attacks"] == {card_key(identity()): expected} == found
    assert card["clean_accuracy"] == 0.9
    assert merge_shares(shares, out) == found  # once more changes nothing


def test_into_the_card_of_a_run(shares, tmp_path):
    write_card(tmp_path / "run" / "card.json", a_card("flooding"))
    model = tmp_path / "run" / "model"
    model.mkdir()
    (model / "config.json").touch()
    with pytest.raises(UserError, match=r"the card of another model .*, here m.; choose another"):
        merge_shares(shares, tmp_path / "run" / "attacks")
    assert not (tmp_path / "run" / "attacks").exists()
    for share in shares:
        change(share, model=model_fingerprint(model))
    merge_shares(shares, tmp_path / "run" / "attacks")
    card = read_card(tmp_path / "run" / "card.json")
    assert card["attacks"]["textfooler-offline"]["num_examples"] == len(ROWS)
    assert card["method"] == "flooding"
    assert not (tmp_path / "run" / "attacks" / "card.json").exists()


def test_a_report_takes_no_share_for_a_model(shares, tmp_path):
    merge_shares(shares, tmp_path / "out")
    assert find_cards(tmp_path) == [tmp_path / "out" / "card.json"]


def change(folder, **changed):
    meta = folder / "textfooler.meta.json"
    meta.write_text(json.dumps(json.loads(meta.read_text()) | changed))


def drop_line(folder):
    results = folder / "textfooler.jsonl"
    results.write_text("".join(results.read_text().splitlines(keepends=True)[:-1]))


def repeat_line(folder):
    results = folder / "textfooler.jsonl"
    first = results.read_text().splitlines(keepends=True)[0]
    drop_line(folder)
    results.write_text(results.read_text() + first)


def edit_text(folder):
    results = folder / "textfooler.jsonl"
    results.write_text(results.read_text().replace("text number 1", "text numero 1"))


def another_recipe(folder):
    shutil.copy(folder / "textfooler.meta.json", folder / "bae.meta.json")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: change(folder, model="n"), "share2: a share of another attack.*model is"),
        (lambda folder: change(folder, seed=1), "seed is 1, there 0"),
        (lambda folder: change(folder, shard="2/4"), "share 2/4, and .*share1 1/3"),
        (lambda folder: change(folder, shard="1/3"), "share 1/3, as .*share1 does"),
        (lambda folder: change(folder, shard=None), "not a share, but a whole attack"),
        (drop_line, "share 2/3 is unfinished .3 of 4 samples"),
        (repeat_line, "share 2/3 is unfinished .3 of 4 samples"),
        (edit_text, "not the samples of the attack"),
        (another_recipe, "holds shares of bae, textfooler"),
        (lambda folder: shutil.rmtree(folder), "share2: no share of an attack there"),
    ],
    ids=[
        "model", "seed", "count", "twice", "whole", "unfinished", "overlap", "texts", "recipes",
        "no folder",
    ],
)  # fmt: skip
def test_shares_that_do_not_make_a_whole(shares, tmp_path, capsys, spoil, message):
    spoil(shares[1])
    out = tmp_path / "out"
    assert main(["merge-attacks", *map(str, shares), "--out", str(out)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    with pytest.raises(UserError, match=message):
        merge_shares(shares, out)
    assert line.startswith("mindflood: error: ")
    assert not out.exists()


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ("bae", r"make it once with 'mindflood masked-lm'.* --masked-lm FOLDER"),
        ("textfooler", "give every machine the same packages"),
    ],
)
def test_shares_of_machines_with_other_resources_say_what_mends_it(
    shares, tmp_path, recipe, message
):
    for number, folder in enumerate(shares):
        change(folder, recipe=recipe, fingerprint=f"f{number}")
    with pytest.raises(UserError, match=f"fingerprint is 'f1', there 'f0'; .*{message}"):
        merge_shares(shares, tmp_path / "out")


def test_a_share_that_was_killed_while_it_measured_the_accuracy(shares, tmp_path, capsys):
    write_card(shares[0] / SHARE_CARD, a_card("unknown", clean_accuracy=None))
    out = tmp_path / "out"
    assert main(["merge-attacks", *map(str, shares), "--out", str(out)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "share1: share 1/3 is unfinished (the model's clean accuracy is not measured)" in line
    assert "its command, given again, continues it" in line
    assert not out.exists()


def test_shares_that_chose_temperatures_of_their_own_need_one_number(shares, tmp_path):
    for number, folder in enumerate(shares):
        chosen = {"temperature": 1.5 + number, "source": "fitted", "held_out": "dev", "rows": 30}
        change(folder, calibration=chosen)
    with pytest.raises(UserError, match=r"calibration is .*; .* such as --temperature 1\.5$"):
        merge_shares(shares, tmp_path / "out")


def test_a_share_that_is_missing(shares, tmp_path):
    with pytest.raises(UserError, match="share 2/3 is missing"):
        merge_shares([shares[0], shares[2]], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_other_results_are_never_overwritten(shares, tmp_path):
    out = tmp_path / "out"
    merge_shares(shares, out)
    drop_line(out)
    with pytest.raises(UserError, match="holds results already"):
        merge_shares(shares, out)
    change(out, model="other")
    with pytest.raises(UserError, match="results of another attack"):
        merge_shares(shares, out)
