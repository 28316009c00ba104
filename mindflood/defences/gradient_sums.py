"""Running sums of the gradients of a step's passes, in memory that does not grow with them."""

from mindspore import ParameterTuple, Tensor, nn, ops

PREFIX = "summed"  # of the sums' names: they hold nothing between two steps


class GradientSums(nn.Cell):
    """Σ of gradients over the turns of a loop in a compiled graph.

    What is handed in and out again orders the reads and writes: the compiler keeps to the order of
    the data.
    """

    def __init__(self, parameters: ParameterTuple) -> None:
        super().__init__(auto_prefix=False)
        self.sums = parameters.clone(prefix=PREFIX, init="zeros")

    def cleared(self, value: Tensor) -> Tensor:
        """``value``, once all sums are zero."""
        for total in self.sums:
            value = ops.depend(value, ops.assign(total, ops.zeros_like(total)))
        return value

    def add(self, gradients: tuple[Tensor, ...], factor: float, value: Tensor) -> Tensor:
        """``value``, once ``factor`` × the gradients are in the sums."""
        for index in range(len(self.sums)):
            added = ops.assign_add(self.sums[index], gradients[index] * factor)
            value = ops.depend(value, added)
        return value

    def after(self, value: Tensor) -> tuple[Tensor, ...]:
        """The sums as they are once ``value`` is known."""
        totals: tuple[Tensor, ...] = ()
        for total in self.sums:
            totals += (ops.depend(total, value) * 1.0,)
        return totals
