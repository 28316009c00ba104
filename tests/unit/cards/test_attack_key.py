"""Keys of attacks: taken apart and put together in one place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindflood.cards.attack_key import PROFILES, AttackKey
from mindflood.config.recipes import RECIPES

NAMES = st.sampled_from(list(RECIPES)) | st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True)


@given(NAMES, st.sampled_from(PROFILES), st.booleans(), st.sampled_from(["both", "first"]))
def test_a_key_is_read_as_it_was_written(recipe, profile, calibrated, columns):
    key = AttackKey(recipe, profile, calibrated, columns)
    assert AttackKey.parse(str(key), {"columns": columns}) == key
    assert AttackKey.parse(str(key)).columns == "both"


def test_its_names():
    key = AttackKey.parse("bert-attack-offline-calibrated", {"columns": "second"})
    assert (key.recipe, key.profile, key.calibrated) == ("bert-attack", "offline", True)
    assert str(key) == "bert-attack-offline-calibrated"
    assert key.stem == "bert-attack-calibrated"
    assert key.variant == "offline-calibrated, second text only"
    assert str(key.plain) == "bert-attack-offline"
    assert key.plain.variant == "offline, second text only"


@pytest.mark.parametrize("text", ["", "offline", "-offline", "pwws", "pwws-online", "-calibrated"])
def test_what_is_no_key(text):
    with pytest.raises(ValueError, match="is not RECIPE-PROFILE with a profile of paper, offline"):
        AttackKey.parse(text)
