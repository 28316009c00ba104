"""A flood level for every row, from models that have not seen it (Bae et al. 2024, AdaFlood)."""

from collections.abc import Callable, Sequence

import numpy as np

from mindflood.errors import UserError

Fit = Callable[[int, np.ndarray, np.ndarray], np.ndarray]


def folds_of(labels: np.ndarray, folds: int, seed: int, names: Sequence[str] = ()) -> np.ndarray:
    """Which auxiliary model each row is held out of: int64 ``[n]``, from 0.

    The rows of a class are dealt out in a random order, so that every fold has as many of each
    class as the others, but for one, and as many rows.

    Args:
        labels: int ``[n]``.
        names: of the classes, for the message.

    Raises:
        UserError: fewer than two folds, or a class with fewer rows than there are folds.
    """
    if folds < 2:
        raise UserError(f"folds: {folds}: expected at least 2, as no model may see its own rows")
    classes, counts = np.unique(labels, return_counts=True)
    rarest = int(counts.argmin())
    if counts[rarest] < folds:
        most = int(counts[rarest])
        name = names[classes[rarest]] if names else classes[rarest]
        remedy = f"use at most {most}" if most > 1 else "train on more rows of it"
        raise UserError(
            f"folds: {folds} are more than the training rows of class {name}, {most}; {remedy}"
        )
    random = np.random.default_rng([seed, folds])
    order = np.concatenate([random.permutation(np.flatnonzero(labels == one)) for one in classes])
    found = np.empty(len(labels), np.int64)
    found[order] = np.arange(len(order)) % folds
    return found


def held_out_losses(folds: np.ndarray, fit: Fit) -> np.ndarray:
    """The loss of every row under the model that has not seen it: float64 ``[n]``.

    Args:
        folds: as :func:`folds_of` gives them.
        fit: ``fit(fold, seen, held_out)`` trains a model on the rows ``seen`` and returns its
            losses of the rows ``held_out``, both int64 numbers of rows.

    Raises:
        UserError: a loss that is missing, negative or not finite.
    """
    losses = np.full(len(folds), np.nan)
    for fold in np.unique(folds):
        held_out = np.flatnonzero(folds == fold)
        found = np.asarray(fit(int(fold), np.flatnonzero(folds != fold), held_out), np.float64)
        if found.shape != held_out.shape or not (np.isfinite(found) & (found >= 0)).all():
            raise UserError(
                f"fold {fold}: expected {len(held_out)} finite losses of at least 0, one a row"
            )
        losses[held_out] = found
    return losses


def levels_of(losses: np.ndarray, gamma: float) -> np.ndarray:
    """θ_i = −log((1 − γ)·p_i + γ), float64 ``[n]`` in nats.

    Args:
        losses: of rows that the model has not seen; p_i = exp(−loss_i) is the probability of the
            row's label.
        gamma: γ; 0 takes the losses for levels, 1 floods nothing.

    Raises:
        UserError: γ is outside of [0, 1].
    """
    if not 0 <= gamma <= 1:
        raise UserError(f"gamma: {gamma}: expected a number from 0 to 1")
    with np.errstate(divide="ignore"):
        corrected = np.logaddexp(np.log1p(-gamma) - losses, np.log(gamma))
    levels: np.ndarray = np.maximum(-corrected, 0.0)
    return levels
