"""docs/cards.md lists the keys that a card has: it is what the generator makes of them."""

import re
import runpy

import pytest

from mindflood.cards.schema import Card
from tests.conftest import ROOT
from tests.unit.test_fuzz_readers import CARD

PAGE = (ROOT / "docs" / "cards.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page():
    return runpy.run_path(str(ROOT / "tools" / "make_cards_page.py"))["page"]


def test_the_page_is_what_the_form_of_a_card_says(page):
    assert page(PAGE) == PAGE, "run: python tools/make_cards_page.py"


def test_what_is_written_by_hand_stays(page):
    above, mark, _ = PAGE.partition("<!--")
    assert page(f"Own words.\n{mark}{PAGE.partition(mark)[2]}").startswith("Own words.\n<!--")
    with pytest.raises(ValueError, match="no line"):
        page(above)


def test_every_key_has_a_meaning(page):
    lines = re.findall(r"^\| `(.*)` .*\| (.*) \| (.*) \|$", PAGE.partition("## The card")[2], re.M)
    assert len(lines) > 100
    assert all(kind and meaning for _, kind, meaning in lines)
    assert set(Card.__annotations__) <= {key for key, *_ in lines}


def test_a_card_with_everything_has_no_key_that_the_page_lacks():
    keys = {key for key in _keys(CARD) if not re.search(r"[-.]|^reference$|^mindspore|^torch", key)}
    listed = set(re.findall(r"^\| `([^`]*)`", PAGE, re.M))
    packages = set(CARD["versions"])
    assert keys - packages <= listed


def _keys(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner)
