"""What an attack is known by on a card, in a file's name and in a table."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

PROFILES = ("paper", "offline")
CALIBRATED = "-calibrated"
_BOTH = "both"


@dataclass(frozen=True, order=True)
class AttackKey:
    """One recipe in one profile, on the victim as it is or calibrated, on both texts or one.

    ``str`` is the key in ``card["attacks"]``: ``RECIPE-PROFILE`` or ``RECIPE-PROFILE-calibrated``;
    the summary under it tells the columns.
    """

    recipe: str
    profile: str
    calibrated: bool = False
    columns: str = _BOTH

    @classmethod
    def parse(cls, text: str, summary: Mapping[str, Any] | None = None) -> "AttackKey":
        """The key of a card, with the columns that its summary tells.

        Raises:
            ValueError: it does not end in a known profile.
        """
        recipe, _, profile = text.removesuffix(CALIBRATED).rpartition("-")
        if not recipe or profile not in PROFILES:
            known = ", ".join(PROFILES)
            raise ValueError(f"'{text}' is not RECIPE-PROFILE with a profile of {known}")
        columns = str((summary or {}).get("columns", _BOTH))
        return cls(recipe, profile, text.endswith(CALIBRATED), columns)

    def __str__(self) -> str:
        return f"{self.recipe}-{self.profile}{self._victim}"

    @property
    def stem(self) -> str:
        """What the files of its results are called, without their ending."""
        return f"{self.recipe}{self._victim}"

    @property
    def variant(self) -> str:
        """All but the recipe, as tables name it: attacks of one variant stand in one block."""
        return f"{self.profile}{self._victim}{self.one_text}"

    @property
    def one_text(self) -> str:
        """What the name ends in where one text of a pair alone may change."""
        return "" if self.columns == _BOTH else f", {self.columns} text only"

    @property
    def plain(self) -> "AttackKey":
        """The same attack on the victim as it is."""
        return replace(self, calibrated=False)

    @property
    def _victim(self) -> str:
        return CALIBRATED if self.calibrated else ""
