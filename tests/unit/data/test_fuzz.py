"""Whatever bytes a data file holds: rows or a one-line refusal, never another exception."""

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mindflood.data.sources import load_examples
from mindflood.data.tasks import get_task
from mindflood.errors import UserError

# A file of each reader, under the name that makes it the task's test or training part.
FILES = {
    "csv": ("sst2", "test.csv"),
    "tsv": ("sst2", "test.tsv"),
    "jsonl": ("mrpc", "test.jsonl"),
    "headerless csv": ("ag_news", "test.csv"),
    "headerless tsv": ("cola", "test.tsv"),
    "label text": ("imdb", "imdb_1k.txt"),
    "sentences": ("mr", "rt-polarity.pos"),
    "zip": ("imdb", "movie_reviews.zip"),
}
CASES_A_READER = 12_500  # times eight readers: 100,000

CELLS = st.sampled_from(
    ["sentence", "label", "text", "Quality", "#1 String", "0", "1", "4", "1.0", "-1", "World",
     "positive", "a text", '"', '""', "'", "\\", "<br />", "\0", "\ufeff", "\u2028", "\x1b[2J",
     "é", "’", "=1+1", "9" * 50, " ", ""]
)  # fmt: skip
GLUE = st.sampled_from([",", "\t", ";", "|", "\n", "\r\n", "\r", " ", '"', ""])
NEAR_TABLE = st.lists(st.tuples(CELLS, GLUE), max_size=16).map(
    lambda pieces: "".join(cell + glue for cell, glue in pieces).encode("utf-8", "surrogatepass")
)
HEADERS = st.sampled_from(
    [b"sentence,label\n", b"label\tsentence\n", b"text;label\n", b"\xef\xbb\xbflabel,text\r\n",
     b"Quality\t#1 String\t#2 String\n", b"1,a,b\n", b""]
)  # fmt: skip
TABLES = st.builds(lambda header, rest: header + rest, HEADERS, NEAR_TABLE)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | CELLS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(CELLS, inner, max_size=2),
    max_leaves=4,
)
KEYS = st.sampled_from(["sentence1", "sentence2", "label", "Quality", "#1 String", "id", "\ud800"])
RECORDS = st.dictionaries(KEYS, VALUES, max_size=4).map(json.dumps)
ODD_LINES = st.sampled_from(
    ["[" * 3000, '{"label":' * 3000, "9" * 5000, '{"label": 1, "label": 2}', "{", "NaN", "\x00",
     '{"sentence1": "a", "sentence2": "b", "label": 1}']
)  # fmt: skip
JSON_LINES = st.lists(RECORDS | ODD_LINES, max_size=4).map(lambda lines: "\n".join(lines).encode())


def archive(members: list[tuple[str, bytes]], compression: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as writer:
        for name, content in members:
            writer.writestr(name, content)
    return buffer.getvalue()


NAMES = st.sampled_from(["pos/1.txt", "r/neg/2.txt", "pos/../neg/x.txt", "é/pos/a.txt", "readme"])
ARCHIVES = st.builds(
    archive,
    st.lists(st.tuples(NAMES, st.binary(max_size=24)), max_size=3, unique_by=lambda one: one[0]),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2]),
)


def overwrite(data: bytes, changes: list[tuple[int, bytes]], keep: float) -> bytes:
    """Some bytes replaced, then cut short."""
    spoiled = bytearray(data)
    for place, content in changes:
        place %= len(spoiled) + 1
        spoiled[place : place + len(content)] = content
    return bytes(spoiled[: round(keep * len(spoiled))])


NUMBERS = st.sampled_from([0, 1, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF]).map(
    lambda number: struct.pack("<I", number)
)
CHANGES = st.lists(
    st.tuples(st.integers(0, 2**16), st.binary(min_size=1, max_size=4) | NUMBERS), max_size=4
)
KEPT = st.just(1.0) | st.floats(0, 1)


def contents(kind: str) -> st.SearchStrategy[bytes]:
    near = {"jsonl": JSON_LINES, "zip": ARCHIVES}.get(kind, TABLES)
    spoiled = st.builds(overwrite, near, CHANGES, KEPT)
    wide = near.map(lambda data: data.decode("utf-8", "ignore").encode("utf-16"))
    return st.binary(max_size=64) | near | near | spoiled | wide


def check(folder: Path, kind: str, data: bytes) -> None:
    task_name, name = FILES[kind]
    task, split = get_task(task_name), "train" if kind in ("sentences", "zip") else "test"
    (folder / name).write_bytes(data)
    refusal = None
    try:
        found = load_examples(task, split, str(folder / name), whole_file=True)
    except UserError as error:
        refusal = str(error)
    if refusal is not None:
        assert str(folder) in refusal
        assert "\n" not in refusal
        assert len(refusal) < 1500
        return
    assert len(found) == len(found.labels) > 0
    assert 0 <= found.labels.min() <= found.labels.max() < task.num_labels
    assert all(len(texts) == len(task.text_columns) for texts in found.texts)
    assert all(text == text.strip() != "" for texts in found.texts for text in texts)
    found.fingerprint()


def fuzzer(kind: str, cases: int) -> Callable[[Path], None]:
    @settings(
        max_examples=cases, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(data=contents(kind))
    def run(folder: Path, data: bytes) -> None:
        check(folder, kind, data)

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rt-polarity.neg").write_text("bad\n")
    return tmp_path


@pytest.mark.parametrize("kind", FILES)
def test_some_bytes_are_rows_or_refused(folder: Path, kind: str) -> None:
    fuzzer(kind, 150)(folder=folder)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FILES)
def test_a_hundred_thousand_files_are_rows_or_refused(folder: Path, kind: str) -> None:
    fuzzer(kind, CASES_A_READER)(folder=folder)


def test_the_fuzzer_reaches_rows_and_refusals_of_every_reader(folder: Path) -> None:
    valid = {
        "csv": b"sentence,label\na,1\n",
        "tsv": b"label\tsentence\n1\ta\n",
        "jsonl": b'{"sentence1": "a", "sentence2": "b", "label": 1}',
        "headerless csv": b"1,a,b\n4,c,d\n",
        "headerless tsv": b"x\t1\t\ta\n",
        "label text": b"1 a\n",
        "sentences": b"a\n",
        "zip": archive([("pos/1.txt", b"a")], zipfile.ZIP_DEFLATED),
    }
    for kind, data in valid.items():
        task, name = FILES[kind]
        check(folder, kind, data)
        assert len(load_examples(get_task(task), "test", str(folder / name), whole_file=True))
        check(folder, kind, b"\xff" + data)
