"""The attack recipes, one a file, each in its profiles: ``paper`` as TextAttack has it, ``offline``
without a download."""

from mindflood.attack.recipes.build import BuiltRecipe, build_recipe

__all__ = ["BuiltRecipe", "build_recipe"]
