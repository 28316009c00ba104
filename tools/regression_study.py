"""The distribution of θ over 25 runs of OLS, PGD-AT and LDS (Altinisik et al. 2023, Figure 1).

python tools/regression_study.py --figure theta.svg

True θ = 0.5. A small spread stands for robustness, a mean near 0.5 for generalisation.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np
from records import Sheet, add_option, numbers, words
from scipy.stats import gaussian_kde

from mindflood.analyse.regression import METHODS, Study, estimate
from mindflood.files import user_path, write_text
from mindflood.report.figures.svg import PALETTE, to_svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=25)
    parser.add_argument("--noise", type=float, nargs="+", default=[0.01, 0.1], help="σ of y")
    parser.add_argument("--radius", type=float, default=Study.radius, help="ε of δ")
    parser.add_argument(
        "--figure", type=user_path, metavar="FILE.svg", help="draw the distributions"
    )
    add_option(parser)
    args = parser.parse_args()
    if args.runs < 2 or min(args.noise) <= 0 or args.radius < 0:
        parser.error("--runs: expected 2 or more, --noise: above 0, --radius: 0 or more")
    study = Study(radius=args.radius)
    columns = (
        numbers("σ of the noise", 2),
        words("method"),
        numbers("mean of θ", 5),
        numbers("standard deviation", 5),
    )
    sheet = Sheet("regression", columns, packages=["numpy"])
    distributions: dict[float, dict[str, list[float]]] = {}
    for noise in args.noise:
        distributions[noise] = {}
        for method in METHODS:
            found = [estimate(method, noise, seed, study) for seed in range(args.runs)]
            spread = np.std(found, ddof=1)
            sheet.add(noise, method, float(np.mean(found)), float(spread))
            distributions[noise][method] = found
    sheet.keep(args.record)
    if args.figure:
        write_text(args.figure, figure_1(distributions, study.theta))


def figure_1(distributions: dict[float, dict[str, list[float]]], truth: float) -> str:
    """The estimates' densities, a panel for each σ and a curve for each method, as SVG."""

    def draw(figure: Figure) -> None:
        panels = figure.subplots(len(distributions), 1, squeeze=False)[:, 0]
        for axes, (noise, methods) in zip(panels, distributions.items(), strict=True):
            low, high = min(map(min, methods.values())), max(map(max, methods.values()))
            around = np.linspace(low - (high - low) / 4, high + (high - low) / 4, 400)
            for colour, (method, found) in zip(PALETTE, methods.items(), strict=False):
                axes.plot(around, gaussian_kde(found)(around), color=colour, label=method)
            axes.axvline(truth, color=PALETTE[-1], linestyle=":")
            axes.set(title=f"σ = {noise:g}", xlabel="θ", ylabel="density")
        panels[0].legend(fontsize=9)

    return to_svg(draw, "regression", height=2.6 * len(distributions))


if __name__ == "__main__":
    main()
