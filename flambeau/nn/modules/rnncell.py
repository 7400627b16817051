"""Single recurrent steps: RNNCell, LSTMCell, GRUCell."""

from __future__ import annotations

import math
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.nn import init
from flambeau.nn.functional import rnn as kernels
from flambeau.nn.modules.module import Module
from flambeau.nn.parameter import Parameter

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "RNNCellBase"]

# Where checkpoints of whole modules look for these classes.
_HOME = "flambeau.nn.modules.rnn"


class RNNCellBase(Module):
    """The weights of a step, all from U(-k, k), k = 1 / sqrt(hidden_size).

    Args:
        input_size, hidden_size: widths of input and state.
        bias: whether there are biases.
        num_chunks: number of gates.
    """

    __module__ = _HOME
    __constants__ = ["input_size", "hidden_size", "bias"]
    input_size: int
    hidden_size: int
    bias: bool

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        factory = {"device": device, "dtype": dtype}
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(flambeau.empty((rows, input_size), **factory))
        self.weight_hh = Parameter(flambeau.empty((rows, hidden_size), **factory))
        for name in ("bias_ih", "bias_hh"):
            value = Parameter(flambeau.empty(rows, **factory)) if bias else None
            self.register_parameter(name, value)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        """Sizes, and what differs from the defaults."""
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if getattr(self, "nonlinearity", "tanh") != "tanh":
            text += f", nonlinearity={self.nonlinearity}"
        return text

    def _check_dims(self, input: Tensor, state: Tensor | None, label: str = "hidden") -> None:
        name = type(self).__name__
        for what, tensor in (("input", input), (label, state)):
            if tensor is not None and tensor.dim() not in (1, 2):
                message = f"{name}: Expected {what} to be 1D or 2D, got {tensor.dim()}D instead"
                raise fail(ValueError, name, message)
        if state is not None and input.dim() == state.dim() == 2:
            if input.size(0) != state.size(0):
                raise fail(
                    RuntimeError,
                    name,
                    f"Input batch size {input.size(0)} doesn't match {label} batch size "
                    f"{state.size(0)}",
                )
        if state is not None and state.size(-1) != self.hidden_size:
            raise fail(
                RuntimeError,
                name,
                f"{label} has inconsistent hidden_size: got {state.size(-1)}, expected "
                f"{self.hidden_size}",
            )

    def _zeros(self, input: Tensor) -> Tensor:
        return flambeau.zeros(
            input.size(0), self.hidden_size, dtype=input.dtype, device=input.device
        )

    def _step(self, kernel: Any, input: Tensor, hx: Tensor | None) -> Tensor:
        """One step of a cell whose state is one tensor."""
        self._check_dims(input, hx)
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
            hx = hx if hx is None else hx.unsqueeze(0)
        hx = self._zeros(input) if hx is None else hx
        result = kernel(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return result if batched else result.squeeze(0)


class RNNCell(RNNCellBase):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu by ``nonlinearity``.

    Shape:
        input (N, input_size) or (input_size), hidden (N, hidden_size) or (hidden_size).
    """

    __module__ = _HOME
    __constants__ = ["input_size", "hidden_size", "bias", "nonlinearity"]
    nonlinearity: str

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """The next state."""
        if self.nonlinearity not in ("tanh", "relu"):
            message = f"Unknown nonlinearity: {self.nonlinearity}"
            raise fail(RuntimeError, "RNNCell", message)
        kernel = kernels.rnn_tanh_cell if self.nonlinearity == "tanh" else kernels.rnn_relu_cell
        return self._step(kernel, input, hx)


class LSTMCell(RNNCellBase):
    """c' = f c + i g, h' = o tanh(c'); gates i, f, g, o in the weights' rows.

    Shape:
        input (N, input_size) or (input_size), state a pair of (N, hidden_size) or (hidden_size).
    """

    __module__ = _HOME

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """The next (h, c)."""
        self._check_dims(input, None)
        for i, state in enumerate(hx or ()):
            self._check_dims(input, state, f"hx[{i}]")
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
        if hx is None:
            zeros = self._zeros(input)
            hx = (zeros, zeros)
        elif not batched:
            hx = (hx[0].unsqueeze(0), hx[1].unsqueeze(0))
        h, c = kernels.lstm_cell(
            input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh
        )
        return (h, c) if batched else (h.squeeze(0), c.squeeze(0))


class GRUCell(RNNCellBase):
    """h' = (1 - z) n + z h; gates r, z, n in the weights' rows.

    Shape:
        input (N, input_size) or (input_size), hidden (N, hidden_size) or (hidden_size).
    """

    __module__ = _HOME

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """The next state."""
        return self._step(kernels.gru_cell, input, hx)
