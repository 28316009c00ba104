"""The map of the verbs."""

import pytest

from mindflood.cli import AROUND_ATTACKS, VERBS, main


def test_the_map_shows_every_verb_and_nine_at_the_top_at_most(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    top, around = capsys.readouterr().out.split("around an attack:")
    for name, what, _ in VERBS:
        shown = around if name in AROUND_ATTACKS else top
        assert f"  {name:<15}{what}\n" in shown
    assert len(VERBS) - len(AROUND_ATTACKS) <= 10


@pytest.mark.parametrize(
    ("word", "close"), [("expor", "did you mean 'export'?"), ("zzz", "--help")]
)
def test_an_unknown_verb_suggests_the_nearest(word, close, capsys):
    assert main([word, "x"]) == 2
    said = capsys.readouterr().err
    assert close in said
    assert len(said.splitlines()) == 1
