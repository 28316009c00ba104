"""What the README.md of an exported model says of its attacks."""

from types import SimpleNamespace

from mindflood.bridge.model_card import model_card
from tests.unit.report_runs import a_card, an_attack

CHECK = SimpleNamespace(largest_difference=1e-6, rows=32)


def test_a_rate_that_undecided_attacks_leave_open_is_a_range():
    decided, left_open = an_attack(20), an_attack(20, succeeded=90, out_of_budget=60)
    card = a_card(attacks={"textfooler-offline": decided, "pso-offline": left_open})
    text = model_card(card, "sst2", CHECK)
    assert "- Accuracy under attack, textfooler-offline: 10.0 % of 200 examples" in text
    assert (
        "- Accuracy under attack, pso-offline: between 10.0 and 40.0 % (undecided attacks) of 200 "
        "examples"
    ) in text
