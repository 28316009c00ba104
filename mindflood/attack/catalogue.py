"""The recipes and profiles there are; known without importing TextAttack."""

from collections.abc import Collection, Mapping

from mindflood.attack.downloads import TEXTFOOLER, Download, require
from mindflood.errors import UserError
from mindflood.suggestions import nearest

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


def _check_known(kind: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise UserError(f"{kind} '{name}': no such {kind}{nearest(name, known)}")
