"""CoNLL-U: words and tags come back as they were written, and what is none is refused."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mindflood.data.bad_rows import BadRows
from mindflood.data.conllu import read_conllu
from mindflood.data.sources import Source
from mindflood.data.tasks import get_task
from mindflood.errors import UserError

WORD = st.text("abcdefgé#'-0123", min_size=1, max_size=6)
TAG = st.sampled_from(get_task("pos").label_names)
SENTENCES = st.lists(st.lists(st.tuples(WORD, TAG), min_size=1, max_size=6), min_size=1, max_size=5)


def line(number: object, form: str, tag: str) -> str:
    return "\t".join([str(number), form, "_", "X", tag, "_", "0", "_", "_", "_"])


def written(sentences: list[list[tuple[str, str]]], ending: str = "\n") -> str:
    lines = []
    for sentence in sentences:
        lines += ["# text = something", line("1-2", "both", "_")]
        lines += [line(number, *word) for number, word in enumerate(sentence, 1)]
        lines += [line("1.1", "ghost", "_"), ""]
    return ending.join(lines)


@settings(deadline=None)
@given(SENTENCES, st.sampled_from(["\n", "\r\n"]))
def test_what_is_written_is_read(tmp_path_factory, sentences, ending):
    path = tmp_path_factory.mktemp("ud") / "train.conllu"
    path.write_bytes(written(sentences, ending).encode())
    rows = read_conllu(path, BadRows(get_task("pos"), path))
    assert [list(zip(row.texts, row.label.split(" "), strict=True)) for row in rows] == sentences


def test_a_row_is_called_by_the_line_of_its_first_word(tmp_path: Path):
    path = tmp_path / "train.conllu"
    path.write_text(written([[("a", "DT")], [("b", "NN"), ("c", "NN")]]))
    assert [row.where for row in read_conllu(path, BadRows(get_task("pos"), path))] == [3, 8]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1\ta\tb\n", "3 columns where CoNLL-U has 10"),
        (line(1, "a", "_"), "'a' has no tag in column 5"),
        (line(1, "a", "N N"), "has no tag in column 5"),
        (line("one", "a", "NN"), "'one' in column 1"),
        (line(1, " ", "NN"), "an empty word"),
    ],
)
def test_what_is_no_conllu_is_refused(text, says, tmp_path):
    path = tmp_path / "train.conllu"
    path.write_text(written([[("a", "DT")]]) + "\n" + text)
    with pytest.raises(UserError) as error:
        read_conllu(path, BadRows(get_task("pos"), path))
    assert str(error.value).startswith(f"{path}, row 6: ")
    assert says in str(error.value)


def test_a_tag_that_the_task_lacks_is_refused(tmp_path: Path):
    path = tmp_path / "train.conllu"
    path.write_text(written([[("a", "DT")], [("b", "NOUN")]]))
    with pytest.raises(UserError, match="row 8: a tag 'NOUN', which task pos does not have"):
        Source(get_task("pos"), str(path)).examples("train")


def test_without_a_training_file_the_test_file_is_trained_on_and_dev_tests(tmp_path: Path):
    for name, count in (("test", 40), ("dev", 3)):
        sentences = [[(f"{name}{n}", "NN")] for n in range(count)]
        (tmp_path / f"en_ewt-ud-{name}.conllu").write_text(written(sentences))
    source = Source(get_task("pos"), str(tmp_path))
    train, dev, test = (source.examples(split) for split in ("train", "dev", "test"))
    assert len(train) + len(dev) == 40
    assert [texts[0] for texts in test.texts] == ["dev0", "dev1", "dev2"]
    assert train.labels[0] == (get_task("pos").label_names.index("NN"),)
    division = source.division()
    assert division is not None
    assert "40 rows of" in division
    assert "en_ewt-ud-test.conllu" in division
