"""The table of the methods that flood every row by itself.

No framework is imported before a row's class is asked for.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class RowMethod:
    """One method: w_i ∇ℓ_i is what row i gives to the update's direction.

    Attributes:
        title: as tables print it.
        cell: name of the rule of w_i, a class of :mod:`mindflood.flooding.rows`.
        own_levels: every row has a level of its own, and there is none for all.
    """

    title: str
    cell: str
    own_levels: bool = False


ROW_METHODS = {
    "iflood": RowMethod("iFlood", "IFlood"),
    "softad": RowMethod("SoftAD", "SoftAD"),
    "adaflood": RowMethod("AdaFlood", "AdaFlood", own_levels=True),
}
