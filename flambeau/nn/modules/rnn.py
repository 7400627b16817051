"""Recurrent layers: RNN, LSTM and GRU. Single steps stand in ``rnncell``.

The computation is that of ``nn.functional.rnn``; here are the weights, the checks, packed
sequences and unbatched inputs.
"""

from __future__ import annotations

import math
import numbers
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor
from flambeau.nn import init
from flambeau.nn.functional import rnn as kernels
from flambeau.nn.modules.module import Module
from flambeau.nn.modules.rnncell import GRUCell, LSTMCell, RNNCell, RNNCellBase
from flambeau.nn.parameter import Parameter
from flambeau.nn.utils.rnn import PackedSequence

__all__ = ["GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "RNNBase", "RNNCell", "RNNCellBase"]

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


def _apply_permutation(tensor: Tensor, permutation: Tensor, dim: int = 1) -> Tensor:
    return tensor.index_select(dim, permutation)


def apply_permutation(tensor: Tensor, permutation: Tensor, dim: int = 1) -> Tensor:
    """The old name of ``tensor.index_select(dim, permutation)``; warns."""
    warnings.warn(
        "`apply_permutation` is deprecated, please use `tensor.index_select(dim, permutation)` "
        "instead",
        FutureWarning,
        stacklevel=stack_level(),
    )
    return _apply_permutation(tensor, permutation, dim)


class RNNBase(Module):
    """Weights and checks of recurrent layers.

    Args:
        mode: 'LSTM', 'GRU', 'RNN_TANH' or 'RNN_RELU'.
        input_size, hidden_size: widths of input and state.
        num_layers: layers stacked; each feeds the next.
        bias: whether there are biases.
        batch_first: (N, L, H) instead of (L, N, H); states are (layers, N, H) always.
        dropout: probability of dropping a layer's outputs, but the last one's.
        bidirectional: a second direction, concatenated.
        proj_size: width of a projected state (LSTM).

    Weights are ``weight_ih_l0``, ``weight_hh_l0``, ``bias_ih_l0``, ``bias_hh_l0``, ... with
    ``_reverse`` for the second direction, all from U(-k, k), k = 1 / sqrt(hidden_size).
    """

    __constants__ = [
        "mode",
        "input_size",
        "hidden_size",
        "num_layers",
        "bias",
        "batch_first",
        "dropout",
        "bidirectional",
        "proj_size",
    ]
    __jit_unused_properties__ = ["all_weights"]

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = dropout
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._check_settings()
        self.dropout = float(dropout)
        self._flat_weight_refs: list[Any] = []
        self._flat_weights_names: list[str] = []
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            for suffix in ("", "_reverse") if bidirectional else ("",):
                shapes = self._layer_shapes(layer)
                names = [f"{name}_l{layer}{suffix}" for name in shapes]
                for name, shape in zip(names, shapes.values(), strict=True):
                    weight = flambeau.empty(shape, device=device, dtype=dtype)
                    setattr(self, name, Parameter(weight))
                self._flat_weights_names.extend(names)
                self._all_weights.append(names)
        self._init_flat_weights()
        self.reset_parameters()

    def _check_settings(self) -> None:
        name = type(self).__name__
        dropout = self.dropout
        if (
            not isinstance(dropout, numbers.Number)
            or isinstance(dropout, bool)
            or not 0 <= dropout <= 1
        ):
            raise fail(
                ValueError,
                name,
                "dropout should be a number in range [0, 1] representing the probability of an "
                "element being zeroed",
            )
        if dropout > 0 and self.num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero "
                f"dropout expects num_layers greater than 1, but got dropout={dropout} and "
                f"num_layers={self.num_layers}",
                stacklevel=stack_level(),
            )
        kinds = (("bias", bool), ("batch_first", bool), ("input_size", int), ("hidden_size", int))
        for setting, kind in kinds:
            value = getattr(self, setting)
            if not isinstance(value, kind):
                message = (
                    f"{setting} should be of type {kind.__name__}, got: {type(value).__name__}"
                )
                raise fail(TypeError, name, message)
        for setting in ("input_size", "hidden_size", "num_layers"):
            if getattr(self, setting) <= 0:
                raise fail(ValueError, name, f"{setting} must be greater than zero")
        if self.proj_size < 0:
            message = "proj_size should be a positive integer or zero to disable projections"
            raise fail(ValueError, name, message)
        if self.proj_size >= self.hidden_size:
            raise fail(ValueError, name, "proj_size has to be smaller than hidden_size")
        if self.mode not in _GATES:
            raise fail(ValueError, name, f"Unrecognized RNN mode: {self.mode}")

    def _layer_shapes(self, layer: int) -> dict[str, tuple[int, ...]]:
        """Names and shapes of one direction's weights, in their order."""
        directions = 2 if self.bidirectional else 1
        state = self.proj_size or self.hidden_size
        rows = _GATES[self.mode] * self.hidden_size
        width = self.input_size if layer == 0 else state * directions
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (rows, width),
            "weight_hh": (rows, state),
        }
        if self.bias:
            shapes["bias_ih"] = shapes["bias_hh"] = (rows,)
        if self.proj_size > 0:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        return shapes

    def _init_flat_weights(self) -> None:
        """The weights in order, and references that tell when one was exchanged."""
        weights = [getattr(self, name, None) for name in self._flat_weights_names]
        self._flat_weights: list[Any] = weights
        self._flat_weight_refs = [None if w is None else weakref.ref(w) for w in weights]

    def __setattr__(self, attr: str, value: Any) -> None:
        names = self.__dict__.get("_flat_weights_names")
        if names and attr in names and "_flat_weights" in self.__dict__:
            self._flat_weights[names.index(attr)] = value
        super().__setattr__(attr, value)

    def flatten_parameters(self) -> None:
        """Nothing to do: weights in one piece help on CUDA only."""

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        self._flat_weight_refs = []
        result = super()._apply(fn, recurse)
        self._init_flat_weights()
        return result

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _weights_have_changed(self) -> bool:
        """Whether a weight was exchanged since the list was made (functional_call does)."""
        for ref, name in zip(self._flat_weight_refs, self._flat_weights_names, strict=True):
            weight = getattr(self, name, None)
            if weight is not None and ref is not None and ref() is not weight:
                return True
        return False

    def _update_flat_weights(self) -> None:
        if self._weights_have_changed():
            self._init_flat_weights()

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Dtype, number of dimensions and width of the input."""
        name = type(self).__name__
        dtype = self._flat_weights[0].dtype
        if input.dtype != dtype and not flambeau.is_autocast_enabled("cpu"):
            raise fail(
                ValueError,
                name,
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({dtype}). Convert "
                f"input: input.to({dtype}), or convert model: model.to({input.dtype})",
            )
        dims = 2 if batch_sizes is not None else 3
        if input.dim() != dims:
            message = f"input must have {dims} dimensions, got {input.dim()}"
            raise fail(RuntimeError, name, message)
        if self.input_size != input.size(-1):
            raise fail(
                RuntimeError,
                name,
                "input.size(-1) must be equal to input_size. Expected "
                f"{self.input_size}, got {input.size(-1)}",
            )

    def _state_size(self, input: Tensor, batch_sizes: Tensor | None, width: int) -> Any:
        if batch_sizes is not None:
            batch = int(batch_sizes[0])
        else:
            batch = input.size(0) if self.batch_first else input.size(1)
        return self.num_layers * (2 if self.bidirectional else 1), batch, width

    def get_expected_hidden_size(
        self, input: Tensor, batch_sizes: Tensor | None
    ) -> tuple[int, int, int]:
        """(layers * directions, N, state width)."""
        return self._state_size(input, batch_sizes, self.proj_size or self.hidden_size)

    def check_hidden_size(
        self,
        hx: Tensor,
        expected_hidden_size: tuple[int, int, int],
        msg: str = "Expected hidden size {}, got {}",
    ) -> None:
        """The state's size."""
        if tuple(hx.size()) != tuple(expected_hidden_size):
            message = msg.format(expected_hidden_size, list(hx.size()))
            raise fail(RuntimeError, type(self).__name__, message)

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Input and state together."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """The state with its batch in another order."""
        return hx if permutation is None else _apply_permutation(hx, permutation)

    def _zero_state(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        size = self.get_expected_hidden_size(input, batch_sizes)
        return flambeau.zeros(*size, dtype=input.dtype, device=input.device)

    def _batched_state(self, hx: Any, batched: bool) -> Any:
        """A given state as (layers, N, H); the user's has no N where the input has none."""
        if batched and hx.dim() != 3:
            message = f"For batched 3-D input, hx should also be 3-D but got {hx.dim()}-D tensor"
            raise fail(RuntimeError, type(self).__name__, message)
        if not batched and hx.dim() != 2:
            message = f"For unbatched 2-D input, hx should also be 2-D but got {hx.dim()}-D tensor"
            raise fail(RuntimeError, type(self).__name__, message)
        return hx if batched else hx.unsqueeze(1)

    def _run(self, *args: Any) -> tuple[Tensor, Any]:
        """The recurrence: output and final state."""
        return getattr(kernels, self.mode.lower())(*args)

    def _unbatch(self, hidden: Any) -> Any:
        return hidden.squeeze(1)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """Outputs of the last layer at every step, and the final state of every layer.

        Args:
            input: (L, N, H_in), (N, L, H_in) if batch_first, (L, H_in) or a PackedSequence.
            hx: the initial state, zeros by default.
        """
        self._update_flat_weights()
        settings: tuple[Any, ...] = (self._flat_weights, self.bias, self.num_layers, self.dropout)
        settings += (self.training, self.bidirectional)
        if isinstance(input, PackedSequence):
            data, batch_sizes, order, unorder = input
            if hx is None:
                hx = self._zero_state(data, batch_sizes)
            else:
                hx = self.permute_hidden(hx, order)
            self.check_forward_args(data, hx, batch_sizes)
            output, hidden = self._run(data, batch_sizes, hx, *settings)
            packed = PackedSequence(output, batch_sizes, order, unorder)
            return packed, self.permute_hidden(hidden, unorder)
        if input.dim() not in (2, 3):
            name = type(self).__name__
            message = f"{name}: Expected input to be 2D or 3D, got {input.dim()}D instead"
            raise fail(ValueError, name, message)
        batched = input.dim() == 3
        batch_dim = 0 if self.batch_first else 1
        if not batched:
            input = input.unsqueeze(batch_dim)
        if hx is None:
            hx = self._zero_state(input, None)
        else:
            hx = self._batched_state(hx, batched)
        self.check_forward_args(input, hx, None)
        if not input.size(1 - batch_dim):
            message = "Expected sequence length to be larger than 0: there is no step to take"
            raise fail(RuntimeError, type(self).__name__, message)
        output, hidden = self._run(input, hx, *settings, self.batch_first)
        if not batched:
            return output.squeeze(batch_dim), self._unbatch(hidden)
        return output, hidden

    def extra_repr(self) -> str:
        """Sizes, and what differs from the defaults."""
        text = f"{self.input_size}, {self.hidden_size}"
        if self.proj_size != 0:
            text += f", proj_size={self.proj_size}"
        if self.num_layers != 1:
            text += f", num_layers={self.num_layers}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if self.batch_first is not False:
            text += f", batch_first={self.batch_first}"
        if self.dropout != 0:
            text += f", dropout={self.dropout}"
        if self.bidirectional is not False:
            text += f", bidirectional={self.bidirectional}"
        return text

    def __getstate__(self) -> dict[str, Any]:
        self._update_flat_weights()
        state = super().__getstate__()
        del state["_flat_weight_refs"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("proj_size", 0)
        self._init_flat_weights()

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The weights, one list for each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def _replicate_for_data_parallel(self) -> Any:
        replica = super()._replicate_for_data_parallel()
        replica._flat_weights = replica._flat_weights[:]
        return replica


def _no_projection(kwargs: dict[str, Any]) -> None:
    if "proj_size" in kwargs:
        message = "proj_size argument is only supported for LSTM, not RNN or GRU"
        raise fail(ValueError, "RNNBase", message)


class RNN(RNNBase):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh); ``nonlinearity='relu'`` for relu.

    ``RNN(input_size, hidden_size, num_layers, nonlinearity, bias, ...)``; see RNNBase.

    Reference: Elman, Finding structure in time, 1990.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _no_projection(kwargs)
        if len(args) > 3:
            nonlinearity = args[3]
            args = args[:3] + args[4:]
        else:
            nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if nonlinearity not in ("tanh", "relu"):
            message = f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'."
            raise fail(ValueError, "RNN", message)
        super().__init__(f"RNN_{nonlinearity.upper()}", *args, **kwargs)
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """c_t = f_t c_(t-1) + i_t g_t, h_t = o_t tanh(c_t); gates i, f, g, o in the weights' rows.

    ``LSTM(input_size, hidden_size, num_layers, bias, ...)``; see RNNBase. The state is a pair
    (h, c); with ``proj_size`` h is W_hr h.

    Reference: Hochreiter, Schmidhuber, Long short-term memory, 1997.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(
        self, input: Tensor, batch_sizes: Tensor | None
    ) -> tuple[int, int, int]:
        """(layers * directions, N, hidden_size)."""
        return self._state_size(input, batch_sizes, self.hidden_size)

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Input and both states together."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(
            hidden[0],
            self.get_expected_hidden_size(input, batch_sizes),
            "Expected hidden[0] size {}, got {}",
        )
        self.check_hidden_size(
            hidden[1],
            self.get_expected_cell_size(input, batch_sizes),
            "Expected hidden[1] size {}, got {}",
        )

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """Both states with their batch in another order."""
        if permutation is None:
            return hx
        return tuple(_apply_permutation(state, permutation) for state in hx)

    def _zero_state(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        hidden = super()._zero_state(input, batch_sizes)
        size = self.get_expected_cell_size(input, batch_sizes)
        return hidden, flambeau.zeros(*size, dtype=input.dtype, device=input.device)

    def _batched_state(self, hx: Any, batched: bool) -> Any:
        dims = 3 if batched else 2
        if hx[0].dim() != dims or hx[1].dim() != dims:
            which = "batched 3-D" if batched else "unbatched 2-D"
            message = (
                f"For {which} input, hx and cx should also be {dims}-D but got "
                f"({hx[0].dim()}-D, {hx[1].dim()}-D) tensors"
            )
            raise fail(RuntimeError, "LSTM", message)
        return hx if batched else (hx[0].unsqueeze(1), hx[1].unsqueeze(1))

    def _run(self, *args: Any) -> tuple[Tensor, Any]:
        output, *hidden = kernels.lstm(*args)
        return output, tuple(hidden)

    def _unbatch(self, hidden: Any) -> Any:
        return hidden[0].squeeze(1), hidden[1].squeeze(1)


class GRU(RNNBase):
    """h_t = (1 - z_t) n_t + z_t h_(t-1), n_t = tanh(W_in x + b_in + r_t (W_hn h + b_hn)).

    ``GRU(input_size, hidden_size, num_layers, bias, ...)``; see RNNBase. Gates r, z, n in the
    weights' rows.

    Reference: Cho et al., Learning phrase representations using RNN encoder-decoder, 2014,
    arXiv:1406.1078.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _no_projection(kwargs)
        super().__init__("GRU", *args, **kwargs)
