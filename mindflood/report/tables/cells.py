"""Cells that several tables have: a row's names, and its rates with what is open about them."""

from dataclasses import replace

from mindflood.cards.rates import Rate
from mindflood.report.numbers.aggregate import Attacked, Estimate, ResultRow, robust_interval
from mindflood.report.numbers.names import METHODS, STRANGER, TASKS, encoder_name
from mindflood.report.numbers.validated import Rate as Share
from mindflood.report.tables.layout import Number, Range


def row_names(row: ResultRow) -> tuple[str, str, str]:
    """Data set, model and method, as a table's first columns have them."""
    name, comma, columns = row.profile.partition(", ")
    profile = f", {name} profile{comma}{columns}" if row.profile else ""
    setting, encoder = row.setting, encoder_name(row.setting.encoder)
    if setting.method == STRANGER:
        name = f"{encoder} ({setting.variant})" if setting.variant else encoder
        return task_name(setting.task), f"models from elsewhere{profile}", name
    method = method_name(setting.method, setting.level, setting.variant)
    return task_name(setting.task), f"ours: {encoder}{profile}", method


def task_name(task: str) -> str:
    """As the papers call it."""
    return TASKS.get(task, task)


def method_name(method: str, level: float | None = None, variant: str = "") -> str:
    """As the papers call it, with what tells it from its like."""
    name = METHODS.get(method, method)
    if variant:
        name = f"{name} ({variant})"
    return name if level is None else f"{name}, b = {level:g}"


def percent(estimate: Estimate | None, rate: Rate | None = None) -> Number | Range | None:
    """A rate in percent; where undecided texts leave it open, its bounds."""
    if rate is not None and rate.is_open:
        return Range(100 * rate.low, 100 * rate.high)
    if estimate is None:
        return None
    return Number(100 * estimate.mean, None if estimate.half is None else 100 * estimate.half)


def share(rate: Share) -> Number:
    """A share of what people read, in percent, with the ends of its interval."""
    return Number(100 * rate.value, ends=(100 * rate.low, 100 * rate.high))


def estimated(estimate: Estimate | None, digits: int) -> Number | None:
    """A mean with the half width of its interval."""
    return None if estimate is None else Number(estimate.mean, estimate.half, digits)


def queries(attacked: Attacked) -> Number | Range | None:
    """#Query; a lower bound where undecided texts would have cost more."""
    is_open = attacked.broken is not None and attacked.broken.is_open
    if is_open and attacked.least_queries is not None:
        return Range(attacked.least_queries, None, 2)
    return estimated(attacked.queries, 2)


def robust(attacked: Attacked) -> Number | Range | None:
    """Aua%, always with the ends of its interval: its mean need not be in the middle."""
    number, ends = percent(attacked.accuracy, attacked.robust), robust_interval(attacked)
    if not isinstance(number, Number):
        return number
    reach = None if ends is None else (100 * ends[0], 100 * ends[1])
    return replace(number, half=None, ends=reach)
