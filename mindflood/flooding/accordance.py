"""Class gradients of a live network, the probe of gradient accordance (Flooding-X §3.2)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from mindspore import Parameter, ParameterTuple, Tensor, nn, ops
from numpy.typing import NDArray

from mindflood.errors import UserError
from mindflood.flooding.estimator import AccordanceEstimator
from mindflood.flooding.merge import merge_over_workers

__all__ = [
    "AccordanceEstimator",
    "AccordanceProbe",
    "LabelledBatch",
    "merge_over_workers",
    "probed_parameters",
]

ClassGradients = dict[int, list[NDArray[np.floating]]]

_LAYER = re.compile(r"\.encoder\.layer\.(\d+)\.")


class LabelledBatch(NamedTuple):
    """What the probe needs of a batch of B rows.

    Attributes:
        inputs: arrays [B, ...], the network's arguments before labels and weights.
        labels: int [B], the class of each row, from 0.
        real_rows: bool or number [B]; a row where it is 0 or less fills the batch up and does not
            count. None: every row counts.
        targets: array [B, ...], what the network takes for labels; None: the labels.
    """

    inputs: Sequence[NDArray]
    labels: NDArray
    real_rows: NDArray | None = None
    targets: NDArray | None = None

    @classmethod
    def of(cls, batch: Any) -> "LabelledBatch":
        """The probe's view of a :class:`mindflood.data.batching.Batch`.

        A tagged sentence is a row for each tag in it, whose loss is that of the words which have
        the tag.
        """
        inputs = (batch.input_ids, batch.attention_mask, batch.token_type_ids)
        if batch.labels.ndim == 1:
            return cls(inputs, batch.labels, batch.weights)
        pairs = [(row, tag) for row in np.flatnonzero(batch.weights > 0)
                 for tag in np.unique(batch.labels[row][batch.labels[row] >= 0])]  # fmt: skip
        rows, tags = (np.array(side, np.int32) for side in zip(*pairs, strict=True))
        of_rows = batch.labels[rows]
        targets = np.where(of_rows == tags[:, None], of_rows, -100).astype(np.int32)
        return cls(tuple(array[rows] for array in inputs), tags, None, targets)


class AccordanceProbe:
    """Gradient accordance of a network at its present parameters, which stay as they are.

    The network runs in evaluation mode, so that no dropout takes part and no random state moves;
    the training flags of its cells are put back afterwards. In graph mode one graph is compiled a
    batch shape (length bucket).

    Time: the rows of a class go through the network in passes of ``rows_a_pass`` rows, the last one
    filled up with rows of weight 0, so that a batch takes Σ_i ceil(n_i / rows_a_pass) passes. By
    default they hold a quarter more than an even share: one pass a class in a balanced batch, and
    never as many rows as two and a quarter batches. Memory beyond what a training step needs:
    2k gradient vectors in float32, those of a batch's k classes and the estimator's k sums.

    Args:
        network: ``network(*inputs, labels, weights)`` returns Σ_r weights[r] · ce_r, a scalar
            float32 Tensor: the cross-entropy of each row times the weight (float32 [rows]) that
            the probe gives it.
        parameters: with respect to which the gradients are taken, for instance
            :func:`probed_parameters`; the order is that of the gradients.
        num_classes: k, at least 2.
        rows_a_pass: rows of a forward and backward pass; None: :func:`default_rows_a_pass`.
        loss_scale: factor on the loss in the backward pass, taken off the gradients again; for
            float16 networks, whose gradients underflow otherwise.

    Raises:
        UserError: fewer than two classes, no parameters, ``rows_a_pass`` below 1, or a loss scale
            that is not positive.
    """

    def __init__(
        self,
        network: nn.Cell,
        parameters: Iterable[Parameter],
        num_classes: int,
        *,
        rows_a_pass: int | None = None,
        loss_scale: float = 1.0,
    ) -> None:
        if num_classes < 2:
            raise UserError(f"num_classes: {num_classes}: gradient accordance compares two classes")
        if rows_a_pass is not None and rows_a_pass < 1:
            raise UserError(f"rows_a_pass: {rows_a_pass}: expected at least 1")
        if not loss_scale > 0:
            raise UserError(f"loss_scale: {loss_scale}: expected a positive number")
        self.parameters = tuple(parameters)
        if not self.parameters:
            raise UserError("parameters: none to probe; expected at least one")
        self.num_classes = num_classes
        self.rows_a_pass = rows_a_pass
        self.loss_scale = loss_scale
        self._gradient = _Gradient(network, self.parameters)

    def class_gradients(
        self,
        inputs: Sequence[NDArray],
        labels: NDArray,
        real_rows: NDArray | None = None,
        targets: NDArray | None = None,
    ) -> ClassGradients:
        """g^i of a batch: the gradient of the mean loss over its rows of class i.

        Args:
            inputs: as in :class:`LabelledBatch`, like the others.
            labels: the class of each row.
            real_rows: which rows count.
            targets: what the loss takes in place of the classes.

        Returns:
            For each class that has rows, float32 arrays of the parameters' shapes, in their order.

        Raises:
            UserError: no row counts, a label is out of range, or the arrays differ in length.
        """
        batch = LabelledBatch(inputs, labels, real_rows, targets)
        return self._class_gradients(batch, _rows_by_class(batch, self.num_classes, "batch"))

    def measure(
        self,
        batches: Iterable[LabelledBatch | tuple[Sequence[NDArray], NDArray]],
        *,
        rank: int = 0,
        worker_count: int = 1,
    ) -> AccordanceEstimator:
        """Accordance of the batches of a sub-epoch, each of which is read once.

        Args:
            batches: the same whole (global) batches on every worker; a pair ``(inputs, labels)``
                is a batch of which every row counts.
            rank: of this data-parallel worker.
            worker_count: how many there are. Batch j is probed by worker j mod ``worker_count``;
                then the workers exchange their sums, and each returns the same.

        Raises:
            UserError: as :meth:`class_gradients`, on every worker; the message numbers the batch,
                from 0. Also where a gradient is not finite.
        """
        # float32: exact to 1e-7, and the sums of large networks are as large as their gradients.
        estimator = AccordanceEstimator(self.num_classes, dtype=np.float32)
        for number, given in enumerate(batches):
            batch = LabelledBatch(*given)
            rows = _rows_by_class(batch, self.num_classes, f"batch {number}")
            if number % worker_count == rank:
                estimator.update(self._class_gradients(batch, rows))
        if worker_count > 1:
            merge_over_workers(estimator, worker_count)
        return estimator

    def _class_gradients(self, batch: LabelledBatch, rows: dict[int, NDArray]) -> ClassGradients:
        size = self.rows_a_pass or default_rows_a_pass(len(batch.labels), self.num_classes)
        with _evaluation_mode(self._gradient):
            return {i: self._mean_gradient(batch, chosen, size) for i, chosen in rows.items()}

    def _mean_gradient(
        self, batch: LabelledBatch, chosen: NDArray, size: int
    ) -> list[NDArray[np.floating]]:
        total: list[NDArray[np.floating]] = []
        for rows, weights in _passes(chosen, size):
            arrays = (*batch.inputs, batch.labels if batch.targets is None else batch.targets)
            inputs = [Tensor(np.ascontiguousarray(array[rows])) for array in arrays]
            gradients = self._gradient(*inputs, Tensor(weights * np.float32(self.loss_scale)))
            arrays_of_pass = _taken_off(list(gradients))
            del gradients
            if total:
                for held, new in zip(total, arrays_of_pass, strict=True):
                    held += new
            else:
                total = list(arrays_of_pass)
        if self.loss_scale != 1:
            for held in total:
                held /= self.loss_scale
        return total


def default_rows_a_pass(batch_size: int, num_classes: int) -> int:
    """1.25 · B / k, rounded up: most classes of a shuffled batch fit into one pass."""
    return -(-5 * batch_size // (4 * num_classes))


def _taken_off(gradients: list[Tensor]) -> Iterator[NDArray[np.floating]]:
    """Each gradient as an array of its own; its tensor is let go before the next is copied."""
    gradients.reverse()
    while gradients:
        yield gradients.pop().asnumpy().copy()


class _Gradient(nn.Cell):
    """Gradients of the network's result with respect to the probed parameters."""

    def __init__(self, network: nn.Cell, parameters: Sequence[Parameter]) -> None:
        super().__init__(auto_prefix=False)
        self.network = network
        self.probed = ParameterTuple(parameters)
        self.grad = ops.GradOperation(get_by_list=True)

    def construct(self, *inputs: Any) -> tuple[Tensor, ...]:
        return self.grad(self.network, self.probed)(*inputs)


@contextmanager
def _evaluation_mode(network: nn.Cell) -> Iterator[None]:
    modes = [(cell, cell.training, cell.phase) for _, cell in network.cells_and_names()]
    network.set_train(False)
    try:
        yield
    finally:
        for cell, training, phase in modes:
            cell.add_flags(training=training)
            cell.phase = phase


def probed_parameters(model: nn.Cell, which: str = "all") -> tuple[Parameter, ...]:
    """The parameters of a transformer (Hugging Face's names) that accordance is taken over.

    Args:
        which: "all", the paper's choice: every trainable parameter; "encoder": those of the
            transformer layers, without embeddings, pooler and classifier; "last-N": those of the
            last N layers.

    Raises:
        UserError: another word, more layers than there are, or none of them is trainable.
    """
    layers: dict[int, list[Parameter]] = {}
    trainable = model.trainable_params()
    for parameter in trainable:
        if found := _LAYER.search(parameter.name):
            layers.setdefault(int(found[1]), []).append(parameter)
    last = re.fullmatch(r"last-([1-9]\d*)", which)
    if which == "all":
        chosen = trainable
    elif which == "encoder" or (last and int(last[1]) <= len(layers)):
        wanted = sorted(layers)[-int(last[1]) :] if last else sorted(layers)
        chosen = [parameter for layer in wanted for parameter in layers[layer]]
    else:
        raise UserError(
            f"probed parameters: {which!r}: expected all, encoder or last-N with N from 1 to the "
            f"{len(layers)} layers of the network"
        )
    if not chosen:
        raise UserError(f"probed parameters: {which}: the network has no such trainable parameter")
    return tuple(chosen)


def _rows_by_class(batch: LabelledBatch, num_classes: int, name: str) -> dict[int, NDArray]:
    """The numbers of the rows of each class that the batch has."""
    labels = np.asarray(batch.labels)
    real = np.ones(len(labels), bool) if batch.real_rows is None else batch.real_rows > 0
    lengths = {len(array) for array in (*batch.inputs, labels, real)}
    if len(lengths) > 1:
        raise UserError(f"{name}: arrays of {sorted(lengths)} rows; expected as many of each")
    for row in np.flatnonzero(real):
        if not 0 <= labels[row] < num_classes:
            raise UserError(
                f"{name}, row {row}: label {labels[row]}, expected 0 to {num_classes - 1}; "
                "mark rows without a label as filler"
            )
    if not real.any():
        raise UserError(f"{name}: no labelled row; accordance needs at least one, leave it out")
    return {int(i): np.flatnonzero(real & (labels == i)) for i in np.unique(labels[real])}


def _passes(chosen: NDArray, size: int) -> Iterator[tuple[NDArray, NDArray[np.float32]]]:
    """Parts of ``size`` rows of one class with weights that make their sum the class mean."""
    for start in range(0, len(chosen), size):
        part = chosen[start : start + size]
        rows = np.full(size, part[0])  # a filler repeats a row: its loss is finite
        rows[: len(part)] = part
        weights = np.zeros(size, np.float32)
        weights[: len(part)] = 1 / len(chosen)
        yield rows, weights
