"""What is attacked and how, known before a framework is loaded."""

from dataclasses import dataclass, field

from mindflood.attack.budget import UNLIMITED, Budget
from mindflood.attack.columns import Columns
from mindflood.attack.options import RecipeOptions
from mindflood.data.tasks import Task


@dataclass(frozen=True)
class AttackSettings:
    """What decides the outcome of every sample, and what a worker needs to attack them."""

    model: str
    task: Task
    recipe: str
    profile: str
    seed: int
    options: RecipeOptions = field(default_factory=RecipeOptions)
    budget: Budget = UNLIMITED
    columns: Columns = "both"
    temperature: float | None = None  # None attacks the victim as it is
