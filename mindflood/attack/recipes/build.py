"""From the name of a recipe and a profile to an attack, with what names it exactly."""

import importlib
from dataclasses import dataclass
from typing import Any, Protocol, cast

from mindflood.attack.recipes.parts import Assembled
from mindflood.attack.resources.downloads import check_available, pieces_of
from mindflood.attack.resources.paper_contents import contents
from mindflood.attack.textattack_import import safetensors_only, textattack
from mindflood.config.attack import RecipeOptions
from mindflood.errors import UserError
from mindflood.fingerprint import recipe_fingerprint


class Recipe(Protocol):
    """One attack of the literature: a module of this folder."""

    def paper(self, victim: Any, options: RecipeOptions) -> Assembled:
        """TextAttack's own recipe on ``victim``, a TextAttack model wrapper."""

    def offline(self, victim: Any, options: RecipeOptions) -> Assembled:
        """The same without downloads."""


def recipe_module(name: str) -> Recipe:
    """The recipe of a row of the catalogue."""
    module: Any = importlib.import_module(f"mindflood.attack.recipes.{name.replace('-', '_')}")
    return cast(Recipe, module)


@dataclass(frozen=True)
class BuiltRecipe:
    """A recipe ready to attack one victim.

    Attributes:
        attack: the ``textattack.Attack``.
        replaced_components: what the profile put in the place of the paper's parts.
        fingerprint: hash of the exact parts and their settings.
    """

    attack: Any
    replaced_components: tuple[str, ...]
    fingerprint: str


def build_recipe(
    name: str, profile: str, victim: Any, options: RecipeOptions | None = None
) -> BuiltRecipe:
    """The attack ``name`` in ``profile`` on ``victim`` (a TextAttack model wrapper).

    Raises:
        UserError: the recipe or profile is unknown, ``paper`` lacks a download or one fails, or
            ``offline`` lacks a masked language model.
    """
    options = options or RecipeOptions()
    check_available(name, profile, allow_pickles=options.allow_pickles)
    if profile == "paper":
        return _paper(name, victim, options)
    built = recipe_module(name).offline(victim, options)
    fingerprint = recipe_fingerprint(built.attack, name, profile, built.resources)
    return BuiltRecipe(built.attack, built.replaced, fingerprint)


def _paper(name: str, victim: Any, options: RecipeOptions) -> BuiltRecipe:
    try:
        with safetensors_only():
            built = recipe_module(name).paper(victim, options)
            _load_sentence_encoders(built.attack)
        resources = contents(pieces_of(name))
    except Exception as error:  # of the hub, TensorFlow, requests, zipfile, torch, ...
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(
            f"{name}, profile 'paper': TextAttack could not build it: {said}; a download may have "
            "been cut short: try again, or run with --profile offline"
        ) from error
    fingerprint = recipe_fingerprint(built.attack, name, "paper", resources)
    return BuiltRecipe(built.attack, built.replaced, fingerprint)


def _load_sentence_encoders(attack: Any) -> None:
    """Load what TextAttack would load at the first use: in the attack's copy for every sample."""
    for constraint in attack.constraints:
        if isinstance(
            constraint, textattack.constraints.semantics.sentence_encoders.UniversalSentenceEncoder
        ):
            constraint.encode(["a sentence"])
