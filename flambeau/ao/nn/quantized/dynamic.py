"""Layers whose weights are integers and whose inputs become integers as they come: the scale is
found for every batch. Nothing needs to be observed beforehand. Stands on affine."""

from __future__ import annotations

from typing import Any

import flambeau
from flambeau import nn
from flambeau.ao.nn import intrinsic
from flambeau.ao.nn.quantized import affine
from flambeau.ao.nn.quantized.linear import Linear as _Static
from flambeau.ao.quantization.tensor import quantize_per_tensor
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

__all__ = ["GRU", "GRUCell", "LSTM", "LSTMCell", "Linear", "LinearReLU", "RNNCell"]


def _packed(weight: Any, config: Any, dtype: Any) -> Any:
    """A weight as the layer keeps it: int8, or rounded to float16."""
    if dtype is flambeau.float16:
        return weight.detach().to(flambeau.float16).float()
    return affine.observed_weight(weight, config.weight())


def _dtype_of(config: Any, name: str) -> Any:
    dtype = config.weight().dtype
    if dtype not in (flambeau.qint8, flambeau.float16):
        raise fail(
            RuntimeError, name, f"Unsupported dtype specified for dynamic quantized {name}: {dtype}"
        )
    return dtype


def _applied(x: Tensor, weight: Any, bias: Any) -> Tensor:
    """``x W' + b``."""
    if getattr(weight, "is_quantized", False):
        return affine.dynamic_product(F.linear, x, weight, bias)
    found = F.linear(x, weight)
    return found if bias is None else found + bias


class Linear(_Static):
    """``x W' + b`` with a weight of integers, or of float16."""

    def forward(self, x: Tensor) -> Tensor:
        """The product, of numbers."""
        found = _applied(x, self.weight(), self.bias())
        return F.relu(found) if self._RELU else found

    @classmethod
    def from_float(cls, mod: Any, use_precomputed_fake_quant: bool = False) -> Any:
        """From a float layer with a qconfig; the default one where it has none."""
        from flambeau.ao.quantization.qconfig import default_dynamic_qconfig

        config = getattr(mod, "qconfig", None) or default_dynamic_qconfig
        layer = mod[0] if isinstance(mod, intrinsic._FusedModule) else mod
        dtype = _dtype_of(config, "Linear")
        made = cls(layer.in_features, layer.out_features, dtype=dtype)
        made.set_weight_bias(_packed(layer.weight, config, dtype), layer.bias)
        return made

    def _get_name(self) -> str:
        return f"DynamicQuantized{type(self).__name__}"

    def extra_repr(self) -> str:
        """The sizes."""
        dtype = self._packed_params.dtype
        words = f"in_features={self.in_features}, out_features={self.out_features}, dtype={dtype}"
        return words if dtype is flambeau.float16 else f"{words}, qscheme={self.weight().qscheme()}"


class LinearReLU(Linear):
    """`Linear`, negative results cut off."""

    _RELU = True


def _lstm(gates: Tensor, h: Any, c: Any) -> tuple[Tensor, ...]:
    i, f, g, o = gates.chunk(4, -1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def _gru(from_input: Tensor, from_state: Tensor, h: Tensor) -> Tensor:
    r, z, n = from_input.chunk(3, -1)
    hr, hz, hn = from_state.chunk(3, -1)
    z = (z + hz).sigmoid()
    n = (n + (r + hr).sigmoid() * hn).tanh()
    return (h - n) * z + n


class _Recurrent(nn.Module):
    """A stack of layers; each one's weights are `(w_ih, w_hh, b_ih, b_hh)`, integers."""

    _GATES: int
    _FLOAT_MODULE: Any

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, float(dropout)
        self.bidirectional = bidirectional
        self.dtype = flambeau.qint8 if dtype is None else dtype
        self._all_weights: list[tuple[Any, ...]] = []
        rows, ways = self._GATES * hidden_size, 1 + bidirectional
        for layer in range(num_layers):
            width = input_size if layer == 0 else hidden_size * ways
            for _ in range(ways):
                made = [self._new(rows, width), self._new(rows, hidden_size)]
                biases = [flambeau.randn(rows) if bias else None for _ in range(2)]
                self._all_weights.append((*made, *biases))

    def _new(self, rows: int, width: int) -> Any:
        weight = flambeau.randn(rows, width)
        if self.dtype is flambeau.float16:
            return weight.half().float()
        return quantize_per_tensor(weight, 0.1, 0, flambeau.qint8)

    @classmethod
    def from_float(cls, mod: Any, use_precomputed_fake_quant: bool = False) -> Any:
        """From a float layer with a qconfig; the default one where it has none."""
        from flambeau.ao.quantization.qconfig import default_dynamic_qconfig

        config = getattr(mod, "qconfig", None) or default_dynamic_qconfig
        dtype = _dtype_of(config, cls.__name__)
        made = cls(
            mod.input_size, mod.hidden_size, mod.num_layers, mod.bias, mod.batch_first,
            mod.dropout, mod.bidirectional, dtype,
        )  # fmt: skip
        made._all_weights = []
        for layer in range(mod.num_layers):
            for end in ("", "_reverse")[: 1 + mod.bidirectional]:
                w_ih, w_hh, b_ih, b_hh = (
                    getattr(mod, f"{name}_l{layer}{end}", None)
                    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
                )
                made._all_weights.append(
                    (_packed(w_ih, config, dtype), _packed(w_hh, config, dtype), b_ih, b_hh)
                )
        return made

    def _run(self, x: Tensor, weights: Any, state: tuple[Tensor, ...]) -> Any:
        raise NotImplementedError

    def _states(self, hx: Any, x: Tensor) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _stacked(self, x: Tensor, state: tuple[Tensor, ...], sizes: Tensor | None) -> Any:
        """All layers, of (L, N, F) with the first state of each."""
        ends: list[tuple[Tensor, ...]] = []
        ways = 1 + self.bidirectional
        for layer in range(self.num_layers):
            outputs = []
            for way in range(ways):
                k = layer * ways + way
                seen = _turned(x, sizes) if way else x
                found, last = self._ended(seen, self._all_weights[k], [s[k] for s in state], sizes)
                outputs.append(_turned(found, sizes) if way else found)
                ends.append(last)
            x = outputs[0] if ways == 1 else flambeau.cat(outputs, -1)
            if self.dropout and self.training and layer < self.num_layers - 1:
                x = F.dropout(x, self.dropout)
        return x, tuple(flambeau.stack(parts) for parts in zip(*ends, strict=True))

    def _ended(self, x: Tensor, weights: Any, state: Any, sizes: Tensor | None) -> Any:
        """The outputs and each sequence's last state."""
        trail = []
        outputs = []
        from_input = _applied(x, weights[0], weights[2])
        for step in from_input.unbind(0):
            state = self._run(step, weights, tuple(state))
            outputs.append(state[0])
            trail.append(state)
        out = flambeau.stack(outputs)
        if sizes is None:
            return out, trail[-1]
        place = (sizes - 1, flambeau.arange(len(sizes)))
        kept = tuple(flambeau.stack(part)[place] for part in zip(*trail, strict=True))
        at = flambeau.arange(len(outputs)).unsqueeze(1) < sizes
        return out * at.unsqueeze(-1), kept

    def forward(self, input: Any, hx: Any = None) -> Any:
        """Outputs of the last layer, and the states at the end.

        Shape:
            input (L, N, F), (N, L, F) with `batch_first`, or a packed sequence.
        """
        with flambeau.no_grad():
            sizes = order = None
            packed = isinstance(input, PackedSequence)
            x: Any = input
            if packed:
                order, back = input.sorted_indices, input.unsorted_indices
                x, sizes = pad_packed_sequence(input)
                if order is not None:
                    x, sizes = x.index_select(1, order), sizes[order]
            elif self.batch_first:
                x = x.transpose(0, 1)
            state = self._states(hx, x)
            if order is not None and hx is not None:
                state = tuple(s.index_select(1, order) for s in state)
            out, ends = self._stacked(x, state, sizes)
            if packed:
                made = pack_padded_sequence(out, sizes)
                out = PackedSequence(made.data, made.batch_sizes, order, input.unsorted_indices)
                if order is not None:
                    ends = tuple(s.index_select(1, back) for s in ends)
            elif self.batch_first:
                out = out.transpose(0, 1)
            return out, ends[0] if len(ends) == 1 else ends

    def _zeros(self, x: Tensor) -> Tensor:
        count = self.num_layers * (1 + self.bidirectional)
        return flambeau.zeros(count, x.shape[1], self.hidden_size, dtype=x.dtype)

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        for k, weights in enumerate(self._all_weights):
            destination[f"{prefix}_all_weight_values.{k}.param"] = weights

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, strict: bool, missing_keys: Any,
        unexpected_keys: Any, error_msgs: Any,
    ) -> None:  # fmt: skip
        for k in range(len(self._all_weights)):
            name = f"{prefix}_all_weight_values.{k}.param"
            if name in state_dict:
                self._all_weights[k] = state_dict.pop(name)
            elif strict:
                missing_keys.append(name)

    def _get_name(self) -> str:
        return f"DynamicQuantized{type(self).__name__}"

    def extra_repr(self) -> str:
        """The sizes and what is not as usual."""
        words = [f"{self.input_size}, {self.hidden_size}"]
        if self.num_layers != 1:
            words.append(f"num_layers={self.num_layers}")
        if self.bias is not True:
            words.append(f"bias={self.bias}")
        if self.batch_first is not False:
            words.append(f"batch_first={self.batch_first}")
        if self.dropout:
            words.append(f"dropout={self.dropout}")
        if self.bidirectional is not False:
            words.append(f"bidirectional={self.bidirectional}")
        return ", ".join(words)


def _turned(x: Tensor, sizes: Tensor | None) -> Tensor:
    """Each sequence backwards; what follows a shorter one stays behind it."""
    if sizes is None:
        return x.flip(0)
    steps = flambeau.arange(x.shape[0]).unsqueeze(1)
    places = flambeau.where(steps < sizes, sizes - 1 - steps, steps)
    return x[places, flambeau.arange(x.shape[1])]


class LSTM(_Recurrent):
    """An LSTM with weights of integers."""

    _GATES = 4
    _FLOAT_MODULE = nn.LSTM

    def _states(self, hx: Any, x: Tensor) -> tuple[Tensor, ...]:
        return (self._zeros(x), self._zeros(x)) if hx is None else tuple(hx)

    def _run(self, x: Tensor, weights: Any, state: tuple[Tensor, ...]) -> Any:
        return _lstm(x + _applied(state[0], weights[1], weights[3]), *state)


class GRU(_Recurrent):
    """A GRU with weights of integers."""

    _GATES = 3
    _FLOAT_MODULE = nn.GRU

    def _states(self, hx: Any, x: Tensor) -> tuple[Tensor, ...]:
        return (self._zeros(x) if hx is None else hx,)

    def _run(self, x: Tensor, weights: Any, state: tuple[Tensor, ...]) -> Any:
        return (_gru(x, _applied(state[0], weights[1], weights[3]), state[0]),)


class _Cell(nn.Module):
    """One step; the weights are integers."""

    _GATES: int

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, dtype: Any = None, **more: Any
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        self.weight_dtype = flambeau.qint8 if dtype is None else dtype
        rows = self._GATES * hidden_size
        w_ih, w_hh = flambeau.randn(rows, input_size), flambeau.randn(rows, hidden_size)
        self.bias_ih = flambeau.randn(rows) if bias else None
        self.bias_hh = flambeau.randn(rows) if bias else None
        if self.weight_dtype is flambeau.qint8:
            w_ih, w_hh = (quantize_per_tensor(w, 1, 0, flambeau.qint8) for w in (w_ih, w_hh))
        self._weights = [w_ih, w_hh]

    @classmethod
    def from_float(cls, mod: Any, use_precomputed_fake_quant: bool = False) -> Any:
        """From a float cell with a qconfig; the default one where it has none."""
        from flambeau.ao.quantization.qconfig import default_dynamic_qconfig

        config = getattr(mod, "qconfig", None) or default_dynamic_qconfig
        dtype = _dtype_of(config, cls.__name__)
        more = {"nonlinearity": mod.nonlinearity} if hasattr(mod, "nonlinearity") else {}
        made = cls(mod.input_size, mod.hidden_size, mod.bias, dtype=dtype, **more)
        made._weights = [_packed(w, config, dtype) for w in (mod.weight_ih, mod.weight_hh)]
        made.bias_ih, made.bias_hh = mod.bias_ih, mod.bias_hh
        return made

    def _both(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        w_ih, w_hh = self._weights
        return _applied(x, w_ih, self.bias_ih), _applied(h, w_hh, self.bias_hh)

    def _first(self, input: Tensor, hx: Any) -> Any:
        if hx is not None:
            return hx
        return flambeau.zeros(input.shape[0], self.hidden_size, dtype=input.dtype)

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        destination[prefix + "_packed_weight_ih"] = (self._weights[0], self.bias_ih)
        destination[prefix + "_packed_weight_hh"] = (self._weights[1], self.bias_hh)

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, strict: bool, missing_keys: Any,
        unexpected_keys: Any, error_msgs: Any,
    ) -> None:  # fmt: skip
        self._weights[0], self.bias_ih = state_dict.pop(prefix + "_packed_weight_ih")
        self._weights[1], self.bias_hh = state_dict.pop(prefix + "_packed_weight_hh")
        for name in ("bias_ih", "bias_hh"):
            state_dict.pop(prefix + name, None)

    def _get_name(self) -> str:
        return f"DynamicQuantized{type(self).__name__}"

    def extra_repr(self) -> str:
        """The sizes."""
        words = f"{self.input_size}, {self.hidden_size}"
        return words if self.bias is True else f"{words}, bias={self.bias}"


class RNNCell(_Cell):
    """A step of a plain recurrent network.

    Args:
        nonlinearity: "tanh" or "relu".
    """

    _GATES = 1

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh",
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Any = None) -> Tensor:
        """The next state."""
        with flambeau.no_grad():
            a, b = self._both(input, self._first(input, hx))
            if self.nonlinearity not in ("tanh", "relu"):
                raise fail(RuntimeError, "RNNCell", f"Unknown nonlinearity: {self.nonlinearity}")
            return (a + b).tanh() if self.nonlinearity == "tanh" else (a + b).relu()

    def extra_repr(self) -> str:
        """The sizes."""
        kind = "" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}"
        return super().extra_repr() + kind


class LSTMCell(_Cell):
    """A step of an LSTM."""

    _GATES = 4

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        """The next state and cell."""
        with flambeau.no_grad():
            h, c = (self._first(input, None),) * 2 if hx is None else hx
            a, b = self._both(input, h)
            return _lstm(a + b, h, c)


class GRUCell(_Cell):
    """A step of a GRU."""

    _GATES = 3

    def forward(self, input: Tensor, hx: Any = None) -> Tensor:
        """The next state."""
        with flambeau.no_grad():
            h = self._first(input, hx)
            return _gru(*self._both(input, h), h)
