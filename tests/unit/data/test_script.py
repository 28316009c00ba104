"""Which texts are told to be of another script than English is written in."""

import pytest

from mindflood.data.script import is_foreign


@pytest.mark.parametrize(
    ("texts", "foreign"),
    [
        (["这部电影很好", "我不喜欢"], True),
        (["Фильм был хорош"], True),
        (["映画はとても good"], True),
        (["a good film", "un très bon film", "Ｆｕｌｌｗｉｄｔｈ"], False),
        (["a good film, 好"], False),
        (["1234 !?"], False),
        ([], False),
    ],
)
def test_most_letters_decide(texts: list[str], foreign: bool) -> None:
    assert is_foreign((text,) for text in texts) == foreign
