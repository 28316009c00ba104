"""The table of the defences: what it names exists, and nothing else goes by a method's name."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from mindflood.defences.registry import DEFENCE_METHODS
from mindflood.defences.settings import DEFENCES, LENGTHS, DefenceSettings, resolved
from tests.conftest import ROOT

# The worked example of a paper has closed forms for two methods, not their training.
OUTSIDE = {ROOT / "mindflood/analyse/regression.py"}
CELLS = [
    (method, cell)
    for method, row in DEFENCE_METHODS.items()
    for cell in (row.cell, row.beside)
    if cell is not None
]


@pytest.mark.parametrize(("method", "cell"), CELLS)
def test_a_row_names_a_class_that_is_there(method: str, cell: str) -> None:
    module, name = cell.split(":")
    tree = ast.parse((ROOT / module.replace(".", "/")).with_suffix(".py").read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.ClassDef)}


@pytest.mark.parametrize("method", DEFENCE_METHODS)
def test_a_row_fills_in_all_that_every_step_needs(method: str) -> None:
    found = resolved(method, DefenceSettings())
    for key in (*LENGTHS, "norm", "reuse_dropout"):
        assert getattr(found, key) is not None
    assert set(DEFENCE_METHODS[method].defaults) <= set(vars(DEFENCES[method]))
    row = DEFENCE_METHODS[method]
    assert row.whole_batch or not row.one_device  # whose message says why


def names_in(path: Path) -> set[str]:
    """The methods' names that a file has as strings of their own."""
    nodes = ast.walk(ast.parse(path.read_text()))
    found = {node.value for node in nodes if isinstance(node, ast.Constant)}
    return {name for name in DEFENCE_METHODS if name in found}


def test_no_other_file_asks_for_a_method_by_name() -> None:
    table = ROOT / "mindflood/defences/registry.py"
    assert names_in(table) == set(DEFENCE_METHODS)
    files = set((ROOT / "mindflood").rglob("*.py")) - OUTSIDE - {table}
    assert not {str(path): names for path in files if (names := names_in(path))}


def test_the_table_is_read_without_a_framework() -> None:
    code = (
        "import sys, mindflood.defences.settings; "
        "assert not {'mindspore', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
