"""One share of an attack's samples: what a machine of many attacks."""

import importlib.util
import re
from dataclasses import dataclass

import numpy as np

from mindflood.errors import UserError

SHARE_CARD = "share.json"  # a card that no report takes for a model of its own


@dataclass(frozen=True)
class Share:
    """The ``number``-th (from 1) of ``of`` shares."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> "Share":
        """``i/n`` as a share.

        Raises:
            UserError: it is not two whole numbers with 1 <= i <= n.
        """
        found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            raise UserError(f"--shard {text}: expected i/n with 1 <= i <= n, for instance 1/4")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def rows(self, rows: np.ndarray) -> np.ndarray:
        """This share of ``rows``: every ``of``-th, so that long texts spread over all shares.

        Raises:
            UserError: there are more shares than rows.
        """
        if self.of > len(rows):
            raise UserError(
                f"--shard {self}: there are {len(rows)} samples; expected at most as many shares"
            )
        return rows[self.number - 1 :: self.of]


def check_ray() -> None:
    """Check that Ray is installed.

    Raises:
        UserError: it is not.
    """
    if importlib.util.find_spec("ray") is None:
        raise UserError(
            "--ray: the package ray is not installed; pip install 'mindflood[ray]', or share the "
            "samples out with --shard i/n and merge them with 'mindflood merge-attacks'"
        )
