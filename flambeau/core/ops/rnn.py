"""Recurrent networks over whole sequences (lstm, gru, rnn_tanh, rnn_relu) and their cells.

A layer in one direction is one node with one kernel; layers, directions, packing and dropout are
put together here. Asked
for a graph, a layer's rule walks the steps in operations. The sums are in ``kernels.rnn``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.errors import fail
from flambeau.core.kernels import rnn as kernels
from flambeau.core.rules import both
from flambeau.core.state import grad_enabled
from flambeau.core.tensor import Tensor

__all__: list[str] = []

nd = np.ndarray
_ACTIVATIONS = {"rnn_tanh": "tanh", "rnn_relu": "relu"}


def _wide(*arrays: Any) -> tuple[Any, ...]:
    return tuple(a if a is None or a.dtype.itemsize > 2 else a.astype("f4") for a in arrays)


@both
def _layer_rule(
    g: Any,
    x: Any,
    h: Any,
    c: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any,
    b_hh: Any,
    w_hr: Any,
    out: Any,
    gates: Any,
    cells: Any,
    states: Any,
    mode: str,
    sizes: Any,
    reverse: bool,
    needs: Any,
) -> Any:
    given = tuple(g[:3])
    if type(x) is nd:
        dtype = x.dtype
        order = kernels.steps(sizes, reverse)
        given = _wide(*given)
        x, c, w_ih, w_hh, w_hr, out, gates, cells, states = _wide(
            x, c, w_ih, w_hh, w_hr, out, gates, cells, states
        )
        found = kernels.backward(
            mode, given, x, c, w_ih, w_hh, w_hr, out, gates, cells, states, order, needs
        )
        return tuple(None if each is None else each.astype(dtype, copy=False) for each in found)
    from flambeau.autograd import enable_grad, grad

    # Walked again in operations on aliases, so that tensors that occur twice keep their gradients
    # apart; on leaves where nothing is recorded, as for several gradients at once.
    recorded = grad_enabled()
    inputs: list[Any] = [
        None if each is None else each.view_as(each) if recorded else each.detach()
        for each in (x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr)
    ]
    order = kernels.steps(sizes, reverse)
    with enable_grad():
        for k, need in enumerate(needs):
            if need and not recorded:
                inputs[k].requires_grad_()
        outputs = _walk(mode, *inputs, order)  # type: ignore[call-arg]  # mypy cannot count a list
    pairs = [
        (y, each)
        for y, each in zip(outputs, given, strict=True)
        if each is not None and y is not None
    ]
    wanted = [k for k, need in enumerate(needs) if need]
    slopes: list[Any] = [None] * len(inputs)
    results = grad(
        [y for y, _ in pairs],
        [inputs[k] for k in wanted],
        [each for _, each in pairs],
        create_graph=recorded,
        allow_unused=True,
    )
    for k, result in zip(wanted, results, strict=True):
        slopes[k] = result
    return tuple(slopes)


def _walk(
    mode: str,
    x: Any,
    h: Any,
    c: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any,
    b_hh: Any,
    w_hr: Any,
    order: Any,
) -> Any:
    """The layer, step by step in operations: outputs, last h, last c."""
    outputs: dict[int, Tensor] = {}
    for o, n in order:
        rest = h[n:] if h.shape[0] > n else None
        row, old = x[o : o + n], h[:n]
        if mode == "lstm":
            new, cell = _lstm_step(row, old, c[:n], w_ih, w_hh, b_ih, b_hh)
            if w_hr is not None:
                new = ops.linear(new, w_hr)
            c = cell if rest is None else ops.cat([cell, c[n:]])
        elif mode == "gru":
            new = _gru_step(row, old, w_ih, w_hh, b_ih, b_hh)
        else:
            new = getattr(ops, _ACTIVATIONS[mode])(
                ops.linear(row, w_ih, b_ih) + ops.linear(old, w_hh, b_hh)
            )
        outputs[o] = new
        h = new if rest is None else ops.cat([new, rest])
    return ops.cat([outputs[o] for o in sorted(outputs)]), h, c


def _lstm_step(
    x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any
) -> tuple[Tensor, Tensor]:
    gates = ops.linear(x, w_ih, b_ih) + ops.linear(h, w_hh, b_hh)
    i, f, a, o = gates.chunk(4, 1)
    cell = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(a)
    return ops.sigmoid(o) * ops.tanh(cell), cell


def _gru_step(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any) -> Tensor:
    a = ops.linear(x, w_ih, b_ih).chunk(3, 1)
    b = ops.linear(h, w_hh, b_hh).chunk(3, 1)
    reset = ops.sigmoid(a[0] + b[0])
    update = ops.sigmoid(a[1] + b[1])
    new = ops.tanh(a[2] + reset * b[2])
    return (h - new) * update + new


def _layer_shapes(x: Any, h: Any, c: Any, w_ih: Any, *rest: Any) -> Any:
    M, P = x.shape[0], h.shape[1]
    cell = h.shape if c is None else c.shape
    return tuple(
        (shape, x.dtype) for shape in ((M, P), h.shape, cell, (M, w_ih.shape[0]), (0,), (M, P))
    )


def _name(node: Any) -> str:
    return "MkldnnRnnLayerBackward0" if node.params[8] == "lstm" else "RnnLayerBackward0"


@primitive(
    name="_rnn_layer",
    function=False,
    method=False,
    outputs=("out", "h_n", "c_n", "gates", "cells", "states"),
    differentiable=("out", "h_n", "c_n"),
    infer=_layer_shapes,
    node=_name,
    vjp={("x", "h", "c", "w_ih", "w_hh", "b_ih", "b_hh", "w_hr"): _layer_rule},
)
def _rnn_layer(
    x,
    h,
    c=None,
    w_ih=None,
    w_hh=None,
    b_ih=None,
    b_hh=None,
    w_hr=None,
    mode: str = "lstm",
    sizes: Any = (),
    reverse: bool = False,
):
    """One layer in one direction over a flat sequence."""
    dtype = x.dtype
    given = _wide(x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr)
    order = kernels.steps(sizes, reverse)
    found = kernels.forward(mode, *given, order)  # type: ignore[call-arg]  # nor a tuple
    return tuple(each.astype(dtype, copy=False) for each in found[:3]) + found[3:]


def _layers(
    mode: str,
    flat: Tensor,
    sizes: Any,
    hx: Any,
    cx: Any,
    params: Any,
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
) -> tuple[Any, ...]:
    """All layers over a flat sequence: its outputs, the last states (layers * directions, N, H)."""
    name = mode
    params = list(params)
    directions = 2 if bidirectional else 1
    total = num_layers * directions
    each = len(params) // total if total else 0
    projected = each in (3, 5)
    if total * (2 + 2 * bool(has_biases) + projected) != len(params):
        raise fail(
            RuntimeError,
            name,
            f"expected {total} groups of weights for {num_layers} layers, got {len(params)} "
            "weights.",
        )
    if cx is not None and cx.shape[0] != total or hx.shape[0] != total:
        raise fail(
            RuntimeError,
            name,
            f"Expected hidden size's first dimension to be {total} (layers * directions), got "
            f"{hx.shape[0]}.",
        )
    last_h, last_c = [], []
    for layer in range(num_layers):
        outputs = []
        for direction in range(directions):
            k = layer * directions + direction
            own = params[k * each : (k + 1) * each]
            w_ih, w_hh = own[:2]
            b_ih, b_hh = own[2:4] if has_biases else (None, None)
            w_hr = own[-1] if projected else None
            found = ops._rnn_layer(
                flat,
                hx[k],
                None if cx is None else cx[k],
                w_ih,
                w_hh,
                b_ih,
                b_hh,
                w_hr,
                mode,
                sizes,
                direction == 1,
            )
            outputs.append(found[0])
            last_h.append(found[1])
            last_c.append(found[2])
        flat = outputs[0] if directions == 1 else ops.cat(outputs, 1)
        if dropout and train and layer < num_layers - 1:
            flat = ops.dropout(flat, dropout, True)
    return flat, ops.stack(last_h), ops.stack(last_c) if mode == "lstm" else None


def _run(mode: str, input: Tensor, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The two forms of the call: padded ``(input, hx, params, ..., batch_first)`` and packed
    ``(data, batch_sizes, hx, params, ...)``."""
    if isinstance(args[0], Tensor) and args[0].dtype.category == "int":  # batch_sizes
        sizes_tensor, hx, *rest = args
        sizes = tuple(int(n) for n in sizes_tensor.tolist())
        h, c = _states(mode, hx)
        flat, h_n, c_n = _layers(mode, input, sizes, h, c, *rest)
        return (flat, h_n) if c_n is None else (flat, h_n, c_n)
    hx, *rest, batch_first = args
    h, c = _states(mode, hx)
    if batch_first:
        input = input.transpose(0, 1)
    length, batch = input.shape[:2]
    flat = input.reshape(length * batch, input.shape[2])
    flat, h_n, c_n = _layers(mode, flat, (batch,) * length, h, c, *rest)
    output = flat.reshape(length, batch, flat.shape[1])
    if batch_first:
        output = output.transpose(0, 1)
    return (output, h_n) if c_n is None else (output, h_n, c_n)


def _states(mode: str, hx: Any) -> tuple[Any, Any]:
    if mode != "lstm":
        return hx, None
    if not isinstance(hx, (tuple, list)) or len(hx) != 2:
        raise fail(RuntimeError, "lstm", "lstm expects two hidden states")
    return hx[0], hx[1]


@composite()
def lstm(input: Tensor, *args: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Long short-term memory over a sequence: outputs, last states, last cells.

    ``lstm(input, (h, c), params, has_biases, num_layers, dropout, train, bidirectional,
    batch_first)``, or packed ``lstm(data, batch_sizes, (h, c), params, has_biases, num_layers,
    dropout, train, bidirectional)``.

    Reference: Hochreiter, Schmidhuber, Long short-term memory, 1997.
    """
    return _run("lstm", input, args)  # type: ignore[return-value]


@composite()
def gru(input: Tensor, *args: Any) -> tuple[Tensor, Tensor]:
    """Gated recurrent units over a sequence: outputs, last states. Arguments as :func:`lstm`'s,
    the state one tensor.

    Reference: Cho et al., Learning phrase representations using RNN encoder-decoder, 2014,
    arXiv:1406.1078.
    """
    return _run("gru", input, args)  # type: ignore[return-value]


@composite()
def rnn_tanh(input: Tensor, *args: Any) -> tuple[Tensor, Tensor]:
    """``h = tanh(W_ih x + b_ih + W_hh h + b_hh)`` over a sequence. Arguments as :func:`gru`'s."""
    return _run("rnn_tanh", input, args)  # type: ignore[return-value]


@composite()
def rnn_relu(input: Tensor, *args: Any) -> tuple[Tensor, Tensor]:
    """``h = relu(W_ih x + b_ih + W_hh h + b_hh)`` over a sequence. Arguments as :func:`gru`'s."""
    return _run("rnn_relu", input, args)  # type: ignore[return-value]


@composite()
def lstm_cell(
    input: Tensor,
    hx: Any,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """One step of :func:`lstm`: the new (h, c)."""
    if len(hx) != 2:
        raise fail(RuntimeError, "lstm_cell", "lstm_cell expects two hidden states")
    return _lstm_step(input, hx[0], hx[1], w_ih, w_hh, b_ih, b_hh)


@composite()
def gru_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """One step of :func:`gru`."""
    return _gru_step(input, hx, w_ih, w_hh, b_ih, b_hh)


@composite()
def rnn_tanh_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """``tanh(w_ih input + b_ih + w_hh hx + b_hh)``."""
    return ops.tanh(ops.linear(input, w_ih, b_ih) + ops.linear(hx, w_hh, b_hh))


@composite()
def rnn_relu_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """``relu(w_ih input + b_ih + w_hh hx + b_hh)``."""
    return ops.relu(ops.linear(input, w_ih, b_ih) + ops.linear(hx, w_hh, b_hh))
