"""Every committed attack may stand on the leaderboard, and what may not is told why."""

import copy
import hashlib
import re
from pathlib import Path

import pytest

from mindflood.attack.audit.draw import key_path
from mindflood.attack.audit.sheet import read_sheet
from mindflood.cards.cards import read_card
from mindflood.errors import UserError
from mindflood.files import read_json
from mindflood.report.submitted import faults, known_fingerprints
from tests.conftest import ROOT

RESULTS = ROOT / "results"
CARDS = sorted(RESULTS.rglob("card.json"))
KNOWN = known_fingerprints(RESULTS / "fingerprints.json")
KEY = "textfooler-offline"


def test_there_are_some():
    assert RESULTS / "attacks" / "sst2-whole" / "card.json" in CARDS


@pytest.mark.parametrize("path", CARDS, ids=lambda path: str(path.parent.relative_to(RESULTS)))
def test_a_committed_card_is_in_order(path):
    card = read_card(path)
    assert faults(card, KNOWN) == ([] if card["attacks"] else ["attacks: there is none"])
    for summary in card["attacks"].values():
        if "audit" in summary:
            assert summary["audit"]["grades"] in grades_of(RESULTS / "audits", summary["audit"])


def grades_of(folder, audit):
    """The hash of the grades of each attack of the audit's sheet."""
    sheet = folder / audit["sheet"]
    rows = {row.name: row for row in read_sheet(sheet)}
    key = read_json(key_path(sheet))
    for number in range(len(key["attacks"])):
        names = sorted(name for name, of in key["rows"].items() if of["attack"] == number)
        lines = [f"{name} {rows[name].meaning} {rows[name].english}" for name in names]
        yield hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def test_a_word_of_a_treebank_is_no_place():
    card = read_card(RESULTS / "neurons" / "lds-seed1" / "card.json")
    tag = card["analyses"]["neurons"]["tags"]["."]
    tag["matched"].append("/")
    tag["neurons"][0]["words"].append("~")
    assert faults(card, KNOWN) == ["attacks: there is none"]
    card["analyses"]["neurons"]["texts"] = "/home/me/treebank"
    assert faults(card, KNOWN)[0].startswith("analyses.neurons.texts: names a place")


def test_every_audited_attack_is_known():
    for key in (RESULTS / "audits").glob("*.key.json"):
        for attack in read_json(key)["attacks"]:
            identity = attack["identity"]
            of = (identity["recipe"], identity["profile"])
            assert KNOWN[identity["fingerprint"]][:2] == of, key.name


def spoil(**changes):
    return lambda card: card["attacks"][KEY].update(changes)


EPOCH = {"epoch": 1, "clean_accuracy": None, "train_loss": None, "eval_loss": None}


def spoilt(card, **changes):
    return card["attacks"][KEY] | changes


def audit(**changes):
    return lambda card: card["attacks"][KEY]["audit"].update(changes)


def rename(card):
    card["attacks"]["a2t-paper"] = card["attacks"].pop(KEY)


SPOILT = {
    "a text too many": (spoil(failed=593), "num_examples is 872, and its outcomes are 873"),
    "a better rate": (spoil(accuracy_under_attack=0.8), r"accuracy_under_attack is 0\.8, and its"),
    "no rate": (spoil(attack_success_rate=None), r"attack_success_rate is None, and its counts"),
    "half an attack": (spoil(requested=1000), "is not finished: 872 of 1000 texts"),
    "another attack": (spoil(fingerprint="0" * 16), "0{16} is in no list of known attacks"),
    "another name": (rename, "the fingerprint eb1b8164a9987fd4 is of textfooler-offline"),
    "a worse audit": (
        audit(validated_accuracy=0.5),
        r"audit\.validated_accuracy is 0\.5, and its counts say 0\.771552",
    ),
    "a better audit": (audit(validated_accuracy=0.99), r"audit\.validated_accuracy is 0\.99, and"),
    "another interval": (
        audit(validated_accuracy_interval=[0.9, 0.95]),
        r"audit\.validated_accuracy_interval is \[0\.9, 0\.95\], and its counts say \[0\.740",
    ),
    "labels that were kept": (audit(keeps_label=0.1), r"audit\.keeps_label is 0\.1, and its"),
    "other bounds": (
        spoil(accuracy_under_attack_bounds=[0.99, 1.0]),
        r"accuracy_under_attack_bounds is \[0\.99, 1\.0\], and its counts say 0\.769831 to",
    ),
    "a clean accuracy that the attack did not see": (
        lambda card: card.update(clean_accuracy=0.999),
        r"740 of all 872 texts were right before, and clean_accuracy is 0\.999",
    ),
    "a budget": (spoil(max_queries=3), r"max_queries is 3, and the fingerprint .* is of None"),
    "a budget in time": (spoil(max_seconds=1.0), r"max_seconds is 1\.0, and the fingerprint"),
    "a path": (
        lambda card: card.update(settings={"task.data": "/home/me/sst2"}),
        r"settings\.task\.data: names a place on somebody's machine",
    ),
    "a path beside": (
        lambda card: card.update(settings={"task.data": "../me/sst2"}),
        r"settings\.task\.data: names a place",
    ),
    "a path elsewhere": (
        lambda card: card.update(encoder=r"\\server\me"),
        "encoder: names a place",
    ),
    "a path as a name": (
        lambda card: card.update(settings={"/home/me": 1}),
        r"settings\./home/me: names a place",
    ),
    "a model's path": (lambda card: card.update(encoder="~/model"), "encoder: names a place"),
    "an epoch that does not add up": (
        lambda card: card.update(epochs=[EPOCH | {"attacks": {KEY: spoilt(card, failed=593)}}]),
        r"^epochs, 1: attacks\.textfooler-offline: num_examples is 872, and its outcomes are 873",
    ),
    "no attack": (lambda card: card.update(attacks={}), "attacks: there is none"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_is_wrong_is_told(name):
    change, message = SPOILT[name]
    card = copy.deepcopy(read_card(RESULTS / "attacks" / "sst2-whole" / "card.json"))
    del card["attacks"]["a2t-offline"]
    change(card)
    (fault,) = faults(card, KNOWN)
    assert re.search(message, fault)


def test_a_registry_of_another_form_is_refused(tmp_path: Path):
    (tmp_path / "fingerprints.json").write_text('["eb1b8164a9987fd4"]')
    with pytest.raises(UserError, match=r"fingerprints\.json: expected an object"):
        known_fingerprints(tmp_path / "fingerprints.json")
