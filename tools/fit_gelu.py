"""Coefficients of Φ in mindflood/models/kernels.py: python tools/fit_gelu.py

A minimax fit of the odd polynomial p of x·σ(p(x)) to x·Φ(x) by Lawson's iteration (weighted least
squares whose weights grow where the error is large), in float64, against SciPy's Φ.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.special import expit, log_ndtr, ndtr

LONGEST = 12.0  # behind it Φ is 0 or 1 for a float32


def fit(terms: int, iterations: int = 400, points: int = 24_000) -> np.ndarray:
    """Coefficients of x, x³, x⁵, …, float64 [terms]; the weight is max(1, |x|): Φ counts too."""
    x = np.linspace(LONGEST / points, LONGEST, points)
    # d(σ) = σ(1 - σ)·dp, so the fit is linear in p = logit Φ.
    weight = np.maximum(1.0, x) * ndtr(x) * ndtr(-x)
    x, weight = x[weight > 1e-14], weight[weight > 1e-14]
    goal = log_ndtr(x) - log_ndtr(-x)
    powers = np.stack([x ** (2 * k + 1) for k in range(terms)], axis=1)
    size = powers.max(axis=0)
    share = np.full(len(x), 1 / len(x))
    best, least = np.zeros(terms), np.inf
    for _ in range(iterations):
        scale = np.sqrt(share) * weight
        solved = np.linalg.lstsq(powers / size * scale[:, None], goal * scale, rcond=None)[0] / size
        error = np.abs(weight * (powers @ solved - goal))
        if error.max() < least:
            best, least = solved, error.max()
        share *= error
        share /= share.sum()
    return best


def gelu(x: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """x·σ(p(x)) in the precision of ``x``, term by term as the kernel does."""
    t, p = x * x, np.zeros_like(x)
    with np.errstate(over="ignore"):
        for c in coefficients[::-1]:
            p = p * t + x.dtype.type(c)
        return x * expit(x * p)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--terms", type=int, nargs="+", default=[5, 7, 10])
    x = np.linspace(-LONGEST, LONGEST, 2_400_001)
    exact = x * ndtr(x)
    for terms in parser.parse_args().terms:
        found = fit(terms)
        whole = np.abs(gelu(x, found) - exact).max()
        single = x.astype(np.float32)
        rounded = np.abs(gelu(single, found) - single * ndtr(single.astype(np.float64)))
        print(f"{terms} terms: {whole:.2e} in float64, {rounded.max():.2e} in float32")
        print("   ", ", ".join(f"{c:.9g}" for c in found))


if __name__ == "__main__":
    main()
