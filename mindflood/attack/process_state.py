"""What belongs to the whole process and would pass from one search to another."""

import random
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch


@dataclass(frozen=True)
class ProcessState:
    """The global random generators that attacks draw from, and PyTorch's gradient mode."""

    python: tuple[Any, ...]
    numpy: Any
    torch: torch.Tensor
    gradients: bool

    @classmethod
    def now(cls) -> Self:
        """The state as it is."""
        return cls(
            random.getstate(),
            np.random.get_state(),
            torch.get_rng_state(),
            torch.is_grad_enabled(),
        )

    def restore(self) -> None:
        """Bring it back."""
        random.setstate(self.python)
        np.random.set_state(self.numpy)
        torch.set_rng_state(self.torch)
        torch.set_grad_enabled(self.gradients)
