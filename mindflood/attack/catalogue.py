"""The recipes and profiles there are; known without importing TextAttack."""

import difflib
from collections.abc import Iterable, Mapping

from mindflood.attack.downloads import TEXTFOOLER, Download, require
from mindflood.errors import UserError

PROFILES = ("offline", "paper")
# Recipe → what TextAttack's own version of it downloads.
RECIPES: Mapping[str, tuple[Download, ...]] = {"textfooler": TEXTFOOLER}


def check_available(recipe: str, profile: str, *, allow_pickles: bool = False) -> None:
    """Check that a recipe can be built in a profile on this machine.

    Raises:
        UserError: the recipe or profile is unknown (the nearest is suggested), or ``paper`` lacks
            a download (``offline``'s replacements are named).
    """
    _check_known("recipe", recipe, RECIPES)
    _check_known("profile", profile, PROFILES)
    if profile == "paper":
        require(recipe, RECIPES[recipe], allow_pickles=allow_pickles)


def _check_known(kind: str, name: str, known: Iterable[str]) -> None:
    known = tuple(known)
    if name in known:
        return
    nearest = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    hint = f"did you mean '{nearest[0]}'? " if nearest else ""
    raise UserError(f"{kind} '{name}': no such {kind}; {hint}known are {', '.join(known)}")
