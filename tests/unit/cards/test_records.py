"""Every line of an attack's results is of a sample of the attack, or is refused by its number."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mindflood.attack.results.metrics import OUTCOMES, summarise
from mindflood.attack.victim.calibration import calibration_error
from mindflood.cards.records import read_records
from mindflood.errors import UserError

SAMPLES = {3: (("a good film",), 1), 7: (("a bad plot",), 0)}
GOOD = {
    "index": 3, "result": "succeeded", "label": 1, "original_prediction": 1,
    "original_probability": 0.9, "original_score": 0.1, "perturbed_prediction": 0,
    "perturbed_probability": 0.6, "perturbed_score": 0.6, "queries": 12, "seconds": 0.5,
    "original": ["a good film"], "perturbed": ["a fine film"], "changed_words": [1],
    "index_map": None, "error": None,
}  # fmt: skip


def written(tmp_path, *lines):
    path = tmp_path / "textfooler.jsonl"
    path.write_text("\n".join(["", *map(json.dumps, lines), ""]))
    return path


def test_records_of_the_attack_are_read(tmp_path):
    other = GOOD | {"index": 7, "label": 0, "original": ["a bad plot"]}
    path = written(tmp_path, GOOD, other, GOOD | {"queries": 13})
    assert read_records(path, SAMPLES, 2) == [GOOD, other]
    assert read_records(tmp_path / "missing.jsonl", SAMPLES, 2) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"index": 99999}, "row 99999 is not among the 2"),
        ({"original": ["a fine film"]}, "its original is not the text of row 3"),
        ({"original": ["a good film", ""], "perturbed": ["a", ""]}, "its original is not the text"),
        ({"label": 0}, "its label is 0, that of row 3 is 1"),
        ({"index": None}, "the sample's row under 'index', found None"),
        ({"index": True}, "the sample's row under 'index', found True"),
        ({"index": -1}, "the sample's row under 'index', found -1"),
        ({"result": "won"}, "under 'result', found 'won'"),
        ({"result": []}, r"under 'result', found \[\]"),
        ({"original": "a good film"}, "a list of texts under 'original'"),
        ({"perturbed": None}, "under 'perturbed', found null"),
        ({"perturbed": ["a", "b"]}, "as many texts under 'perturbed'"),
        ({"perturbed_prediction": None}, "under 'perturbed_prediction', found null"),
        ({"queries": 1.5}, "a count under 'queries', found 1.5"),
        ({"seconds": -1}, "seconds under 'seconds', found -1"),
        ({"seconds": math.inf}, "Infinity, expected finite numbers"),
        ({"original_probability": math.nan}, "NaN, expected finite numbers"),
        ({"original_probability": 1.5}, "a probability under 'original_probability'"),
        ({"original_score": "high"}, "a number under 'original_score'"),
        ({"original_prediction": 2}, "one of 2 classes under 'original_prediction', found 2"),
        ({"label": None}, "a class under 'label', found None"),
        ({"changed_words": [-1]}, "places under 'changed_words'"),
        ({"index_map": {"0": 1}}, "places under 'index_map'"),
    ],
)
def test_a_foreign_or_damaged_record_is_named_by_its_line(tmp_path, change, said):
    path = written(tmp_path, GOOD, GOOD | change)
    with pytest.raises(UserError, match=rf"textfooler\.jsonl, line 3: .*{said}"):
        read_records(path, SAMPLES, 2)


@pytest.mark.parametrize("line", [[], 7, "text", None, [GOOD]])
def test_what_is_no_object_is_named_by_its_line(tmp_path, line):
    with pytest.raises(UserError, match=r"line 2: expected an object; delete the line"):
        read_records(written(tmp_path, line, GOOD), SAMPLES, 2)


@pytest.mark.parametrize("key", ["index", "result", "label", "queries", "seconds", "original"])
def test_a_key_that_is_missing_is_named(tmp_path, key):
    lacking = {name: value for name, value in GOOD.items() if name != key}
    with pytest.raises(UserError, match=f"line 2: .*'{key}'"):
        read_records(written(tmp_path, lacking), SAMPLES, 2)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 9) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(list(GOOD)), values, min_size=1, max_size=4))
def test_whatever_a_line_holds_it_is_counted_or_refused(tmp_path_factory, change):
    path = written(tmp_path_factory.mktemp("any"), GOOD | change)
    try:
        records = read_records(path, SAMPLES, 2)
    except UserError as error:
        if "textfooler.jsonl, line 2: " in str(error):
            return
        raise
    assert records[0]["index"] in SAMPLES
    assert records[0]["result"] in OUTCOMES
    summarise(records)
    calibration_error(records)
