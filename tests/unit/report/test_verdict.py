"""What the report opens with: what is claimed, of whom, and what is never claimed."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, ttest_1samp

from mindflood.cards.cards import Card, Run, find_runs
from mindflood.report.gains import gains_table
from mindflood.report.page import report
from mindflood.report.tables.layout import text_of
from mindflood.report.verdict import Verdict, rules, unattacked, verdicts
from tests.unit.report_runs import a_card, a_run, an_attack, an_audit, an_example, lines

KEY = "textfooler-offline"
WHERE = "SST-2, TextFooler (offline), MiniLM-L6 (embedded)"
RESULTS = {"k": "failed", "l": "succeeded", "s": "skipped", "u": "out_of_budget", "-": "untouched"}


def summary(outcomes: str, **changes: Any) -> Any:
    counts = {
        "failed": outcomes.count("k"),
        "succeeded": outcomes.count("l"),
        "skipped": outcomes.count("s"),
        "out_of_budget": outcomes.count("u"),
        "untouched": outcomes.count("-"),
    }
    rated = len(outcomes) - counts["untouched"] - counts["out_of_budget"]
    rate = counts["failed"] / rated if rated else None
    if counts["out_of_budget"] > 0.01 * (rated + counts["out_of_budget"]):
        rate = None
    numbers = {"num_examples": len(outcomes), "accuracy_under_attack": rate}
    return {**an_attack(), **numbers, **counts, "attack_success_rate": None, **changes}


def a_model(
    folder: Path, method: str, outcomes: str, seed: int = 0, *, card: Any = None, **changes: Any
) -> Run:
    """An attacked run, what became of each text a letter; ``changes`` are the attack's."""
    found = summary(outcomes, **changes)
    run = Run(folder / f"{method}-{seed}", a_card(method, seed, attacks={KEY: found}, **card or {}))
    records = [
        an_example(f"text {row}", f"word {row}", index=row, result=RESULTS[letter])
        for row, letter in enumerate(outcomes)
    ]
    path = run.folder / "attacks" / "textfooler.jsonl"
    lines(path, records)
    path.with_suffix(".meta.json").write_text(json.dumps({"fingerprint": found["fingerprint"]}))
    return run


def without_records(run: Run) -> Run:
    (run.folder / "attacks" / "textfooler.jsonl").unlink()
    return run


def only(runs: list[Run]) -> Verdict:
    (verdict,) = verdicts(runs)
    return verdict


KEPT_31 = "k" * 31 + "l" * 69
KEPT_33 = "k" * 30 + "l" * 67 + "k" * 3
KEPT_52 = "k" * 52 + "l" * 48


def test_gains_stand_beside_the_method_they_are_over(tmp_path: Path) -> None:
    runs = [
        a_model(tmp_path, "finetune", KEPT_31, audit=an_audit(graded=40, same=40, changed=0)),
        a_model(tmp_path, "flooding-x", KEPT_52),
    ]
    table = gains_table(runs)
    assert [column.title for column in table.columns] == [
        "Attack", "Method", "Against", "Seeds", "Texts", "Aua%, gain"
    ]  # fmt: skip
    (row,) = table.rows
    assert row.cells[:5] == (WHERE, "Flooding-X (b = 0.05)", "Fine-tuning", "1", "100")
    apart = [1.0] * 21 + [0.0] * 79
    low, high = ttest_1samp(apart, 0).confidence_interval(0.95)
    assert text_of(row.cells[5]) == f"21.0 ({100 * low:.1f} to {100 * high:.1f})"
    (row,) = gains_table([without_records(run) for run in runs]).rows
    assert row.cells == (WHERE, "Flooding-X (b = 0.05)", "Fine-tuning", "1")


def test_the_study_s_rule_stands_beside_a_gain_that_was_read(tmp_path: Path) -> None:
    audits = [an_audit(same=48 - of, changed=of, unclear=0) for of in (0, 0)]
    runs = [
        a_model(tmp_path, "finetune", KEPT_31, audit=audits[0]),
        a_model(tmp_path, "flooding-x", KEPT_52, audit=audits[1]),
    ]
    table = gains_table(runs)
    assert table.columns[-1].title == "5 points"
    assert table.rows[0].cells[-1] == "support"


def test_what_chance_explains_is_no_difference(tmp_path: Path) -> None:
    runs = [a_model(tmp_path, "finetune", KEPT_31), a_model(tmp_path, "flooding-x", KEPT_33)]
    verdict = only(runs)
    assert verdict.title == WHERE
    assert verdict.sentence == (
        "Fine-tuning keeps 31 of 100 attacked texts, Flooding-X (b = 0.05) 33: no difference can "
        "be told."
    )
    assert verdict.details[0] == "Exact sign test over the texts (100 texts): p = 0.62."
    assert f"{binomtest(3, 4).pvalue:.2g}" == "0.62"


def test_what_chance_does_not_explain_is_said_of_the_models(tmp_path: Path) -> None:
    runs = [a_model(tmp_path, "finetune", KEPT_31), a_model(tmp_path, "pgd", KEPT_52)]
    verdict = only(runs)
    assert verdict.sentence == (
        "PGD keeps 52 of 100 attacked texts, Fine-tuning 31: more than the choice of the texts "
        "explains."
    )
    assert any("of these models, not of their methods" in rule for rule in rules([verdict]))


def test_counts_alone_claim_less_than_pairs(tmp_path: Path) -> None:
    kept = ("k" * 31 + "l" * 69, "k" * 43 + "l" * 57)
    runs = [a_model(tmp_path, *one) for one in zip(("finetune", "pgd"), kept, strict=True)]
    assert "more than the choice" in only(runs).sentence, f"12 to 0: {binomtest(12, 12).pvalue}"
    without_records(runs[1])
    verdict = only(runs)
    assert verdict.sentence.endswith("no difference can be told.")
    assert verdict.details[0].startswith("Fisher's exact test: p = 0.1")


@pytest.mark.parametrize("change", ["count", "fingerprint"])
def test_records_that_do_not_fit_the_card_pair_nothing(tmp_path: Path, change: str) -> None:
    runs = [a_model(tmp_path, "finetune", KEPT_31), a_model(tmp_path, "pgd", KEPT_52)]
    path = runs[1].folder / "attacks" / "textfooler.jsonl"
    if change == "count":
        path.write_text(path.read_text().replace('"failed"', '"succeeded"', 1))
    else:
        path.with_suffix(".meta.json").write_text('{"fingerprint": "other"}')
    assert only(runs).details[0].startswith("Fisher")


def test_several_methods_are_held_against_finetuning(tmp_path: Path) -> None:
    kept = {"pgd": KEPT_52, "finetune": KEPT_31, "freelb": KEPT_33, "lds": "k" + "l" * 99}
    verdict = only([a_model(tmp_path, *one) for one in kept.items()])
    assert verdict.sentence == (
        "Fine-tuning keeps 31 of 100 attacked texts. More than the choice of the texts explains is "
        "kept by PGD, 52. Fewer than the choice of the texts explains are kept by LDS, 1. From "
        "this, no difference can be told of FreeLB, 33."
    )
    assert any("of the 3 comparisons of this report" in rule for rule in verdict.rules)


def test_many_looks_at_chance_claim_nothing(tmp_path: Path) -> None:
    """Seven texts to none are p = 0.016; of nine looks, Holm's is 0.14."""
    runs = [a_model(tmp_path, "finetune", "k" * 30 + "l" * 70)]
    others = ("pgd", "freelb", "tavat", "infobert", "freeat", "yopo", "lds", "pgd-at", "flooding")
    lucky = a_model(tmp_path / "alone", "pgd", "k" * 37 + "l" * 63)
    assert "more than the choice" in only([runs[0], lucky]).sentence
    rest = [a_model(tmp_path, method, "k" * 30 + "l" * 70) for method in others[1:]]
    verdict = only([*runs, lucky, *rest])
    assert "explains" not in verdict.sentence
    assert "PGD p = 0.14" in verdict.details[0]


def test_seeds_are_not_more_texts(tmp_path: Path) -> None:
    """Six texts that each of three seeds gains: one gain, not eighteen."""
    runs = [a_model(tmp_path, "finetune", "k" * 30 + "l" * 70, seed) for seed in range(3)]
    runs += [a_model(tmp_path, "pgd", "k" * 35 + "l" * 65, seed) for seed in range(3)]
    verdict = only(runs)
    assert verdict.sentence == (
        "Fine-tuning keeps 30.0 % of the attacked texts, PGD 35.0 %: no difference can be told."
    )
    assert verdict.details[0].startswith("T test over the seeds and the texts (100 texts): p = ")
    assert not any("not of their methods" in rule for rule in verdict.rules)


def test_seeds_that_scatter_explain_what_one_seed_would_not(tmp_path: Path) -> None:
    def runs(folder: Path, kept: dict[str, tuple[int, ...]]) -> list[Run]:
        return [
            a_model(folder, method, "k" * count + "l" * (100 - count), seed)
            for method, counts in kept.items()
            for seed, count in enumerate(counts)
        ]

    scattered = {"finetune": (10, 31, 52), "pgd": (30, 52, 75)}
    assert "no difference" in only(runs(tmp_path / "wide", scattered)).sentence
    near = {"finetune": (30, 31, 32), "pgd": (51, 52, 53)}
    sentence = only(runs(tmp_path / "near", near)).sentence
    assert sentence == (
        "PGD keeps 52.0 % of the attacked texts, Fine-tuning 31.0 %: more than the choice of texts "
        "and seeds explains."
    )


def test_other_recipes_and_other_test_rows_are_never_compared(tmp_path: Path) -> None:
    finetuned = a_model(tmp_path, "finetune", KEPT_31)
    other = a_model(tmp_path, "pgd", KEPT_52, fingerprint="other")
    found = verdicts([finetuned, other])
    assert [one.title for one in found] == [f"{WHERE}, recipe 3f2a9c11", f"{WHERE}, recipe other"]
    assert all(one.sentence.endswith("there is nothing to compare it with.") for one in found)

    def tested(method: str, kept: str, rows: str) -> Run:
        data = {"train": 9, "test": 9, "words": 2.0, "hashes": {"test": rows}}
        return a_model(tmp_path / rows, method, kept, card={"data": data})

    found = verdicts([tested("finetune", KEPT_31, "a" * 16), tested("pgd", KEPT_52, "b" * 16)])
    assert len(found) == 2
    assert not any("explains" in one.sentence for one in found)


def test_an_unfinished_attack_and_a_mixed_one_are_left_out(tmp_path: Path) -> None:
    runs = [
        a_model(tmp_path, "finetune", KEPT_31),
        a_model(tmp_path, "pgd", KEPT_52, requested=200),
    ]
    verdict = only(runs)
    assert verdict.sentence.startswith("Fine-tuning keeps 31 of 100")
    assert verdict.details[0] == (
        "PGD is not compared: its attack is unfinished (100 of 200 texts)."
    )
    mixed = [
        a_model(tmp_path, "lds", KEPT_52, 0),
        a_model(tmp_path, "lds", KEPT_52, 1, fingerprint="b"),
    ]
    said = " ".join(detail for one in verdicts([runs[0], *mixed]) for detail in one.details)
    assert "LDS is not compared: its seeds were attacked by different recipes." in said


def test_undecided_texts_are_a_range_and_count_against_a_claim(tmp_path: Path) -> None:
    runs = [
        a_model(tmp_path, "finetune", KEPT_31),
        a_model(tmp_path, "pgd", "k" * 36 + "u" * 16 + "l" * 48),
    ]
    verdict = only(runs)
    assert verdict.sentence == (
        "Fine-tuning keeps 31 of 100 attacked texts, PGD 36.0 to 52.0 %: no difference can be told."
    )
    assert "Undecided texts (out of budget, or an error) count against a difference." in rules(
        [verdict]
    )


def test_untouched_texts_are_left_out_and_said_to_be(tmp_path: Path) -> None:
    runs = [
        a_model(tmp_path, "finetune", "k" * 20 + "l" * 60 + "-" * 20),
        a_model(tmp_path, "pgd", "k" * 20 + "l" * 50 + "-" * 30),
    ]
    verdict = only(runs)
    assert verdict.sentence == (
        "Fine-tuning keeps 20 of 80 attacked texts (25.0 %), PGD 20 of 70 (28.6 %): no difference "
        "can be told."
    )
    assert "(70 texts)" in verdict.details[0]
    assert any(rule.startswith("Untouched texts") for rule in verdict.rules)


def audited(folder: Path, method: str, outcomes: str, changed: int) -> Run:
    audit = an_audit(same=30 - changed, changed=changed, unclear=0)
    return a_model(folder, method, outcomes, audit=audit)


def test_an_attack_that_changes_labels_is_worth_little(tmp_path: Path) -> None:
    runs = [audited(tmp_path, "finetune", KEPT_31, 15), a_model(tmp_path, "pgd", KEPT_52)]
    verdict = only(runs)
    assert verdict.sentence == (
        "the numbers are worth little, for of 30 successes that were read only 50 % keep the "
        "label. Fine-tuning keeps 31 of 100 attacked texts; PGD 52: no difference can be told from "
        "them."
    )
    runs[1] = audited(tmp_path, "pgd", KEPT_52, 15)
    sentence = only(runs).sentence
    assert "(validated): Fine-tuning 65.5" in sentence
    assert sentence.endswith("all intervals reach Fine-tuning's, no difference can be told.")


def test_validated_rates_stand_beside_the_others(tmp_path: Path) -> None:
    runs = [audited(tmp_path, "finetune", KEPT_31, 3), audited(tmp_path, "pgd", KEPT_52, 3)]
    verdict = only(runs)
    assert "more than the choice of the texts explains" in verdict.sentence
    assert "(validated): Fine-tuning 37.9" in verdict.details[1]
    assert not any("none of its successes" in detail.lower() for detail in verdict.details)
    unread = only([a_model(tmp_path / "unread", "finetune", KEPT_31)])
    assert unread.details == (
        "None of its successes was read: how many keep the label is not known.",
    )
    none = only([a_model(tmp_path / "none", "finetune", "k" * 100)])
    assert none.details == ()  # nothing to be read


def test_strangers_models_stand_beside_each_other_under_their_names(tmp_path: Path) -> None:
    runs = [
        a_model(tmp_path / name, "unknown", kept, card={"encoder": name, "flood_level": None})
        for name, kept in (("alice", KEPT_31), ("bob", KEPT_52))
    ]
    verdict = only(runs)
    assert verdict.title == "SST-2, TextFooler (offline), models from elsewhere"
    assert verdict.sentence.startswith("bob keeps 52 of 100 attacked texts, alice 31: more than")


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_claim_is_never_of_overlap_alone(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever two models did, a claim is made exactly where McNemar's exact p is below 0.05."""
    pairs = data.draw(st.lists(st.sampled_from(["kk", "kl", "lk", "ll"]), min_size=5, max_size=60))
    first, second = ("".join(pair[side] for pair in pairs) for side in (0, 1))
    runs = [a_model(tmp_path, "finetune", first), a_model(tmp_path, "pgd", second)]
    wins, losses = pairs.count("lk"), pairs.count("kl")
    p = binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    assert ("explains" in only(runs).sentence) == (p < 0.05)


def write(runs: list[Run]) -> None:
    for run in runs:
        a_run(run.folder, run.card)


def test_the_page_opens_with_verdicts_then_examples_figures_tables(tmp_path: Path) -> None:
    write([a_model(tmp_path, "finetune", KEPT_31), a_model(tmp_path, "pgd", KEPT_52)])
    write([Run(tmp_path / "not attacked", a_card("lds"))])
    page = report(tmp_path).read_text(encoding="utf-8")
    plain = " ".join(re.sub("<[^>]*>", " ", page[page.index("<body>") :]).split())
    plain = plain.replace("\u00a0", " ")
    marks = (
        "PGD keeps 52 of 100 attacked texts, Fine-tuning 31: more than",
        f"mindflood attack &#39;{tmp_path.name}/not attacked&#39;",
        "Texts before and after the attack",
        "Loss of all methods over the epochs",
        "Table 2: accuracy without and under attack; bold: the best Aua%",
        "Conditions",
    )
    places = [plain.index(mark) for mark in marks]
    assert places == sorted(places)
    said = re.findall(r"<li>(.*?)</li>", page)
    assert len(said) == len(set(said)), "nothing twice"


def test_without_an_attack_nothing_is_known(tmp_path: Path) -> None:
    write([Run(tmp_path / "one", a_card())])
    assert verdicts(find_runs(tmp_path)) == []
    assert [run.folder.name for run in unattacked(find_runs(tmp_path))] == ["one"]
    assert "nothing is known of their robustness" in report(tmp_path).read_text()


def test_a_tagger_is_not_to_be_attacked(tmp_path: Path) -> None:
    write([Run(tmp_path / "one", a_card(task="pos"))])
    assert unattacked(find_runs(tmp_path)) == []
    assert "mindflood attack" not in report(tmp_path).read_text()


def test_the_command_says_verdict_and_what_is_missing_within_80_columns(tmp_path: Path) -> None:
    recipes = ("textfooler", "bae", "pso", "a2t")
    attacks = {f"{name}-offline": an_attack() for name in recipes}
    cards: list[Card] = [
        a_card("flooding", seed, attacks=attacks, flood_level=level)
        for seed, level in ((0, 0.05), (0, 0.1))
    ]
    write([Run(tmp_path / str(at), card) for at, card in enumerate(cards)])
    write([Run(tmp_path / "to come", a_card())])
    done = subprocess.run(
        [sys.executable, "-m", "mindflood", "report", str(tmp_path)],
        capture_output=True, text=True, check=True, env={"PATH": "", "COLUMNS": "80"},
    )  # fmt: skip
    shown = done.stdout.splitlines()
    assert "1 of 3 runs have no attack yet:" in shown
    command = f"  mindflood attack {shlex.quote(str(tmp_path / 'to come'))}"
    assert command in shown
    assert all(len(line) <= 80 for line in shown if line != command and ".html" not in line)
    assert "…" not in done.stdout
    assert shown[0].startswith("SST-2, TextFooler (offline), MiniLM-L6 (embedded): Flooding")
    rows = [line for line in shown if re.match(r" Flooding +0\.(05|1) ", line)]
    assert len(rows) == 2 * len(recipes), "each attack's rows, told apart by their levels"
