"""Rooms stand above what they use: no import leads up, or to a room beside, and there is no circle.

What a package's ``__init__`` hands on does not count.
"""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

from tests.conftest import ROOT

# From the ground up; rooms of one line do not know each other.
LEVELS = (
    ("visible", "streams"),
    ("errors", "fingerprint", "progress"),
    ("stored", "terminal", "kinds", "metrics"),
    ("files",),
    ("interrupts", "locks", "own_folder", "fields"),
    ("process",),
    ("flooding",),
    ("data", "models", "cards"),
    ("defences",),
    ("config",),
    ("training", "report.numbers"),
    ("report.tables",),
    ("report.figures",),
    ("report",),
    ("bridge",),
    ("masked_lm",),
    ("attack.searches", "attack.nltk_data", "attack.settings", "attack.chosen"),
    ("attack.textattack_import", "attack.held_out", "attack.of_run"),
    ("attack.victim",),
    ("attack.resources",),
    ("attack.swaps",),
    ("attack.recipes",),
    ("attack.results",),
    ("attack.driver",),
    ("attack.audit", "attack.predict", "attack.runner", "attack.training_rows"),
    ("attack.command",),
    ("attack.merge_command",),
    ("analyse",),
    ("augment",),
    ("pipeline",),
    ("augment.command",),
    ("doctor_probes", "cli"),
    ("doctor", "__main__"),
)
HEIGHT = {room: height for height, rooms in enumerate(LEVELS) for room in rooms}


def modules(root: Path) -> dict[str, Path]:
    """Name, without ``mindflood.``, of every module but the packages' own."""
    files = (path for path in (root / "mindflood").rglob("*.py") if path.name != "__init__.py")
    return {".".join(path.relative_to(root).with_suffix("").parts[1:]): path for path in files}


def imports(path: Path, known: set[str]) -> Iterator[str]:
    """What a file imports of the project, wherever it does; a module as often as it is named."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name.startswith("mindflood."):
                name = name.removeprefix("mindflood.")
                while name and name not in known:
                    name = name.rpartition(".")[0]
                if name:
                    yield name


def room(module: str) -> str:
    """The room with the longest name that a module lies in."""
    name = module
    while name not in HEIGHT:
        assert name, f"{module} lies in no room: add it to LEVELS"
        name = name.rpartition(".")[0]
    return name


def faults(root: Path) -> list[str]:
    """Every import that leads up or aside."""
    files = modules(root)
    found = []
    for module, path in files.items():
        for other in imports(path, set(files)):
            above, below = room(module), room(other)
            if above != below and HEIGHT[below] >= HEIGHT[above]:
                found.append(f"{module} ({above}) imports {other} ({below})")
    return found


def test_no_import_leads_up():
    assert not faults(ROOT)


def test_there_is_no_circle():
    files = modules(ROOT)
    order = TopologicalSorter({module: set(imports(path, set(files))) - {module}
                               for module, path in files.items()})  # fmt: skip
    order.prepare()  # raises CycleError, which names the modules of a circle


def test_an_import_that_leads_up_is_found(tmp_path):
    low, high = tmp_path / "mindflood/data/rows.py", tmp_path / "mindflood/attack/victim/folder.py"
    for path in (low, high):
        path.parent.mkdir(parents=True)
    low.write_text("def late():\n    from mindflood.attack.victim.folder import model_folder\n")
    high.write_text("from mindflood.data import rows\n")
    assert faults(tmp_path) == ["data.rows (data) imports attack.victim.folder (attack.victim)"]
