"""The map of the verbs."""

import re

import pytest

from mindflood.cli import ASIDE, VERBS, main


def test_the_map_shows_every_verb_and_nine_at_the_top_at_most(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    group_of = {name: group for group, names in ASIDE.items() for name in names}
    groups = dict(re.findall(r"^(\w[\w ]+):\n((?:  .*\n)+)", shown, re.MULTILINE))
    for name, what, _ in VERBS:
        assert f"  {name:<15}{what}\n" in groups[group_of.get(name, "verbs")]
    assert len(VERBS) - len(group_of) <= 9


@pytest.mark.parametrize(
    ("word", "close"), [("expor", "did you mean 'export'?"), ("zzz", "--help")]
)
def test_an_unknown_verb_suggests_the_nearest(word, close, capsys):
    assert main([word, "x"]) == 2
    said = capsys.readouterr().err
    assert close in said
    assert len(said.splitlines()) == 1
