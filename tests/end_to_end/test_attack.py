"""The offline TextFooler on a trained classifier: whole, killed, and by TextAttack's own loop."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from mindflood.attack.runner import attack
from mindflood.cards.cards import read_card, write_card
from mindflood.data.sources import load_examples
from mindflood.data.tasks import get_task
from mindflood.errors import UserError
from tests.attack_records import assert_same, assert_same_as_textattack, records
from tests.conftest import ROOT

ROWS, SAMPLES = 32, 4


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Short sentences of the built-in corpus as a folder in SST-2's format."""
    examples = load_examples(get_task("corpus"), "train", limit=20 * ROWS, seed=0)
    rows = zip(examples.texts, examples.labels, strict=True)
    short = [(text, label) for (text,), label in rows if len(text.split()) <= 12][:ROWS]
    lines = ["sentence\tlabel", *(f"{text}\t{label}" for text, label in short)]
    folder = tmp_path_factory.mktemp("data")
    (folder / "dev.tsv").write_text("\n".join(lines) + "\n")
    (folder / "train.tsv").write_text("\n".join(lines) + "\n")  # else dev would be divided
    return str(folder)


@pytest.fixture(scope="module")
def model(data, tmp_path_factory):
    """The embedded encoder with a pooler and head that know these sentences by heart."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from mindflood.attack.resources.embedded import embedded_encoder

    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(embedded_encoder())
    classifier = AutoModelForSequenceClassification.from_pretrained(
        embedded_encoder(), num_labels=2
    ).eval()
    examples = load_examples(get_task("sst2"), "dev", data)
    texts, labels = [text for (text,) in examples.texts], torch.from_numpy(examples.labels)
    with torch.no_grad():
        inputs = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        states = classifier.bert(**inputs).last_hidden_state[:, :1]
    head = [*classifier.bert.pooler.parameters(), *classifier.classifier.parameters()]
    optimizer = torch.optim.Adam(head, 1e-3)
    for _ in range(40):
        logits = classifier.classifier(classifier.bert.pooler(states))
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(logits, labels).backward()
        optimizer.step()
    folder = tmp_path_factory.mktemp("model")
    classifier.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def run(model, data):
    """Attack the model on the sentences; only the folder of the results differs."""

    def attack_into(out, seed=1, **more):
        return attack(
            model, "sst2", "pwws", out, data=data, num_examples=SAMPLES, seed=seed, **more
        )

    return attack_into


@pytest.fixture(scope="module")
def unbroken(run, tmp_path_factory):
    """A whole run without any network: its folder, summary and records."""
    out = tmp_path_factory.mktemp("unbroken")

    def refuse(*_):
        raise AssertionError("the offline profile asked for the network")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setattr(socket.socket, "connect", refuse)
        summary = run(out)
    return out, summary, records(out, "pwws")


def test_card_and_records_agree(unbroken):
    out, summary, found = unbroken
    results = [record["result"] for record in found.values()]
    card = read_card(out / "card.json")
    assert card["attacks"]["pwws-offline"] == summary
    assert 0.8 < card["clean_accuracy"] <= 1
    assert len(found) == summary["num_examples"] == SAMPLES
    assert results.count("succeeded") == summary["succeeded"] > 0
    assert results.count("error") == summary["errors"] == 0
    assert any("as shipped" in what for what in summary["replaced"])


def test_a_clean_accuracy_that_a_kill_left_out_is_measured_alone(unbroken, run, tmp_path):
    shutil.copytree(unbroken[0], tmp_path, dirs_exist_ok=True)
    whole = read_card(tmp_path / "card.json")
    write_card(tmp_path / "card.json", {**whole, "clean_accuracy": None})
    run(tmp_path)
    assert read_card(tmp_path / "card.json") == whole


def test_successful_attacks_change_the_prediction_by_the_words_they_name(unbroken, model):
    from mindflood.attack.victim.wrapper import Victim

    victim = Victim(model)
    for record in unbroken[2].values():
        if record["result"] != "succeeded":
            continue
        before, after = record["original"], record["perturbed"]
        predictions = victim([before[0], after[0]]).argmax(1).tolist()
        assert predictions == [record["original_prediction"], record["perturbed_prediction"]]
        assert record["original_prediction"] == record["label"] != record["perturbed_prediction"]
        assert record["changed_words"]
        changed = [a != b for a, b in zip(before[0].split(), after[0].split(), strict=True)]
        assert sum(changed) == len(record["changed_words"])


def test_same_outcome_as_textattack_s_own_attacker(unbroken, model, tmp_path):
    from mindflood.attack.recipes import build_recipe
    from mindflood.attack.victim.wrapper import Victim

    recipe = build_recipe("pwws", "offline", Victim(model))
    assert_same_as_textattack(unbroken[2], recipe.attack, tmp_path)


def test_a_finished_attack_is_not_attacked_again(unbroken, run):
    out, summary, _ = unbroken
    before = (out / "pwws.jsonl").read_bytes()
    again = run(out)
    assert (out / "pwws.jsonl").read_bytes() == before
    assert again == summary


def test_another_sample_in_the_same_folder_is_refused(unbroken, run):
    with pytest.raises(UserError, match=r"results of another attack.*choose another --out"):
        run(unbroken[0], seed=2)


@pytest.mark.parametrize("at_once", [1, 3])
def test_the_number_of_samples_at_once_does_not_matter(unbroken, run, tmp_path, at_once):
    run(tmp_path, at_once=at_once)
    assert_same(records(tmp_path, "pwws"), unbroken[2])


def test_a_query_budget_ends_a_search_and_is_not_robustness(unbroken, run, tmp_path):
    queries = sorted(record["queries"] for record in unbroken[2].values())
    budget = queries[SAMPLES // 2]  # just enough for one sample
    assert budget < queries[-1]
    summary = run(tmp_path, max_queries=budget)
    found = records(tmp_path, "pwws")
    for index, whole in unbroken[2].items():
        record = found[index]
        if whole["queries"] <= budget:
            assert_same({index: record}, {index: whole})
        elif record["result"] == "out_of_budget":
            assert record["queries"] == budget
        else:  # its last queries were cut short, and one of those answered succeeded
            assert (record["result"], record["queries"]) == ("succeeded", budget)
    out_of_budget = [r["result"] for r in found.values()].count("out_of_budget")
    assert out_of_budget == summary["out_of_budget"] > 0
    assert summary["failed"] <= unbroken[1]["failed"]
    assert summary["max_queries"] == budget
    assert summary["fingerprint"] != unbroken[1]["fingerprint"]


def test_without_any_time_every_sample_is_out_of_budget(run, tmp_path):
    summary = run(tmp_path, max_seconds=1e-9)
    assert summary["out_of_budget"] == summary["num_examples"] == SAMPLES
    assert summary["accuracy_under_attack"] is None


def test_another_budget_in_the_same_folder_is_refused(unbroken, run):
    with pytest.raises(UserError, match=r"results of another attack.*max_queries is None"):
        run(unbroken[0], max_queries=100)


def test_an_interrupted_attack_leaves_a_card_and_is_continued(unbroken, run, tmp_path):
    from mindflood.attack.results.journal import Journal

    append = Journal.append

    def interrupted(self, record):
        append(self, record)
        if len(self.records) == 2:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "append", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path)
    card = read_card(tmp_path / "card.json")
    partial = card["attacks"]["pwws-offline"]
    assert (partial["num_examples"], partial["requested"]) == (2, SAMPLES)
    assert card["clean_accuracy"] is None  # of all rows: not before the attack is whole
    run(tmp_path)
    assert_same(records(tmp_path, "pwws"), unbroken[2])
    measured = read_card(tmp_path / "card.json")["clean_accuracy"]
    assert measured == read_card(unbroken[0] / "card.json")["clean_accuracy"]


def test_an_interrupt_inside_a_search_ends_the_attack(run, tmp_path):
    """Ctrl-C is raised in whatever code runs: it is no error of the sample."""
    from mindflood.attack.driver.sample import SampleAttacker

    attacked = SampleAttacker.__call__

    def interrupted(self, index, texts, label):
        record = attacked(self, index, texts, label)
        if (tmp_path / "pwws.jsonl").stat().st_size:
            raise KeyboardInterrupt
        return record

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SampleAttacker, "__call__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path)
    partial = read_card(tmp_path / "card.json")["attacks"]["pwws-offline"]
    assert 1 <= partial["num_examples"] < SAMPLES
    assert partial["errors"] == 0


def test_an_attack_that_raises_is_recorded_and_the_run_goes_on(unbroken, run, tmp_path):
    from mindflood.attack.victim.wrapper import Victim

    unlucky = unbroken[2][min(unbroken[2])]["original"][0]
    asked = Victim.__call__

    def raises(self, texts, **options):
        if list(texts) == [unlucky]:
            raise RuntimeError("out of memory")
        return asked(self, texts, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Victim, "__call__", raises)
        summary = run(tmp_path)
    assert (summary["errors"], summary["num_examples"]) == (1, SAMPLES)
    found = records(tmp_path, "pwws")
    broken = found.pop(min(found))
    assert (broken["result"], broken["error"]) == ("error", "RuntimeError: out of memory")
    assert_same(found, {index: unbroken[2][index] for index in found})


def command(model, data, out, *more):  # started in ROOT, where tools/ is
    return [
        *(sys.executable, "tools/attack.py", str(model), "--task", "sst2", "--data", data),
        *("--recipe", "pwws", "--out", str(out), "--num-examples", str(SAMPLES)),
        *("--seed", "1", *more),
    ]


def here():
    """This environment, with the package importable."""
    return os.environ | {"PYTHONPATH": str(ROOT)}


def bare_machine(home):
    """No NLTK data, no TextAttack cache, nothing in our cache, no network wanted."""
    kept = {k: v for k, v in os.environ.items() if k not in ("NLTK_DATA", "TA_CACHE_DIR")}
    bare = {"HOME": str(home), "MINDFLOOD_CACHE": str(home / "cache"), "HF_HUB_OFFLINE": "1"}
    return kept | bare | {"PYTHONPATH": str(ROOT)}


@pytest.mark.skipif(
    any(Path(root, "nltk_data").is_dir() for root in ("/usr/share", "/usr/lib", sys.prefix)),
    reason="the whole system has NLTK data",
)
def test_the_command_line_on_a_bare_machine(unbroken, model, data, tmp_path):
    """Without NLTK data TextAttack still imports, and the recipe is the same."""
    done = subprocess.run(
        command(model, data, tmp_path / "out"),
        cwd=ROOT,
        env=bare_machine(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Aua" in done.stdout
    assert f"{SAMPLES}/{SAMPLES}" in done.stderr
    card = read_card(tmp_path / "out" / "card.json")["attacks"]["pwws-offline"]
    assert card["num_examples"] == SAMPLES
    assert "NLTK's stop words by mindflood's own list" in card["replaced"]
    assert card["fingerprint"] == unbroken[1]["fingerprint"]


@pytest.mark.slow
def test_killed_and_continued_equals_an_unbroken_run(unbroken, model, data, tmp_path):
    out = tmp_path / "out"
    results = out / "pwws.jsonl"
    for kill in range(2):
        process = subprocess.Popen(
            command(model, data, out, "--at-once", "2"), cwd=ROOT, env=here()
        )
        while process.poll() is None and (not results.exists() or _lines(results) < kill + 1):
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert (
        subprocess.run(command(model, data, out), cwd=ROOT, env=here(), check=False).returncode == 0
    )
    assert_same(records(out, "pwws"), unbroken[2])


def _lines(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _importing_workers(process):
    """Its attack workers that have begun to import PyTorch."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [
        int(child)
        for child in children
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
        and "libtorch" in Path(f"/proc/{child}/maps").read_text()
    ]


def _let_interrupt():
    """Tests that run in the background ignore Ctrl-C, and so would what they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="looks for processes in /proc")
def test_ctrl_c_with_workers_is_quiet_and_the_attack_is_continued(unbroken, model, data, tmp_path):
    out = tmp_path / "out"
    moments = [
        (lambda process: len(_importing_workers(process)) == 2, 2),
        (lambda process: _lines(out / "pwws.jsonl") > 0, 0),
    ]
    for moment, seconds in moments:
        process = subprocess.Popen(
            command(model, data, out, "--workers", "2", "--at-once", "1"),
            cwd=ROOT,
            env=here(),
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a terminal sends Ctrl-C to all of its processes
            preexec_fn=_let_interrupt,
        )
        while process.poll() is None and not moment(process):
            time.sleep(0.02)
        for worker in _importing_workers(process):  # it may reach them before their parent
            os.kill(worker, signal.SIGINT)
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGINT)
        said = process.communicate(timeout=120)[1]
        assert process.returncode == 130, said
        assert "Traceback" not in said
        assert said.splitlines()[-1].endswith("the same command continues")
        assert len(said.splitlines()) <= 4  # which rows, that it loads, how far it is, this
        partial = read_card(out / "card.json")["attacks"]["pwws-offline"]
        assert partial["num_examples"] == _lines(out / "pwws.jsonl") < SAMPLES
    done = subprocess.run(
        command(model, data, out, "--workers", "2"), cwd=ROOT, env=here(), check=False
    )
    assert done.returncode == 0
    assert_same(records(out, "pwws"), unbroken[2])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "text", "message"),
    [
        ("ag_news", "good", "the model has 2 labels and the task has 4; choose the task"),
        ("sst2", None, "an attack worker could not go on: [A-Z][a-z]+Error: .*fewer --workers"),
    ],
    ids=["user's mistake", "another error"],
)
def test_what_a_worker_raises_is_one_line(model, capfd, task, text, message):
    from mindflood.attack.driver.workers import attack_in_workers
    from mindflood.config.attack import AttackSettings

    settings = AttackSettings(model=str(model), task=get_task(task), recipe="pwws")
    with pytest.raises(UserError, match=message):
        list(attack_in_workers(settings, [(0, (text,), 0)], workers=1))
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.slow
def test_two_workers_give_the_same_records(unbroken, model, data, tmp_path):
    done = subprocess.run(
        command(model, data, tmp_path, "--workers", "2"), cwd=ROOT, env=here(), check=False
    )
    assert done.returncode == 0
    assert_same(records(tmp_path, "pwws"), unbroken[2])
