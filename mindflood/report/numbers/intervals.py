"""Intervals of rates."""

import math

from scipy import stats

Z = float(stats.norm.ppf(0.975))  # standard deviations on either side hold 95 % of a normal


def wilson(successes: float, total: float) -> tuple[float, float]:
    """95 % interval of a rate: ``successes`` of ``total`` sampled sentences (Wilson, 1927).

    The ends are the rates p with |successes/total - p| = z·√(p(1 - p)/total); neither number has
    to be whole, as those of an average are not.
    """
    z, rate = Z, successes / total
    middle = rate + z**2 / (2 * total)
    half = z * math.sqrt(rate * (1 - rate) / total + (z / (2 * total)) ** 2)
    divisor = 1 + z**2 / total
    return max(0.0, (middle - half) / divisor), min(1.0, (middle + half) / divisor)
