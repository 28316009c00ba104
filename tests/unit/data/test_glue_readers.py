"""GLUE's files, read as transformers' own processors read them."""

import csv
import os
from pathlib import Path

import pandas
import pytest
from transformers.data.processors.glue import glue_processors

from mindflood.data.sources import load_examples
from mindflood.data.tasks import get_task
from mindflood.errors import UserError

pytestmark = pytest.mark.filterwarnings("ignore:This processor will be removed:FutureWarning")
DATA = os.environ.get("MINDFLOOD_DATA")
# The processors' name of a task, the one here, and whether the development set is the mismatched.
TASKS = {
    "sst-2": ("sst2", "dev"),
    "cola": ("cola", "dev"),
    "mrpc": ("mrpc", "dev"),
    "qqp": ("qqp", "dev"),
    "qnli": ("qnli", "dev"),
    "rte": ("rte", "dev"),
    "wnli": ("wnli", "dev"),
    "mnli": ("mnli", "dev_matched"),
    "mnli-mm": ("mnli_mismatched", "dev_mismatched"),
}
FIRST, SECOND = "He said \" no , 'tis", 'A "b" c ; d | e'
MNLI = [
    "index",
    "promptID",
    "pairID",
    "genre",
    "s1b",
    "s2b",
    "s1p",
    "s2p",
    "sentence1",
    "sentence2",
    "label1",
]
HEADERS = {
    "sst-2": ["sentence", "label"],
    "mrpc": ["Quality", "#1 ID", "#2 ID", "#1 String", "#2 String"],
    "qqp": ["id", "qid1", "qid2", "question1", "question2", "is_duplicate"],
    "qnli": ["index", "question", "sentence", "label"],
    "rte": ["index", "sentence1", "sentence2", "label"],
    "wnli": ["index", "sentence1", "sentence2", "label"],
    "mnli": [*MNLI, "gold_label"],
    "mnli-mm": [*MNLI, "gold_label"],
}
TEXTS = ("sentence", "sentence1", "question", "question1", "#1 String")


def rows_of(name: str, labels: list[str]) -> list[list[str]]:
    if name == "cola":
        return [["gj04", label, "*", f"{FIRST} {i}"] for i, label in enumerate(labels)]
    answers = {"label", "Quality", "is_duplicate", "gold_label"}
    found = []
    for number, label in enumerate(labels):
        cells = {column: f"{column} {number}" for column in HEADERS[name]}
        for column in cells:
            if column in answers:
                cells[column] = label
            elif column in TEXTS:
                cells[column] = f"{FIRST} {number}"
            elif column in ("sentence2", "question2", "#2 String"):
                cells[column] = f"{SECOND} {number}"
        found.append(list(cells.values()))
    return found


def write(path: Path, header: list[str] | None, rows: list[list[str]]) -> None:
    table = [*([] if header is None else [header]), *rows]
    path.write_text("".join("\t".join(cells) + "\n" for cells in table), encoding="utf-8")


def theirs(name: str, folder: Path, split: str) -> list[tuple[object, ...]]:
    processor = glue_processors[name]()
    read = processor.get_train_examples if split == "train" else processor.get_dev_examples
    return [
        (*filter(None, (one.text_a.strip(), (one.text_b or "").strip())), one.label)
        for one in read(str(folder))
    ]


def ours(name: str, folder: Path, split: str) -> list[tuple[object, ...]]:
    """Texts and labels, those under the names that the processors have for them."""
    task = get_task(TASKS[name][0])
    found = load_examples(task, split, str(folder))  # type: ignore[arg-type]
    named = set(glue_processors[name]().get_labels()) == set(task.label_names)
    return [
        (*texts, task.label_names[label] if named else str(label))
        for texts, label in zip(found.texts, found.labels.tolist(), strict=True)
    ]


@pytest.mark.parametrize("name", TASKS)
def test_files_in_glue_s_layout_are_read_alike(tmp_path: Path, name: str) -> None:
    labels = glue_processors[name]().get_labels()
    for file in ("train", TASKS[name][1]):
        write(tmp_path / f"{file}.tsv", HEADERS.get(name), rows_of(name, labels * 3))
    for split in ("train", "dev"):
        expected = theirs(name, tmp_path, split)
        assert len(expected) == 3 * len(labels)
        assert ours(name, tmp_path, split) == expected


def test_rows_of_qqp_that_lack_a_cell_are_left_out_with_their_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = rows_of("qqp", ["0", "1", "0", "1", "1"])
    rows[1] = rows[1][:4]
    rows[3] = rows[3][:3]
    rows.append([*rows[0][:3], " ", *rows[0][4:]])
    for split in ("train", "dev"):
        write(tmp_path / f"{split}.tsv", HEADERS["qqp"], rows)
    # An empty question is an example to the processors, and none here.
    assert ours("qqp", tmp_path, "train") == theirs("qqp", tmp_path, "train")[:-1]
    assert len(ours("qqp", tmp_path, "train")) == 3
    said = capsys.readouterr().err
    assert f"{tmp_path / 'train.tsv'}: 3 malformed rows left out (first " in said
    assert "train.tsv, row 3: 4 cells where row 1 has 6" in said
    mine = tmp_path / "mine.csv"  # which is not the benchmark's
    mine.write_text("question1,question2,is_duplicate\na,b,1\nc,d\n")
    with pytest.raises(UserError, match=r"mine.csv, row 3: 2 cells where row 1 has 3"):
        load_examples(get_task("qqp"), "dev", str(mine), whole_file=True)


def test_the_diagnostic_set_is_a_test_part_alone(tmp_path: Path) -> None:
    header = ["Lexical Semantics", "Logic", "Domain", "Premise", "Hypothesis", "Label"]
    rows = [["", "", "News", FIRST, SECOND, label] for label in ("neutral", "entailment")]
    write(tmp_path / "diagnostic-full.tsv", header, rows)
    found = load_examples(get_task("ax"), "test", str(tmp_path))
    assert (found.texts, found.labels.tolist()) == (((FIRST, SECOND),) * 2, [1, 0])


@pytest.mark.skipif(not DATA, reason="MINDFLOOD_DATA names no folder with the benchmarks' files")
@pytest.mark.parametrize(
    ("name", "split", "rows"),
    # The processor counts columns; in SST-2's training file there they are the other way about.
    [("sst-2", "dev", 872), ("mrpc", "train", 3667), ("mrpc", "dev", 408), ("qnli", "dev", 5463)],
)
def test_the_benchmarks_own_files_are_read_alike(name: str, split: str, rows: int) -> None:
    folder = Path(str(DATA)) / TASKS[name][0]
    found = ours(name, folder, split) if name != "qnli" else whole(folder / "dev.tsv")
    assert found == theirs(name, folder, split)
    assert len(found) == rows


@pytest.mark.skipif(not DATA, reason="MINDFLOOD_DATA names no folder with the benchmarks' files")
def test_the_pairs_of_qnli_s_development_set_are_as_many_as_freelb_s() -> None:
    """A question's entailed and not entailed sentences in turn, counted without the reader."""
    path = Path(str(DATA)) / "qnli" / "dev.tsv"
    found = load_examples(get_task("qnli_ranking"), "dev", str(path), whole_file=True)
    table = pandas.read_csv(path, sep="\t", quoting=csv.QUOTE_NONE)
    counts = pandas.crosstab(table["question"].str.strip(), table["label"])
    assert len(found) == counts.min(axis=1).sum() == 1362
    label_of = dict(zip(zip(table["question"], table["sentence"], strict=True), table["label"],
                        strict=True))  # fmt: skip
    for (question, *choices), answer in zip(found.texts, found.labels, strict=True):
        right, wrong = choices[answer], choices[1 - answer]
        assert label_of.get((question, right)) == "entailment"
        assert label_of.get((question, wrong)) == "not_entailment"


def whole(path: Path) -> list[tuple[object, ...]]:
    """QNLI's development file by itself: in the folder, without train, it is divided."""
    task = get_task("qnli")
    found = load_examples(task, "dev", str(path), whole_file=True)
    return [
        (*texts, task.label_names[label])
        for texts, label in zip(found.texts, found.labels.tolist(), strict=True)
    ]
