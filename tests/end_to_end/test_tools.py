"""The tools that the documentation's numbers come from, at their smallest."""

import subprocess
import sys
from xml.etree import ElementTree

import pytest

from tests.conftest import ROOT

TOOLS = ROOT / "tools"


def run(script, *words):
    return subprocess.run(
        [sys.executable, str(TOOLS / script), *map(str, words)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_bench_defences_tells_each_method_s_ratios():
    done = run("bench_defences.py", "--rounds", 1, "--layers", 2, "--seq", 8, "--steps", 1,
               "--methods", "pgd", "yopo")  # fmt: skip
    assert done.returncode == 0, done.stderr
    _, head, *rows = done.stdout.splitlines()
    assert [row.split()[0] for row in rows] == ["pgd", "yopo"]
    for row in rows:
        told = dict(zip(head.replace("/ ", "/").replace("to in", "in").split(), row.split(),
                        strict=True))  # fmt: skip
        ratio = float(told["step"]) / float(told["finetune"])
        assert float(told["/finetune"]) == pytest.approx(ratio, rel=0.02)


@pytest.mark.slow
def test_bench_defences_tells_the_peak_memory():
    done = run("bench_defences.py", "--memory", 1, "--layers", 2, "--seq", 8, "--methods", "pgd")
    assert done.returncode == 0, done.stderr
    method, peak = done.stdout.splitlines()[-1].split()
    assert method == "pgd"
    assert 0.1 < float(peak) < 8  # GiB


def test_bench_batches_tells_both_ways():
    done = run("bench_batches.py", "corpus", "--rows", 200, "--epochs", 2,
               "--max-length", 24, "--buckets", 12, 16, 24)  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert [line.split(":")[0] for line in told if "padding" in line] == ["uniform", "grouped"]
    uniform, grouped = (int(line.split()[1]) for line in told if "padding" in line)
    assert grouped < uniform
    assert sum("standard deviation" in line for line in told) == 2


def test_regression_study_tells_every_method():
    done = run("regression_study.py", "--runs", 2, "--noise", 0.1)
    assert done.returncode == 0, done.stderr
    assert [row.split()[1] for row in done.stdout.splitlines()[1:]] == ["ols", "pgd-at", "lds"]


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
    fitted, measured, _, _, every, *_ = done.stdout.splitlines()
    assert {"cosine", "share", "synonym", "broader", "uses", "ratio"} < set(fitted.split())
    from mindflood.attack.swaps.neighbour_swap import pairs

    counts = {w: len({form for _, form, _ in pairs(w, "NN")}) for w in sentences}
    assert f"| 0.0 | 100.0% | {1 / sum(counts.values()):.1%} | 100.0% |" == every
    assert f"on {10 * sum(counts.values())} others" in measured


@pytest.mark.slow
def test_bench_step_tells_a_folders_ratio_and_memory(tiny_encoder):
    done = run("bench_step.py", "--encoder", tiny_encoder, "--shapes", "4x8", "--rounds", 2)
    assert done.returncode == 0, done.stderr
    head, _, row = (
        [cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines()
    )
    told = dict(zip(head, row, strict=True))
    assert told["shape"] == "4×8"
    ratio = float(told["finetune (s)"]) / float(told["torch (s)"])
    assert float(told["finetune / torch"]) == pytest.approx(ratio, rel=0.5)  # of rounded seconds
    assert 0.1 < float(told["torch (GiB)"]) < 8
    assert 0.1 < float(told["finetune (GiB)"]) < 8
    assert told["flooding (s)"] == "-"
