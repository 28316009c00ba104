"""The distribution of θ over 25 runs of OLS, PGD-AT and LDS (Altinisik et al. 2023, Figure 1).

python tools/regression_study.py

True θ = 0.5. A small spread stands for robustness, a mean near 0.5 for generalisation.
"""

from __future__ import annotations

import argparse

import numpy as np

from mindflood.analyse.regression import METHODS, Study, estimate


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=25)
    parser.add_argument("--noise", type=float, nargs="+", default=[0.01, 0.1], help="σ of y")
    parser.add_argument("--radius", type=float, default=Study.radius, help="ε of δ")
    args = parser.parse_args()
    if args.runs < 2 or min(args.noise) < 0 or args.radius < 0:
        parser.error("--runs: expected 2 or more, --noise and --radius: 0 or more")
    study = Study(radius=args.radius)
    print(f"{'sigma':>6} {'method':>7} {'mean':>9} {'spread':>9}")
    for noise in args.noise:
        for method in METHODS:
            found = [estimate(method, noise, seed, study) for seed in range(args.runs)]
            spread = np.std(found, ddof=1)
            print(f"{noise:6g} {method:>7} {np.mean(found):9.5f} {spread:9.5f}")


if __name__ == "__main__":
    main()
