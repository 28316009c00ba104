"""The first line of a table, its separator, and what a JSON line may hold as text and label."""

from pathlib import Path

import pytest

from mindflood.data.sources import load_examples
from mindflood.data.tasks import get_task
from mindflood.errors import UserError

AG = "World,a title,a text\nSports,b,c\nBusiness,d,e\nSci/Tech,f,g\n"


def load(folder: Path, task: str, content: str, name: str = "test.csv") -> list[tuple[str, int]]:
    (folder / name).write_text(content, encoding="utf-8")
    found = load_examples(get_task(task), "test", str(folder / name))
    pairs = zip(found.texts, found.labels.tolist(), strict=True)
    return [(" / ".join(texts), label) for texts, label in pairs]


def test_the_first_row_of_a_table_without_header_is_an_example_also_with_names(
    tmp_path: Path,
) -> None:
    rows = [("a title a text", 0), ("b c", 1), ("d e", 2), ("f g", 3)]
    assert load(tmp_path, "ag_news", AG) == rows
    assert load(tmp_path, "ag_news", "1,a title,a text\n4,f,g\n") == [rows[0], rows[3]]
    yelp = "positive,good\nnegative,bad\n"
    assert load(tmp_path, "yelp", yelp) == [("good", 1), ("bad", 0)]
    cola = "gj04\tunacceptable\t*\tIt fall.\ngj04\tacceptable\t\tIt fell.\n"
    assert load(tmp_path, "cola", cola, "test.tsv") == [("It fall.", 0), ("It fell.", 1)]


@pytest.mark.parametrize(
    ("task", "content", "message"),
    [
        (
            "ag_news",
            f"Class Index,Title,Description\n{AG}",
            r"row 1: 'Class Index' is no label .*1 \(World\).* if it is a header, delete it",
        ),
        ("ag_news", f"Word,a,b\n{AG}", r"row 1: 'Word' is no label"),
        ("ag_news", "5,a,b\n1,c,d\n", r"row 1: label '5' is not one of task ag_news's"),
        ("yelp", "stars,text\n1,fine\n", r"no column 'label'.*'stars', 'text'"),
        ("sst2", "fine,positive\nbad,0\n", r"no column 'sentence'.*row 1 looks like an example"),
        ("sst2", "fine,1\nbad,0\n", r"no column 'sentence'.*put a line with the names"),
    ],
)
def test_a_first_row_that_is_neither_is_refused(
    tmp_path: Path, task: str, content: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        load(tmp_path, task, content)


@pytest.mark.parametrize(
    ("task", "name", "content", "message"),
    [
        ("sst2", "test.csv", "sentence;label\na;1\n", "is separated by semicolons, and a CSV"),
        (
            "sst2",
            "test.csv",
            '"sentence";"label"\n"a, b";1\n',
            "semicolons.*save it with commas",
        ),
        ("sst2", "test.csv", "text;label\na;1\n", "row 1 is one cell with semicolons in it"),
        ("sst2", "test.csv", "id|label|sentence\n1|0|a\n", "is separated by vertical bars"),
        ("sst2", "test.csv", "label\tsentence\n0\ta\n", "by tabs, .*; rename it to .tsv"),
        ("sst2", "test.tsv", "label,sentence\n0,a\n", "by commas, and a TSV .*rename it to .csv"),
        ("mrpc", "test.csv", "Quality;#1 String;#2 String\n1;a;b\n", "separated by semicolons"),
        ("ag_news", "test.csv", "3;a title;a, text\n", "separated by semicolons"),
        ("ag_news", "test.csv", "World\ta title\ta text\n", "separated by tabs"),
    ],
)
def test_another_separator_is_named(
    tmp_path: Path, task: str, name: str, content: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        load(tmp_path, task, content, name)


def test_separators_in_texts_are_no_separators(tmp_path: Path) -> None:
    assert load(tmp_path, "sst2", "sentence,label\na; b|c\td,1\n") == [("a; b|c\td", 1)]
    assert load(tmp_path, "yelp", '1,"a; b"\n2,"positive|1"\n') == [("a; b", 0), ("positive|1", 1)]


DEEP = "[" * 100_000 + "]" * 100_000
JSON_LINES = {
    "nested": (f'{{"sentence": "a", "label": {DEEP}}}', "nested too deeply"),
    "digits": ('{"sentence": "a", "label": ' + "9" * 5000 + "}", "more than 4,300 digits"),
    "many digits": ('{"sentence": "a", "label": ' + "9" * 4000 + "}", "label '9{40}…' is not one"),
    "digits elsewhere": ('{"sentence": "a", "label": 1, "id": ' + "9" * 5000 + "}", "4,300 digits"),
    "twice": ('{"sentence": "a", "label": 0, "label": 1}', "has 'label' twice; remove one"),
    "text twice": ('{"sentence": "a", "sentence": "b", "label": 1}', "has 'sentence' twice"),
    "list": ('{"sentence": "a", "label": [1]}', "'label' must be the name or .*, found a list"),
    "object": ('{"sentence": "a", "label": {"a": 1}}', "name or the number .*, found an object"),
    "true": ('{"sentence": "a", "label": true}', "number of a class, found 'true'"),
    "null": ('{"sentence": "a", "label": null}', "number of a class, found 'null'"),
    "half": ('{"sentence": "a", "label": 0.5}', "number of a class, found '0.5'"),
    "NaN": ('{"sentence": "a", "label": NaN}', "number of a class, found nan"),
    "infinity": ('{"sentence": "a", "label": -Infinity}', "number of a class, found -inf"),
    "huge": ('{"sentence": "a", "label": 1e300}', r"label '1e\+300' is not one of"),
    "minus": ('{"sentence": "a", "label": -1.0}', r"label '-1\.0' is not one of"),
    "surrogate": ('{"sentence": "a", "label": "\\ud800"}', r"of a class, found '\\ud800'"),
    "surrogate text": ('{"sentence": "\\udfff", "label": 1}', r"string of .*, found '\\udfff'"),
    "surrogate key": ('{"sentense\\ud800": "a", "label": 1}', r"there are 'sentense\\ud800', "),
    "escape": ('{"sentence": "a", "label": "\\u001b[31m"}', r"label '\\x1b\[31m' is not one of"),
    "array": ('[{"sentence": "a", "label": 1}]', "found a list; .*jq -c"),
    "pretty": ("[", "goes on in the next line"),
    "number": ("7", "on a line of its own, found '7'"),
    "NaN alone": ("NaN", "found 'NaN'"),
    "text": ("sentence,label", "this is none"),
}


@pytest.mark.parametrize("case", JSON_LINES)
def test_a_json_line_that_is_no_example_is_one_line_with_file_and_row(
    tmp_path: Path, case: str
) -> None:
    line, message = JSON_LINES[case]
    content = f'{{"sentence": "fine", "label": 1}}\n{line}\n'
    with pytest.raises(UserError, match=message) as caught:
        load(tmp_path, "sst2", content, "test.jsonl")
    assert str(caught.value).startswith(f"{tmp_path / 'test.jsonl'}, row 2: ")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < len(str(tmp_path)) + 300


def test_labels_of_json_lines_that_are_understood(tmp_path: Path) -> None:
    labels = ("1", "1.0", '"1"', '"1.0"', '"positive"', '" Positive "')
    lines = "".join(f'{{"sentence": "a", "label": {label}}}\n' for label in labels)
    assert load(tmp_path, "sst2", lines, "test.jsonl") == [("a", 1)] * len(labels)
