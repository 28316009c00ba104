"""Gradient accordance in one pass over the batches (Flooding-X §3.2, eq. 11-13)."""

import numbers
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mindflood.errors import UserError

Gradient = NDArray[np.floating] | Sequence[NDArray[np.floating]]
_Parts = list[NDArray[np.floating]]

# Entries of a gradient that are in float64 at a time: the working copies stay in the cache.
_CHUNK = 1 << 16


class AccordanceEstimator:
    """Streaming gradient accordance of the batches of a sub-epoch, exact and without a pair loop.

    With u_s^i the unit class gradient of class i in batch s and U_i = Σ_s u_s^i,

        Σ_{s<t} Σ_{i≠j} u_s^i·u_t^j = ½ Σ_{i≠j} (U_i·U_j − Σ_s u_s^i·u_s^j),

    so that k running sums and k×k scalars replace the N·k gradients. The number of valid terms has
    the same form with every u replaced by 1.

    All gradients must be taken at the same parameters, without dropout. A class without samples in
    a batch is left out of that batch; a gradient of zero norm counts as left out.

    Time: every gradient entry is read once a batch, O(N·k·P) memory traffic; the scalars per class
    pair are one k×k matrix product of each chunk. Memory: the sums, k·P numbers of ``dtype``, and
    k chunks of 65,536 float64. With float64 sums (the default) the result agrees with the literal
    pair sums to 1e-6 relative, also where they nearly cancel. With float32 sums, for networks whose
    float64 sums (880 MB a class for BERT-base) do not fit, to about 1e-7 absolute; the arithmetic
    on the chunks stays in float64.
    """

    def __init__(self, num_classes: int, *, dtype: DTypeLike = np.float64) -> None:
        """Start an empty sub-epoch.

        Args:
            num_classes: k, at least 2.
            dtype: float64 or float32, of the k running sums.

        Raises:
            UserError: fewer than two classes, or another dtype.
        """
        if num_classes < 2:
            raise UserError(f"num_classes: {num_classes}: gradient accordance compares two classes")
        if np.dtype(dtype) not in (np.dtype(np.float64), np.dtype(np.float32)):
            raise UserError(f"dtype: {np.dtype(dtype)}: expected float64 or float32")
        self.num_classes = num_classes
        self._num_batches = 0
        self._sums = np.zeros((num_classes, 0), dtype)  # U_i
        self._same_batch = np.zeros((num_classes, num_classes))  # Σ_s u_s^i·u_s^j
        self._together = np.zeros((num_classes, num_classes), np.int64)  # batches that have i and j

    @property
    def num_batches(self) -> int:
        """N, the batches seen, those without any gradient included."""
        return self._num_batches

    def update(self, gradients: Mapping[int, Gradient]) -> None:
        """Take in one batch.

        Args:
            gradients: the class gradient of each class that the batch has. Either one vector,
                float [P], or the tensors of the parameters in a fixed order, float of any shape,
                P entries in all, which stand for their concatenation without making it. P is the
                same in all batches. The arrays are only read and not kept.

        Raises:
            UserError: a class out of range, another P, an entry that is not finite or not a float;
                the batch is then not counted.
        """
        vectors = {
            _checked_class(i, self.num_classes): _parts(i, gradient)
            for i, gradient in gradients.items()
        }
        self._check_layout(vectors)
        largest = {i: _largest_entry(i, parts) for i, parts in vectors.items()}
        present = [i for i in sorted(vectors) if largest[i] > 0]
        if present:
            self._add_unit_gradients(present, [vectors[i] for i in present], largest)
        self._num_batches += 1

    def value(self) -> float | None:
        """S_epoch_accd of eq. 13, in [-½, ½].

        That is half the mean of cos(g_s^i, g_t^j) over the valid s < t, i ≠ j, which equals eq. 13
        where every batch has every class. None where no such pair exists: fewer than two batches
        with gradients, or gradients of one class only.
        """
        totals, counts = self._pair_totals()
        upper = np.triu_indices(self.num_classes, 1)
        return _half_mean(totals[upper].sum(), counts[upper].sum())

    def state_dict(self) -> dict[str, NDArray]:
        """The state as arrays: sums [k, P], same_batch and together [k, k], num_batches [1].

        They are not copied: write them (safetensors) before the next :meth:`update`.
        """
        return {
            "sums": self._sums,
            "same_batch": self._same_batch,
            "together": self._together,
            "num_batches": np.array([self._num_batches], np.int64),
        }

    def load_state_dict(self, state: Mapping[str, NDArray]) -> None:
        """Continue from a :meth:`state_dict`, which is copied.

        Raises:
            UserError: an array is missing or does not fit ``num_classes``.
        """
        k = self.num_classes
        shapes = {"same_batch": (k, k), "together": (k, k), "num_batches": (1,)}
        for key in ("sums", *shapes):
            if key not in state:
                raise UserError(f"accordance state: {key!r} is missing; start the sub-epoch again")
            shape = np.shape(state[key])
            if shape != shapes.get(key, (k, *shape[1:2])):
                raise UserError(
                    f"accordance state: {key!r} has shape {shape}, which does not fit {k} classes; "
                    "continue with the num_classes it was saved with"
                )
        self._sums = np.array(state["sums"], self._sums.dtype, order="C")
        self._same_batch = np.array(state["same_batch"], np.float64)
        self._together = np.array(state["together"], np.int64)
        self._num_batches = int(state["num_batches"][0])

    def _add_unit_gradients(
        self, present: list[int], vectors: list[_Parts], largest: dict[int, float]
    ) -> None:
        norms = [_scaled_norm(parts, largest[i]) for i, parts in zip(present, vectors, strict=True)]
        sizes = [part.size for part in vectors[0]]
        self._allocate(sum(sizes))
        among = np.ix_(present, present)
        buffer = np.empty((len(present), min(_CHUNK, max(sizes))))
        for part, inside, across in _chunks(sizes):
            unit = buffer[:, : across.stop - across.start]
            for row, (i, parts, norm) in enumerate(zip(present, vectors, norms, strict=True)):
                np.divide(parts[part][inside], largest[i], out=unit[row], dtype=np.float64)
                unit[row] *= 1 / norm
                self._sums[i, across] += unit[row]
            self._same_batch[among] += unit @ unit.T
        self._together[among] += 1

    def _pair_totals(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """For each i, j: Σ_{s≠t} u_s^i·u_t^j and its number of valid terms, [k, k] each."""
        products = np.zeros_like(self._same_batch)
        for start in range(0, self._sums.shape[1], _CHUNK):
            chunk = self._sums[:, start : start + _CHUNK].astype(np.float64, copy=False)
            products += chunk @ chunk.T
        seen = np.diag(self._together)
        return products - self._same_batch, np.outer(seen, seen) - self._together

    def _check_layout(self, vectors: dict[int, _Parts]) -> None:
        layouts = {i: [part.size for part in parts] for i, parts in vectors.items()}
        for i, sizes in layouts.items():
            if sum(sizes) == 0:
                raise UserError(f"gradient of class {i}: it has no entries; leave the class out")
            self._check_length(sum(sizes), f"gradient of class {i}")
            first = next(iter(layouts))
            if sizes != layouts[first]:
                raise UserError(
                    f"gradient of class {i}: {sum(sizes)} entries in {len(sizes)} arrays, that of "
                    f"class {first} has {sum(layouts[first])} in {len(layouts[first])}: every "
                    "class needs the same parameters in the same order"
                )

    def _check_length(self, length: int, what: str) -> None:
        expected = self._sums.shape[1]
        if expected and length != expected:
            raise UserError(
                f"{what}: {length} entries, the batches before have {expected}: every batch needs "
                "the same parameters"
            )

    def _allocate(self, length: int) -> None:
        if not self._sums.size:
            self._sums = np.zeros((self.num_classes, length), self._sums.dtype)


def _checked_class(i: int, num_classes: int) -> int:
    if isinstance(i, bool) or not isinstance(i, numbers.Integral) or not 0 <= i < num_classes:
        raise UserError(f"class {i!r}: expected a whole number from 0 to {num_classes - 1}")
    return int(i)


def _parts(i: int, gradient: Gradient) -> _Parts:
    """The gradient of class i as flat arrays (views wherever the memory is contiguous)."""
    if isinstance(gradient, np.ndarray):
        if gradient.ndim != 1:
            raise UserError(
                f"gradient of class {i}: an array of shape {gradient.shape}, expected a vector or "
                "the list of the parameters' gradients"
            )
        gradient = [gradient]
    for part in gradient:
        if not isinstance(part, np.ndarray) or part.dtype.kind != "f":
            kind = part.dtype if isinstance(part, np.ndarray) else type(part).__name__
            raise UserError(f"gradient of class {i}: {kind}, expected a NumPy array of floats")
    return [part.reshape(-1) for part in gradient if part.size]


def _largest_entry(i: int, parts: _Parts) -> float:
    """max |g|, 0 for a zero gradient; found without a copy, and NaN or inf show in it."""
    largest = float(np.max([max(part.max(), -part.min()) for part in parts]))
    if not np.isfinite(largest):
        raise UserError(
            f"gradient of class {i}: it has NaN or infinite entries; lower the learning rate or "
            "probe in float32"
        )
    return largest


def _scaled_norm(parts: _Parts, largest: float) -> float:
    """|g| / max |g|, which neither overflows nor underflows whatever the size of g."""
    squares = 0.0
    for part, inside, _ in _chunks([part.size for part in parts]):
        chunk = np.divide(parts[part][inside], largest, dtype=np.float64)
        squares += float(chunk @ chunk)
    return squares**0.5


def _chunks(sizes: list[int]) -> Iterator[tuple[int, slice, slice]]:
    """Number of the part, the chunk's place in it, and its place in the concatenation."""
    offset = 0
    for part, size in enumerate(sizes):
        for start in range(0, size, _CHUNK):
            stop = min(start + _CHUNK, size)
            yield part, slice(start, stop), slice(offset + start, offset + stop)
        offset += size


def _half_mean(total: float, count: int) -> float | None:
    return 0.5 * float(total) / int(count) if count else None
