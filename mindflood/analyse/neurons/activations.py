"""Activations of many neurons for many words, kept on disk and looked at a block at a time."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from mindflood.files import explained

BLOCK = 1024  # words that are in memory at once


class Matrix(Protocol):
    """Rows of words, columns of neurons: an array, or :class:`Activations`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Words and neurons."""

    def __getitem__(self, rows: slice, /) -> np.ndarray:
        """Some words, [words, neurons]."""


class Activations:
    """float32 ``[words, neurons]`` in a file without a name, in the folder for temporary files.

    A block is mapped only as long as somebody holds it, so that what is in memory does not grow
    with the words. The file goes with the object, and with the process however that ends.
    """

    def __init__(self, words: int, neurons: int) -> None:
        self.shape: tuple[int, int] = (words, neurons)
        self._place = Path(tempfile.gettempdir())
        with explained(self._place):
            self._file = tempfile.TemporaryFile()  # noqa: SIM115

    def write(self, first: int, rows: np.ndarray) -> None:
        """Put the activations of words from ``first`` on.

        A full disk is noticed here: a write through a map would end the process.

        Args:
            rows: float32 ``[some, neurons]``.

        Raises:
            UserError: the disk is full.
        """
        with explained(self._place):
            self._file.seek(first * self._row)
            self._file.write(np.ascontiguousarray(rows, np.float32).tobytes())
            self._file.flush()

    def __getitem__(self, rows: slice, /) -> np.ndarray:
        first, stop, _ = rows.indices(self.shape[0])
        if stop <= first:
            return np.zeros((0, self.shape[1]), np.float32)
        return np.memmap(
            self._file, np.float32, "r", first * self._row, (stop - first, self.shape[1])
        )

    @property
    def _row(self) -> int:
        return self.shape[1] * np.dtype(np.float32).itemsize


def blocks(matrix: Matrix) -> Iterator[tuple[slice, np.ndarray]]:
    """All rows in order, ``BLOCK`` at a time: where they are, and a copy of them."""
    for first in range(0, matrix.shape[0], BLOCK):
        rows = slice(first, min(first + BLOCK, matrix.shape[0]))
        yield rows, np.array(matrix[rows])


def columns(matrix: Matrix, neurons: Sequence[int] | np.ndarray) -> np.ndarray:
    """The activations of a few neurons for all words, ``[words, neurons]``."""
    places = np.asarray(neurons, np.int64)
    found = np.empty((matrix.shape[0], len(places)), np.float32)
    for rows, block in blocks(matrix):
        found[rows] = block[:, places]
    return found
