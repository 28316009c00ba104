"""Bytes that are not UTF-8 text: what they are, and the command that makes text of them."""

import bz2
import gzip
import lzma
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindflood.data.decoding import decode
from mindflood.data.sources import load_examples
from mindflood.data.tasks import get_task
from mindflood.errors import UserError

QUOTED = "it\u2019s fine \u2013 caf\u00e9"  # a quotation mark and a dash that latin1 has not


def refusal(data: bytes) -> str:
    with pytest.raises(UserError) as caught:
        decode(data, "f.csv")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "charset"), [(QUOTED, "windows-1252"), ("caf\u00e9", "latin1")], ids=["1252", "latin1"]
)
def test_the_command_in_the_message_gives_the_text_back(
    tmp_path: Path, text: str, charset: str
) -> None:
    data = f"sentence,label\nplain,0\n{text},1\n".encode(charset)
    command = refusal(data).split("'")[1]
    assert command == f"iconv -f {charset} -t utf-8"
    (tmp_path / "f.csv").write_bytes(data)
    done = subprocess.run(
        [*command.split(), str(tmp_path / "f.csv")], capture_output=True, check=True
    )
    assert done.stdout.decode() == f"sentence,label\nplain,0\n{text},1\n"


def test_the_first_bad_byte_and_its_row_are_named() -> None:
    assert refusal(b"a\nb\n\xef\xbb\xbf\x97").startswith("f.csv, row 3: byte 0x97 is not UTF-8; ")
    assert refusal(b"\xef\xbb\xbfa\n\xe9\n").startswith("f.csv, row 2: byte 0xe9 is not UTF-8; ")


def test_bytes_that_no_western_encoding_has_leave_it_open() -> None:
    assert "find out the encoding" in refusal("Привет".encode("koi8-r") + b"\x81")


def test_a_stray_byte_in_utf8_is_to_be_mended_there() -> None:
    assert "correct that row" in refusal(f"{QUOTED}\n".encode() * 3 + b"\x97")


@pytest.mark.parametrize("charset", ["utf-16", "utf-16le", "utf-16be", "utf-32"])
def test_wide_characters_are_recognised_with_and_without_their_mark(charset: str) -> None:
    found = refusal("sentence,label\nfine,1\n".encode(charset))
    assert found.startswith(f"f.csv: is {charset.upper()}, not UTF-8; convert the file")
    assert f"iconv -f {charset} -t utf-8" in found


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (gzip.compress(b"sentence,label\n", mtime=0), "is gzip, not text; let its name end in .gz"),
        (bz2.compress(b"sentence,label\n"), "is bzip2, not text; unpack it with 'bunzip2'"),
        (lzma.compress(b"sentence,label\n"), "is xz, not text; unpack it with 'unxz'"),
        (b"PK\x03\x04rest", "is a zip archive, not text; unpack it"),
        (b"PAR1\x15\x04\x15", "is Parquet, not text; let its name end in .parquet"),
    ],
    ids=["gzip", "bzip2", "xz", "zip", "parquet"],
)
def test_what_is_no_text_is_told_whatever_the_file_is_called(
    tmp_path: Path, data: bytes, message: str
) -> None:
    for name in ("test.csv", "test.tsv", "test.jsonl", "test.dat"):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UserError, match=f"{name}: {message}"):
            load_examples(get_task("sst2"), "test", str(tmp_path / name))


def test_words_that_begin_like_an_archive_are_words() -> None:
    assert decode(b"PAR1S is fine\nBZh is not", "f") == "PAR1S is fine\nBZh is not"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_utf8_is_read_as_it_is(text: str) -> None:
    data = text.encode()
    if text.count("\0") > len(data) // 4:  # as in UTF-16, where every second byte may be zero
        return
    assert decode(data, "f") == text.removeprefix("\ufeff")


BAD = f"{QUOTED}\n".encode("windows-1252")


@pytest.mark.parametrize(
    ("task", "name", "before", "named"),
    [
        ("sst2", "test.csv", b"sentence,label\n", r"test\.csv, row 2"),
        ("sst2", "test.tsv", b"sentence\tlabel\n", r"test\.tsv, row 2"),
        ("sst2", "test.jsonl", b"\n", r"test\.jsonl, row 2"),
        ("imdb", "imdb_1k.txt", b"1 fine\n", r"imdb_1k\.txt, row 2"),
        ("mr", "rt-polarity.neg", b"bad\n", r"rt-polarity\.neg, row 2"),
        ("imdb", "test/pos/1.txt", b"", r"test/pos/1\.txt, row 1"),
        ("imdb", "movie_reviews.zip", b"", r"movie_reviews\.zip, movie_reviews/pos/1\.txt, row 1"),
    ],
)
def test_every_reader_says_the_same(
    tmp_path: Path, task: str, name: str, before: bytes, named: str
) -> None:
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "rt-polarity.pos").write_text("good\n")
    if name.endswith(".zip"):
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("movie_reviews/pos/1.txt", BAD)
    else:
        file.write_bytes(before + BAD)
    split = "train" if name.endswith(("zip", "neg")) else "test"
    with pytest.raises(UserError, match=rf"{named}: byte 0x92 .*iconv -f windows-1252 -t utf-8'"):
        load_examples(get_task(task), split, str(tmp_path))
