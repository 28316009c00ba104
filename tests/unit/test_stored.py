"""Results that were put away with gzip give the same report."""

import gzip
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mindflood.cards.cards import find_runs
from mindflood.cards.records import read_records
from mindflood.errors import UserError
from mindflood.files import read_json_lines
from mindflood.report.page import every_table
from mindflood.report.verdict import verdicts
from mindflood.stored import read_stored, store, stored
from tests.conftest import ROOT
from tests.unit.report.test_verdict import KEPT_31, KEPT_52, a_model
from tools.keep_results import keep


def test_what_is_kept_gives_the_same_tables_and_verdict(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    for method, kept in (("finetune", KEPT_31), ("flooding-x", KEPT_52)):
        run = a_model(runs, method, kept)
        (run.folder / "card.json").write_text(card_text(run.card))
        (run.folder / "weights.ckpt").write_bytes(b"large")
    assert keep(runs, tmp_path / "results") == 2
    kept_files = {path.name for path in (tmp_path / "results").rglob("*") if path.is_file()}
    assert kept_files == {"card.json", "textfooler.jsonl.gz", "textfooler.meta.json"}
    before, after = (find_runs(folder) for folder in (runs, tmp_path / "results"))
    assert every_table(before) == every_table(after)
    assert verdicts(before) == verdicts(after)


def test_a_later_seed_is_kept_beside_the_others(tmp_path: Path) -> None:
    runs, kept = tmp_path / "runs", tmp_path / "results"

    def trained(method: str) -> Path:
        run = a_model(runs, method, KEPT_31)
        (run.folder / "card.json").write_text(card_text(run.card))
        return run.folder

    first = trained("finetune")
    assert keep(runs, kept) == 1
    before = {path: path.read_bytes() for path in kept.rglob("*") if path.is_file()}
    trained("flooding-x")
    assert keep(runs, kept) == 1
    assert keep(runs, kept) == 0
    assert len(find_runs(kept)) == 2

    card = first / "card.json"
    card.write_text(card.read_text().replace('"seed": 0', '"seed": 7'))
    trained("pgd")
    with pytest.raises(UserError, match=r"finetune.*card\.json: is not the card of"):
        keep(runs, kept)
    assert len(find_runs(kept)) == 2  # nothing was added
    assert {path: path.read_bytes() for path in before} == before


def test_a_kept_config_has_no_folders_of_the_machine(tmp_path: Path, write_config) -> None:
    run = a_model(tmp_path / "runs", "finetune", KEPT_31)
    (run.folder / "card.json").write_text(card_text(run.card))
    text = write_config(task__data=str(tmp_path / "sst2")).read_text("utf-8")
    (run.folder / "config.yaml").write_text(text)
    keep(tmp_path / "runs", tmp_path / "results")
    (kept,) = (tmp_path / "results").rglob("config.yaml")
    before, after = yaml.safe_load(text), yaml.safe_load(kept.read_text("utf-8"))
    assert after["task"].pop("data") == "sst2"
    assert after.pop("output") == "runs"
    assert after.pop("encoder") == Path(before.pop("encoder")).name
    del before["task"]["data"], before["output"]
    assert after == before


def test_a_kept_card_has_no_folder_of_the_machine(tmp_path: Path) -> None:
    run = a_model(tmp_path / "runs", "finetune", KEPT_31)
    card = run.folder / "card.json"
    card.write_text(card_text(run.card | {"encoder": "/home/me/mpnet/, first 3 of 12 layers"}))
    assert keep(tmp_path / "runs", tmp_path / "results") == 1
    assert keep(tmp_path / "runs", tmp_path / "results") == 0
    (kept,) = find_runs(tmp_path / "results")
    assert kept.card == run.card | {"encoder": "mpnet, first 3 of 12 layers"}


def test_a_config_that_is_no_yaml_is_told_before_anything_is_written(tmp_path: Path) -> None:
    run = a_model(tmp_path / "runs", "finetune", KEPT_31)
    (run.folder / "card.json").write_text(card_text(run.card))
    (run.folder / "config.yaml").write_text("output: [runs")
    with pytest.raises(UserError, match=r"config\.yaml: expected a YAML file: line 1"):
        keep(tmp_path / "runs", tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_no_committed_config_has_folders_of_a_machine() -> None:
    for config in (ROOT / "results").rglob("config.yaml"):
        text = config.read_text("utf-8")
        assert not re.search(r"""^\s*(- |\w+: )['"]?~?/""", text, re.MULTILINE), config


def card_text(card: object) -> str:
    import json

    return json.dumps(card)


@given(st.binary(max_size=500))
def test_a_packed_file_reads_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = tmp_path_factory.mktemp("packed")
    (folder / "lines").write_bytes(data)
    store(folder / "lines", stored(folder / "away"))
    assert read_stored(folder / "away") == data
    first = stored(folder / "away").read_bytes()
    store(folder / "lines", stored(folder / "away"))
    assert stored(folder / "away").read_bytes() == first


def test_a_file_that_is_there_counts_before_the_packed_one(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    assert read_json_lines(path) == []
    stored(path).write_bytes(gzip.compress(b'{"a": 1}\n'))
    assert read_json_lines(path) == [{"a": 1}]
    path.write_text('{"a": 2}\n')
    assert read_json_lines(path) == [{"a": 2}]


@pytest.mark.parametrize("damage", [b"no gzip", gzip.compress(b"x" * 9999, mtime=0)[:-9]])
def test_a_damaged_packed_file_is_one_line(tmp_path: Path, damage: bytes) -> None:
    stored(tmp_path / "pwws.jsonl").write_bytes(damage)
    with pytest.raises(UserError, match=r"pwws\.jsonl\.gz: cannot be unpacked"):
        read_records(tmp_path / "pwws.jsonl")


def test_a_small_file_that_unpacks_to_a_huge_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mindflood.stored._LARGEST", 1 << 20)
    stored(tmp_path / "pwws.jsonl").write_bytes(gzip.compress(bytes((1 << 20) + 1)))
    with pytest.raises(UserError, match="unpacks to more than 1 MiB"):
        read_records(tmp_path / "pwws.jsonl")
