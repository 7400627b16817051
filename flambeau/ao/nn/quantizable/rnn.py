"""`LSTM` of linear layers, sums and products that can each be observed. Stands on ao.nn.quantized's
`FloatFunctional`."""

from __future__ import annotations

from typing import Any

import flambeau
from flambeau import nn
from flambeau.ao.nn.quantizable.observing import observed
from flambeau.ao.nn.quantized.combining import FloatFunctional
from flambeau.core.tensor import Tensor

__all__ = ["LSTM", "LSTMCell"]

Hidden = tuple[Tensor, Tensor]
GATES = ("input", "forget", "cell", "output")


class LSTMCell(nn.Module):
    """One step of an LSTM.

    Args:
        input_dim, hidden_dim: the lengths. bias: whether the sums have one.
        split_gates: a linear layer for each gate instead of one for all.
    """

    _FLOAT_MODULE = nn.LSTMCell

    def __init__(
        self,
        input_dim: int,
        hidden_dim: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        split_gates: bool = False,
    ) -> None:
        super().__init__()
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        self.input_size, self.hidden_size, self.bias = input_dim, hidden_dim, bias
        self.split_gates = split_gates
        self.igates: Any
        self.hgates: Any
        self.gates: Any
        if split_gates:
            self.igates = nn.ModuleDict(
                {g: nn.Linear(input_dim, hidden_dim, **made) for g in GATES}
            )
            self.hgates = nn.ModuleDict(
                {g: nn.Linear(hidden_dim, hidden_dim, **made) for g in GATES}
            )
            self.gates = nn.ModuleDict({g: FloatFunctional() for g in GATES})
        else:
            self.igates = nn.Linear(input_dim, 4 * hidden_dim, **made)
            self.hgates = nn.Linear(hidden_dim, 4 * hidden_dim, **made)
            self.gates = FloatFunctional()
        self.input_gate, self.forget_gate = nn.Sigmoid(), nn.Sigmoid()
        self.cell_gate, self.output_gate = nn.Tanh(), nn.Sigmoid()
        self.fgate_cx, self.igate_cgate = FloatFunctional(), FloatFunctional()
        self.fgate_cx_igate_cgate, self.ogate_cy = FloatFunctional(), FloatFunctional()
        self.initial_hidden_state_qparams = self.initial_cell_state_qparams = (1.0, 0)
        self.hidden_state_dtype = self.cell_state_dtype = flambeau.quint8

    def _sums(self, x: Tensor, hx: Tensor) -> Any:
        if not self.split_gates:
            return self.gates.add(self.igates(x), self.hgates(hx)).chunk(4, 1)
        return [self.gates[g].add(self.igates[g](x), self.hgates[g](hx)) for g in GATES]

    def forward(self, x: Tensor, hidden: Hidden | None = None) -> Hidden:
        """The next hidden state and the next cell.

        Shape: (N, input_dim), two of (N, hidden_dim) -> two of (N, hidden_dim).
        """
        if hidden is None or hidden[0] is None or hidden[1] is None:
            hidden = self.initialize_hidden(x.shape[0], x.is_quantized)
        hx, cx = hidden
        into, forget, cell, out = self._sums(x, hx)
        kept = self.fgate_cx.mul(self.forget_gate(forget), cx)
        new = self.igate_cgate.mul(self.input_gate(into), self.cell_gate(cell))
        cy = self.fgate_cx_igate_cgate.add(kept, new)
        return self.ogate_cy.mul(self.output_gate(out), flambeau.tanh(cy)), cy

    def initialize_hidden(self, batch_size: int, is_quantized: bool = False) -> Hidden:
        """States of zeros."""
        h, c = (flambeau.zeros(batch_size, self.hidden_size) for _ in range(2))
        if not is_quantized:
            return h, c
        return (
            flambeau.quantize_per_tensor(
                h, *self.initial_hidden_state_qparams, self.hidden_state_dtype
            ),
            flambeau.quantize_per_tensor(
                c, *self.initial_cell_state_qparams, self.cell_state_dtype
            ),
        )

    def _get_name(self) -> str:
        return "QuantizableLSTMCell"

    @classmethod
    def from_params(
        cls, wi: Tensor, wh: Tensor, bi: Any = None, bh: Any = None, split_gates: bool = False
    ) -> LSTMCell:
        """Of weights and biases as `nn.LSTM` has them.

        Raises:
            AssertionError: one bias is given, and not the other.
        """
        if (bi is None) != (bh is None):
            raise AssertionError("bi and bh must both be None or both have values")
        made = cls(wi.shape[1], wh.shape[1], bi is not None, split_gates=split_gates)
        for layers, weight, bias in ((made.igates, wi, bi), (made.hgates, wh, bh)):
            listed = [layers[g] for g in GATES] if split_gates else [layers]
            count = len(listed)
            for layer, w, b in zip(
                listed,
                weight.chunk(count, 0),
                [None] * count if bias is None else bias.chunk(count, 0),
                strict=True,
            ):
                layer.weight = nn.Parameter(w.detach().clone())
                if b is not None:
                    layer.bias = nn.Parameter(b.detach().clone())
        return made

    @classmethod
    def from_float(
        cls, other: Any, use_precomputed_fake_quant: bool = False, split_gates: bool = False
    ) -> LSTMCell:
        """Of an `nn.LSTMCell`."""
        biases = (other.bias_ih, other.bias_hh) if other.bias else (None, None)
        made = cls.from_params(other.weight_ih, other.weight_hh, *biases, split_gates=split_gates)
        if hasattr(other, "qconfig"):
            made.qconfig = other.qconfig
            for each in (made.igates, made.hgates):
                each.qconfig = other.qconfig
        return made


class _LSTMSingleLayer(nn.Module):
    """One direction of a layer."""

    def __init__(self, cell: LSTMCell) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor, hidden: Any = None, back: bool = False) -> Any:
        """All hidden states, and the last state."""
        found = []
        steps = range(x.shape[0])
        for k in reversed(steps) if back else steps:
            hidden = self.cell(x[k], hidden)
            found.append(hidden[0])
        return flambeau.stack(found[::-1] if back else found, 0), hidden


class _LSTMLayer(nn.Module):
    """One layer, in one direction or both."""

    layer_bw: _LSTMSingleLayer

    def __init__(self, forwards: LSTMCell, backwards: LSTMCell | None) -> None:
        super().__init__()
        self.layer_fw = _LSTMSingleLayer(forwards)
        self.bidirectional = backwards is not None
        if backwards is not None:
            self.layer_bw = _LSTMSingleLayer(backwards)

    def forward(self, x: Tensor, hidden: Any) -> Any:
        """All hidden states, and the last state of each direction."""
        found, last = self.layer_fw(x, hidden[0])
        if not self.bidirectional:
            return found, [last]
        other, first = self.layer_bw(x, hidden[1], back=True)
        return flambeau.cat([found, other], 2), [last, first]


class LSTM(nn.Module):
    """`nn.LSTM` of parts that can be observed.

    Args:
        input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional: as there.
        split_gates: a linear layer for each gate.

    Shape: as for `nn.LSTM`, always with a batch.
    """

    _FLOAT_MODULE: Any = nn.LSTM

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        split_gates: bool = False,
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, float(dropout)
        self.bidirectional, self.training = bidirectional, False
        made: dict[str, Any] = {"device": device, "dtype": dtype, "split_gates": split_gates}
        width = 2 * hidden_size if bidirectional else hidden_size

        def layer(k: int) -> _LSTMLayer:
            length = input_size if k == 0 else width
            cells = [LSTMCell(length, hidden_size, bias, **made) for _ in range(1 + bidirectional)]
            return _LSTMLayer(cells[0], cells[1] if bidirectional else None)

        self.layers = nn.ModuleList(layer(k) for k in range(num_layers))

    def forward(self, x: Tensor, hidden: Hidden | None = None) -> Any:
        """All hidden states of the last layer, and the last states of all."""
        x = x.transpose(0, 1) if self.batch_first else x
        directions = 2 if self.bidirectional else 1
        states: list[Any] = [None] * (self.num_layers * directions)
        if hidden is not None:
            states = list(zip(*(part.unbind(0) for part in hidden), strict=True))
        last: list[Any] = []
        for k, layer in enumerate(self.layers):
            x, ended = layer(x, states[k * directions : (k + 1) * directions])
            last += ended
            if self.training and self.dropout and k < self.num_layers - 1:
                x = nn.functional.dropout(x, self.dropout, True)
        found = x.transpose(0, 1) if self.batch_first else x
        return found, tuple(flambeau.stack([state[n] for state in last], 0) for n in (0, 1))

    def _get_name(self) -> str:
        return "QuantizableLSTM"

    @classmethod
    def from_float(cls, other: Any, qconfig: Any = None, split_gates: bool = False) -> LSTM:
        """Of an `nn.LSTM`, with observers where it has a qconfig.

        Raises:
            AssertionError: it is of another class, or has no qconfig at all.
        """
        if not isinstance(other, cls._FLOAT_MODULE):
            raise AssertionError(f"Expected {cls._FLOAT_MODULE.__name__}, got {type(other)}")
        if not hasattr(other, "qconfig") and not qconfig:
            raise AssertionError("other must have a qconfig or qconfig must be provided")
        made = cls(
            other.input_size, other.hidden_size, other.num_layers, other.bias, other.batch_first,
            other.dropout, other.bidirectional, split_gates=split_gates,
        )  # fmt: skip
        made.qconfig = getattr(other, "qconfig", qconfig)
        for k, layer in enumerate(made.layers):
            for part, suffix in (("layer_fw", ""), ("layer_bw", "_reverse")):
                if hasattr(layer, part):
                    names = ("weight_ih", "weight_hh", *(("bias_ih", "bias_hh") * other.bias))
                    given = [getattr(other, f"{name}_l{k}{suffix}") for name in names]
                    cell = LSTMCell.from_params(*given, split_gates=split_gates)
                    getattr(layer, part).cell = cell
        return observed(made, other.training)

    @classmethod
    def from_observed(cls, other: Any) -> Any:
        """The form that computes with integers is of another class.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            "Observed LSTM modules are converted by torch.ao.nn.quantized.LSTM.from_observed."
        )
