"""A kind of random stream keeps its number, and no two kinds share one."""

import numpy as np

from mindflood import streams
from mindflood.models.config import BertConfig
from mindflood.models.dropout import DropoutNoise

NUMBERS = {
    "HIDDEN_DROPOUT": 0,
    "ATTENTION_DROPOUT": 1,
    "UNIT_NOISE": 2,
    "VOCABULARY_TABLE": 3,
    "CRITIC": 4,
    "RESAMPLED_TOKENS": 5,
    "SHUFFLED_ANCHORS": 6,
}
OF_MASKED_LM = {"MASKED_IN_TRAINING": 0, "MASKED_HELD_OUT": 1}


def test_the_kinds_are_these_and_none_is_taken_twice() -> None:
    listed = {name: value for name, value in vars(streams).items() if name.isupper()}
    assert listed == NUMBERS | OF_MASKED_LM
    for kinds in (NUMBERS, OF_MASKED_LM):
        assert len(set(kinds.values())) == len(kinds)


def test_a_mask_is_drawn_from_seed_step_kind_and_pass() -> None:
    sizes = {"hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = BertConfig(**sizes, hidden_dropout_prob=0.5, attention_probs_dropout_prob=0.5)
    masks = DropoutNoise(config, seed=7).draw(3, range(1), 2, number=5)
    for mask, kind in zip(masks, (0, 1), strict=True):
        stream = np.random.PCG64(np.random.SeedSequence((7, 3, kind, 5)))
        bits = stream.random_raw(-(-mask.size // 4)).astype("<u8").view("<u2")[: mask.size]
        np.testing.assert_array_equal(mask.reshape(-1), bits < 2**15)
