"""Each file format of the benchmarks, from small files written here."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindflood.data.bad_rows import BadRows
from mindflood.data.readers import read_rows
from mindflood.data.sources import Examples, load_examples
from mindflood.data.tasks import get_task


def load(task: str, split: str, data: Path, **options: int) -> Examples:
    return load_examples(get_task(task), split, str(data), **options)  # type: ignore[arg-type]


def rows(examples: Examples) -> list[tuple[object, ...]]:
    pairs = zip(examples.texts, examples.labels.tolist(), strict=True)
    return [(*texts, label) for texts, label in pairs]


def test_glue_tsv_has_no_quoting_and_either_order_of_columns(tmp_path: Path) -> None:
    (tmp_path / "train.tsv").write_text('label\tsentence\n0\t" half a quote \n1\ta "b" c\n')
    (tmp_path / "dev.tsv").write_text("sentence\tlabel\nfine . \t1\r\nbad\t0\n")
    (tmp_path / "test.tsv").write_text("index\tsentence\n0\tnobody knows\n")
    assert rows(load("sst2", "train", tmp_path)) == [('" half a quote', 0), ('a "b" c', 1)]
    assert rows(load("sst2", "dev", tmp_path)) == [("fine .", 1), ("bad", 0)]
    assert rows(load("sst2", "test", tmp_path)) == rows(load("sst2", "dev", tmp_path))


def test_a_test_file_with_labels_is_used_where_glue_hides_them(tmp_path: Path) -> None:
    for name in ("train", "dev", "test"):
        (tmp_path / f"{name}.csv").write_text(f"sentence,label\n{name},1\n")
    assert rows(load("sst2", "test", tmp_path)) == [("test", 1)]


def test_mrpc_with_byte_order_mark_and_its_own_test_file(tmp_path: Path) -> None:
    header = "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n"
    for name, label in (("train.tsv", 1), ("dev.tsv", 0), ("msr_paraphrase_test.txt", 1)):
        text = f'{header}{label}\t10\t11\tHe said " no .\tOf {name}\n'
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "test.tsv").write_text("index\t#1 ID\t#2 ID\t#1 String\t#2 String\n0\t1\t2\ta\tb\n")
    assert rows(load("mrpc", "train", tmp_path)) == [('He said " no .', "Of train.tsv", 1)]
    assert rows(load("mrpc", "dev", tmp_path)) == [('He said " no .', "Of dev.tsv", 0)]
    assert rows(load("mrpc", "test", tmp_path))[0][1] == "Of msr_paraphrase_test.txt"


def test_mrpc_as_its_authors_ship_it(tmp_path: Path) -> None:
    header = "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n"
    lines = "".join(f"{i % 2}\t{i}\t{i}\tfirst {i}\tsecond {i}\n" for i in range(60))
    (tmp_path / "msr_paraphrase_train.txt").write_text(header + lines, encoding="utf-8")
    (tmp_path / "msr_paraphrase_test.txt").write_text(
        header + "0\t3\t4\tthree\tfour\n", encoding="utf-8"
    )
    train, dev = load("mrpc", "train", tmp_path), load("mrpc", "dev", tmp_path)
    assert len(train) + len(dev) == 60
    # Where GLUE's own train.tsv is beside it, dev.tsv is a part of the authors' file.
    (tmp_path / "train.tsv").write_text(header + "1\t1\t1\tone\ttwo\n", encoding="utf-8")
    (tmp_path / "dev.tsv").write_text(header + "0\t3\t4\tthree\tfour\n", encoding="utf-8")
    assert rows(load("mrpc", "train", tmp_path)) == [("one", "two", 1)]


def test_qnli_label_names_in_glue_order(tmp_path: Path) -> None:
    header = "index\tquestion\tsentence\tlabel\n"
    for name in ("train.tsv", "dev.tsv"):
        (tmp_path / name).write_text(f"{header}0\tq\ts\tentailment\n1\tq\tt\tnot_entailment\n")
    assert rows(load("qnli", "dev", tmp_path)) == [("q", "s", 0), ("q", "t", 1)]


@pytest.mark.parametrize(
    "header", ["label,content\n", "label,text\n", ""], ids=["content", "text", "no-header"]
)
def test_ag_news_counts_from_one_and_writes_line_breaks_as_backslashes(
    tmp_path: Path, header: str
) -> None:
    title = "" if header else '"A title",'
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).write_text(f'{header}1,{title}"a ""b"", c\\d"\n4,{title}"e\nf"\n')
    start = "" if header else "A title "
    assert rows(load("ag_news", "test", tmp_path)) == [
        (f'{start}a "b", c d', 0),
        (f"{start}e\nf", 3),
    ]


def test_ag_news_with_a_zero_counts_from_zero(tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text("text,label\na,0\nb,3\nc,Sci/Tech\nd,sports\n")
    assert load("ag_news", "test", tmp_path).labels.tolist() == [0, 3, 3, 1]


def test_cola_has_no_header(tmp_path: Path) -> None:
    for name in ("train.tsv", "dev.tsv"):
        (tmp_path / name).write_text("gj04\t1\t\tIt fell.\ngj04\t0\t*\tIt fall did.\n")
    assert rows(load("cola", "dev", tmp_path)) == [("It fell.", 1), ("It fall did.", 0)]


def write_movie_reviews(write: Callable[[str, str], None], root: str) -> None:
    for number in range(40):
        write(f"{root}/neg/cv{number:03}.txt", f"bad number {number}\nreally")
        write(f"{root}/pos/cv{number:03}.txt", f"good number {number}<br /><br />yes")
    write(f"{root}/README.txt", "not a review")


def in_folder(folder: Path) -> Callable[[str, str], None]:
    def write(name: str, text: str) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)

    return write


@pytest.mark.parametrize("layout", ["zip", "folder", "aclImdb"])
def test_imdb_reviews_a_file_each(tmp_path: Path, layout: str) -> None:
    if layout == "zip":
        with zipfile.ZipFile(tmp_path / "movie_reviews.zip", "w") as archive:
            write_movie_reviews(archive.writestr, "movie_reviews")
    else:
        root = "movie_reviews" if layout == "folder" else "train"
        write_movie_reviews(in_folder(tmp_path), root)
    if layout == "aclImdb":
        write_movie_reviews(in_folder(tmp_path), "test")
        expected_test = 80
    else:
        (tmp_path / "imdb_1k.txt").write_text("1 seen twice .\n0 left early .\n")
        assert rows(load("imdb", "test", tmp_path)) == [("seen twice .", 1), ("left early .", 0)]
        expected_test = 2
    train, dev = load("imdb", "train", tmp_path), load("imdb", "dev", tmp_path)
    assert len(load("imdb", "test", tmp_path)) == expected_test
    assert len(train) + len(dev) == 80
    for (text,), label in zip(train.texts, train.labels, strict=True):
        assert text.startswith(("bad", "good")[label])
        assert "<br" not in text


def test_mr_is_divided_in_three(tmp_path: Path) -> None:
    (tmp_path / "rt-polarity.pos").write_text("".join(f"good {i} \n" for i in range(200)))
    (tmp_path / "rt-polarity.neg").write_text("".join(f"bad {i} \n" for i in range(200)))
    parts = [load("mr", split, tmp_path) for split in ("train", "dev", "test")]
    texts = [set(part.texts) for part in parts]
    assert sum(map(len, texts)) == len(set.union(*texts)) == 400
    assert len(texts[0]) > 4 * max(len(texts[1]), len(texts[2]))
    for part in parts:
        assert all(str(text).startswith(("bad", "good")[label]) for text, label in rows(part))


def test_json_lines_with_numbers_and_names(tmp_path: Path) -> None:
    lines = [{"text": "a\u2028b", "label": 1}, {"label": "negative", "text": "c", "id": 7}]
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    (tmp_path / "test.jsonl").write_text(text + "\n\n", encoding="utf-8")
    assert rows(load("imdb", "test", tmp_path)) == [("a\u2028b", 1), ("c", 0)]


@pytest.mark.parametrize(
    "name", ["validation.csv", "dev.csv", "valid.tsv", "validation-00000-of-00001.csv"]
)
def test_names_of_the_dev_file(tmp_path: Path, name: str) -> None:
    comma = "," if name.endswith("csv") else "\t"
    (tmp_path / "train.csv").write_text("sentence,label\nx,0\n")
    (tmp_path / name).write_text(f"sentence{comma}label\ny{comma}1.0\n")
    assert rows(load("sst2", "dev", tmp_path)) == [("y", 1)]


def test_a_single_file_that_is_named_after_a_split_is_that_split(tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text("sentence,label\na,0\nb,1\n")
    assert len(load("sst2", "test", tmp_path / "test.csv")) == 2


def test_a_single_file_of_another_name_is_divided_in_three(tmp_path: Path) -> None:
    file = tmp_path / "reviews.csv"
    file.write_text("sentence,label\n" + "".join(f"row {i},{i % 2}\n" for i in range(100)))
    parts = [set(load("sst2", split, file).texts) for split in ("train", "dev", "test")]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 100


def test_a_text_of_ten_thousand_words(tmp_path: Path) -> None:
    text = "word " * 9_999 + "last" * 50_000
    (tmp_path / "test.csv").write_text(f'sentence,label\n"{text}",1\n')
    assert load("sst2", "test", tmp_path).texts == ((text,),)


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip),
            st.integers(0, 1),
        ),
        min_size=1,
    )
)
def test_any_text_survives_each_format(
    tmp_path_factory: pytest.TempPathFactory, wanted: list[tuple[str, int]]
) -> None:
    folder, sst2 = tmp_path_factory.getbasetemp(), get_task("sst2")
    quoted = "".join(f'"{text.replace(chr(34), chr(34) * 2)}",{y}\n' for text, y in wanted)
    files = {
        "csv": f"sentence,label\n{quoted}",
        "tsv": "sentence\tlabel\n" + "".join(f"{text}\t{y}\n" for text, y in wanted),
        "jsonl": "".join(json.dumps({"sentence": t, "label": y}) + "\n" for t, y in wanted),
    }
    for kind, content in files.items():
        path = folder / f"any.{kind}"
        path.write_text(content, encoding="utf-8")
        read = read_rows(path, kind, sst2, bad=BadRows(sst2, path))  # type: ignore[arg-type]
        assert [(row.texts[0], int(row.label)) for row in read] == wanted
