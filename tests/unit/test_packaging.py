"""Every supported Python has one exact version of each package, and it is in setup.py's range."""

import ast
import runpy
import sys

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from mindflood import doctor_probes
from tests.conftest import ROOT

PYTHONS = {"3.10": "2.7.0", "3.11": "2.7.0", "3.12": "2.10.0"}  # → MindSpore


def setup_argument(name: str):
    """What setup.py hands to ``setup`` under this name, where that is written out."""
    tree = ast.parse((ROOT / "setup.py").read_text(encoding="utf-8"))
    (call,) = (
        node.value for node in tree.body
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    )  # fmt: skip
    (value,) = (keyword.value for keyword in call.keywords if keyword.arg == name)
    return ast.literal_eval(value)


def chosen(lines, python: str) -> list[Requirement]:
    """The requirements whose markers hold on this Python."""
    environment = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    found = map(Requirement, lines)
    return [r for r in found if r.marker is None or r.marker.evaluate(environment)]


def pins(python: str) -> dict[str, str]:
    """Package → version of ``pip install -c constraints.txt`` on this Python."""
    lines, files = [], ["constraints.txt"]
    for name in files:
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            if line.startswith("-c "):
                files.append(line.removeprefix("-c "))
            elif not line.startswith("#"):
                lines.append(line)
    found: dict[str, str] = {}
    for requirement in chosen(lines, python):
        (pin,) = requirement.specifier
        name = canonicalize_name(requirement.name)
        assert pin.operator == "=="
        assert name not in found
        found[name] = pin.version
    return found


@pytest.mark.parametrize("python", PYTHONS)
def test_what_setup_needs_is_pinned_within_its_range(python: str) -> None:
    pinned = pins(python)
    for requirement in chosen(setup_argument("install_requires"), python):
        name = canonicalize_name(requirement.name)
        assert requirement.specifier.contains(pinned[name]), requirement


@pytest.mark.parametrize(("python", "mindspore"), PYTHONS.items())
def test_a_python_has_one_mindspore_and_mindnlp_only_beside_2_7(
    python: str, mindspore: str
) -> None:
    needed = [r.name for r in chosen(setup_argument("install_requires"), python)]
    assert needed.count("mindspore") == 1
    assert pins(python)["mindspore"] == mindspore
    assert ("mindnlp" in needed) == ("mindnlp" in pins(python)) == (mindspore == "2.7.0")


@pytest.mark.parametrize("python", [(3, 9, 18), (3, 13, 0)])
def test_any_other_python_is_refused_in_a_line(
    python: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    minor = f"3.{python[1]}"
    assert not SpecifierSet(setup_argument("python_requires")).contains(f"{minor}.0")
    monkeypatch.setattr(sys, "version_info", python)
    with pytest.raises(SystemExit, match=rf"^mindflood needs Python .* this is {minor}: .*$"):
        runpy.run_path(str(ROOT / "setup.py"))


def test_the_supported_pythons_are_allowed() -> None:
    allowed = SpecifierSet(setup_argument("python_requires"))
    assert all(allowed.contains(f"{python}.7") for python in PYTHONS)


def test_a_checkout_knows_the_same_ranges() -> None:
    assert set(doctor_probes._NEEDED) <= set(setup_argument("install_requires"))
