"""How much an attack may spend on one sample; who runs out is counted apart, not as robust."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from mindflood.errors import UserError


@dataclass(frozen=True)
class Budget:
    """Limits of the search for one sample; None: no limit.

    Attributes:
        max_queries: queries of the victim as TextAttack counts them: the first look at the text
            and repeated texts are part of it.
        max_seconds: time of the sample's own computing and its share of each batch of a model. It
            is looked at when the search asks a model, and depends on the machine.

    Raises:
        UserError: a limit is not positive.
    """

    max_queries: int | None = None
    max_seconds: float | None = None

    def __post_init__(self) -> None:
        if self.max_queries is not None and self.max_queries < 1:
            raise UserError(f"--max-queries {self.max_queries}: expected 1 or more")
        if self.max_seconds is not None and not self.max_seconds > 0:
            raise UserError(f"--max-seconds {self.max_seconds:g}: expected more than 0")

    @property
    def settings(self) -> dict[str, Any]:
        """The limits, as the results file and the card give them."""
        return asdict(self)

    def fingerprint(self, recipe: str) -> str:
        """A recipe's fingerprint within this budget: itself without a limit.

        Args:
            recipe: fingerprint of the recipe, 16 hexadecimal digits.
        """
        if self == UNLIMITED:
            return recipe
        content = json.dumps([recipe, self.settings])
        return hashlib.sha256(content.encode()).hexdigest()[:16]


UNLIMITED = Budget()
