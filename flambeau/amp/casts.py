"""Which operations autocast runs in the lower dtype, which in float32: PyTorch's lists for the CPU.

An instance of `Casts` is the mode's `autocast`; core.slow asks it before an operation looks at its
arguments.
Stands on core.declare.
"""

from __future__ import annotations

from typing import Any

from flambeau.core import dtypes, state
from flambeau.core.declare import Op
from flambeau.core.node import AccumulateGrad
from flambeau.core.tensor import Tensor, edge_of

__all__ = ["Casts"]

LOWER = frozenset(
    (
        "_addmm_linear",
        "_attention",
        "_matmul",
        "_mm_linear",
        "_rnn_layer",
        "addbmm",
        "addmm",
        "baddbmm",
        "bmm",
        "convolved",
        "dot",
        "mm",
        "mv",
    )
)
"""Products: matrices, linear layers, convolutions, attention, LSTM. `mv` and `dot` are what ``@``
comes to with vectors."""

SINGLE = frozenset(
    (
        "_bce_with_logits",
        "_cross_entropy",
        "_ctc_loss",
        "_huber_loss",
        "_multi_margin_loss",
        "_multilabel_margin_loss",
        "_nll_loss",
        "_polar",
        "_smooth_l1_loss",
        "_view_as_complex",
        "binary_cross_entropy",
        "border_pad",
        "fractional_maximum",
        "grid_sample",
        "linalg_cholesky_ex",
        "linalg_eig",
        "linalg_eigh",
        "linalg_inv_ex",
        "linalg_qr",
        "linalg_solve_ex",
        "_linalg_solve_ex",
        "linalg_svd",
        "mse_loss",
        "prod",
        "soft_margin_loss",
        "trace",
    )
)
"""Losses, decompositions and whatever loses too much in 8 bits of mantissa."""

NARROW = (dtypes.bfloat16.numpy, dtypes.float16.numpy)


class Casts:
    """The casting of one autocast region and those inside it."""

    __slots__ = ("cache", "dtype")

    def __init__(
        self, dtype: dtypes.dtype, cache: dict[int, tuple[Tensor, int, Tensor]] | None
    ) -> None:
        self.dtype = dtype
        self.cache = cache
        """By identity of a leaf: the leaf, its version, its cast. None: nothing is kept."""

    def cast(self, op: Op, args: Any) -> Any:
        """The arguments as the operation wants them."""
        name = op.name
        if name in LOWER:
            return [self._each(a, self._lower) for a in args]
        if name in SINGLE:
            return [self._each(a, self._single) for a in args]
        return args

    def _each(self, value: Any, convert: Any) -> Any:
        if isinstance(value, Tensor):
            return convert(value)
        if isinstance(value, (list, tuple)) and value and isinstance(value[0], Tensor):
            return type(value)(
                [convert(each) if isinstance(each, Tensor) else each for each in value]
            )
        return value

    def _lower(self, tensor: Tensor) -> Tensor:
        array = tensor._array
        kind = array.dtype
        if (
            kind == self.dtype.numpy
            or not (kind.kind == "f" or kind in NARROW)
            or kind.itemsize == 8
        ):
            return tensor
        cache = self.cache
        if (
            cache is None
            or not state.grad_enabled()
            or kind.itemsize != 4
            or type(edge_of(tensor)) is not AccumulateGrad
        ):
            return tensor.to(self.dtype)  # type: ignore[no-any-return]
        found = cache.get(id(tensor))
        version = tensor._version
        if found is None or found[0] is not tensor or found[1] != version:
            found = cache[id(tensor)] = tensor, version, tensor.to(self.dtype)
        return found[2]

    def _single(self, tensor: Tensor) -> Tensor:
        return tensor.to(dtypes.float32) if tensor._array.dtype in NARROW else tensor
