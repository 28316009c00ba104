"""The tools that the documentation's numbers come from, at their smallest."""

import subprocess
import sys
from xml.etree import ElementTree

import pytest
from records import read_record

from mindflood.report.tables.render import markdown_rows
from tests.conftest import ROOT

TOOLS = ROOT / "tools"


def run(script, *words):
    return subprocess.run(
        [sys.executable, str(TOOLS / script), *map(str, words)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def table(printed):
    """The rows of the one Markdown table that was printed, each by the columns' titles."""
    head, _, *rows = [
        [cell.strip() for cell in line.strip("| ").split(" | ")]
        for line in printed.splitlines()
        if line.startswith("|")
    ]
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.mark.slow
def test_bench_defences_tells_each_method_s_ratios():
    done = run("bench_defences.py", "--rounds", 1, "--layers", 2, "--seq", 8, "--steps", 1,
               "--methods", "pgd", "yopo")  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = table(done.stdout)
    assert [row["method"] for row in rows] == ["pgd", "yopo"]
    for row in rows:
        ratio = float(row["step (s)"]) / float(row["finetune (s)"])
        assert float(row["/ finetune"]) == pytest.approx(ratio, rel=0.02)


@pytest.mark.slow
def test_bench_defences_tells_the_peak_memory():
    done = run("bench_defences.py", "--memory", 1, "--layers", 2, "--seq", 8, "--methods", "pgd")
    assert done.returncode == 0, done.stderr
    (row,) = table(done.stdout)
    assert row["method"] == "pgd"
    assert 0.1 < float(row["K = 1 (GiB)"]) < 8


def test_bench_batches_tells_and_keeps_both_ways(tmp_path):
    done = run("bench_batches.py", "corpus", "--rows", 200, "--epochs", 2,
               "--max-length", 24, "--buckets", 12, 16, 24,
               "--record", tmp_path / "kept.json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    uniform, grouped = table(done.stdout)
    assert [uniform["batches"], grouped["batches"]] == ["uniform", "grouped"]
    assert int(grouped["places an epoch"]) < int(uniform["places an epoch"])
    assert float(uniform["spread of batch losses"]) > 0
    kept = read_record(tmp_path / "kept.json")
    assert markdown_rows(kept.table()) == done.stdout.strip()
    assert str(tmp_path) not in kept.command


def test_bench_packing_tells_both_ways(tiny_encoder):
    done = run("bench_packing.py", "corpus", "--rows", 64, "--batch-size", 16, "--steps", 2,
               "--encoder", tiny_encoder, "--max-length", 32, "--buckets", 32)  # fmt: skip
    assert done.returncode == 0, done.stderr
    apart, packed = table(done.stdout)
    assert [apart["batch"], packed["batch"]] == ["a text a row", "packed"]
    assert int(packed["places"]) < int(apart["places"]) == 16 * 32
    assert float(apart["/ a text a row"]) == 1.0


def test_regression_study_tells_every_method():
    done = run("regression_study.py", "--runs", 2, "--noise", 0.1)
    assert done.returncode == 0, done.stderr
    assert [row["method"] for row in table(done.stdout)] == ["ols", "pgd-at", "lds"]


def test_regression_study_draws_a_panel_for_each_noise(tmp_path):
    done = run("regression_study.py", "--runs", 3, "--figure", tmp_path / "theta.svg")
    assert done.returncode == 0, done.stderr
    drawn = ElementTree.parse(tmp_path / "theta.svg")
    words = {text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert {"σ = 0.01", "σ = 0.1", "ols", "pgd-at", "lds"} <= words


@pytest.mark.parametrize(
    ("script", "words", "told"),
    [
        ("bench_defences.py", ["--steps", 0], "expected 1 or more"),
        ("bench_defences.py", ["--layers", 1], "--layers: expected 2 or more"),
        ("regression_study.py", ["--runs", 1], "--runs: expected 2 or more"),
        ("regression_study.py", ["--noise", 0], "--noise: above 0"),
        ("regression_study.py", ["--radius", -1], "--radius: 0 or more"),
    ],
)
def test_a_mistake_is_one_line(script, words, told):
    done = run(script, *words)
    assert done.returncode == 2
    assert told in done.stderr.splitlines()[-1]


def test_fit_substitution_fits_what_people_wrote(tmp_path):
    """In this corpus people always write *movie* for film, and never anything for story."""
    sentences = {
        "film": "we saw a very long film in the city",
        "story": "it is an old story of love",
    }
    gold = []
    for number, part in enumerate(("dev", "test")):
        rows = []
        for row in range(20):
            word = ("film", "story")[row % 2]
            key, text = 100 * number + row, sentences[word]
            rows.append(f"{word}.N\t{key}\t{text.split().index(word)}\t{text}")
            gold.append(f"{word}.N {key} :: {'movie 6' if word == 'film' else 'thing 1'};")
        (tmp_path / f"coinco_{part}.no_problematic.preprocessed").write_text("\n".join(rows))
    (tmp_path / "coinco_all.no_problematic.gold").write_text("\n".join(gold))
    done = run("fit_substitution.py", tmp_path)
    assert done.returncode == 0, done.stderr
    fitted, *_ = done.stdout.splitlines()
    every, *_ = table(done.stdout)
    assert {"cosine", "share", "synonym", "broader", "uses", "ratio"} < set(fitted.split())
    from mindflood.attack.swaps.neighbour_swap import pairs

    counts = {w: len({form for _, form, _ in pairs(w, "NN")}) for w in sentences}
    assert every["kept%"] == every["of theirs kept%"] == "100.0"
    assert every["of them theirs%"] == f"{100 / sum(counts.values()):.1f}"
    assert every["substitutes"] == str(10 * sum(counts.values()))


@pytest.mark.slow
def test_bench_step_tells_a_folders_ratio_and_memory(tiny_encoder):
    done = run("bench_step.py", "--encoder", tiny_encoder, "--shapes", "4x8", "--rounds", 2)
    assert done.returncode == 0, done.stderr
    head, _, row = (
        [cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines()
    )
    told = dict(zip(head, row, strict=True))
    assert told["shape"] == "4×8"
    ratio = float(told["torch (s)"]) / float(told["finetune (s)"])
    assert float(told["torch / finetune"]) == pytest.approx(ratio, rel=0.5)  # of rounded seconds
    assert 0.1 < float(told["torch (GiB)"]) < 8
    assert 0.1 < float(told["finetune (GiB)"]) < 8
    assert "flooding (s)" not in told
