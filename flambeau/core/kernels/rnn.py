"""One layer of a recurrent network over a whole sequence, on ndarrays: tanh, relu, LSTM, GRU, and
their gradients.

The sequence is flat: step t has `sizes[t]` rows, one after the other (a packed sequence as it is,
a padded one reshaped);
rows are sorted by length, so step t works on the first `sizes[t]` states. The input's part is one
product over all steps;
so are the weights' gradients. Letters: M rows, I input, H hidden, P state (H, or the projection's).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.kernels.generate import recurrent
from flambeau.core.kernels.generate.folds import column_sums
from flambeau.core.kernels.generate.recurrent_gates import GATES
from flambeau.core.kernels.product import matrices

__all__ = ["GATES", "backward", "forward"]


def steps(sizes: Any, reverse: bool) -> list[tuple[int, int]]:
    """(offset, rows) of every step, in the order they are taken."""
    found = []
    offset = 0
    for n in sizes:
        found.append((offset, n))
        offset += n
    return found[::-1] if reverse else found


def forward(
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
) -> tuple[Any, ...]:
    """The outputs (M, P), the last states, and what the way back needs: gates, cells, previous
    states."""
    h = h.copy()
    if w_hr is None and order and recurrent.serves(mode, x.dtype, "forward"):
        return _generated(mode, x, h, c, w_ih, w_hh, b_ih, b_hh, order)
    if mode == "lstm":
        return _lstm(x, h, c.copy(), w_ih, w_hh, b_ih, b_hh, w_hr, order)
    if mode == "gru":
        return _gru(x, h, w_ih, w_hh, b_ih, b_hh, order)
    return _plain(mode, x, h, w_ih, w_hh, b_ih, b_hh, order)


def backward(
    mode: str,
    gradients: tuple[Any, Any, Any],
    x: Any,
    c: Any,
    w_ih: Any,
    w_hh: Any,
    w_hr: Any,
    out: Any,
    gates: Any,
    cells: Any,
    states: Any,
    order: Any,
    needs: Any,
) -> tuple[Any, ...]:
    """Gradients for x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr.

    Args:
        needs: which of them are wanted; products and sums that are not, are None.
    """
    if w_hr is None and order and recurrent.serves(mode, x.dtype, "backward"):
        found = _generated_back(mode, gradients, w_hh, out, gates, cells, states, order, needs[1])
    elif mode == "lstm":
        found = _lstm_back(gradients, w_hh, w_hr, gates, cells, states, order)
    elif mode == "gru":
        found = _gru_back(gradients, w_hh, gates, cells, states, order)
    else:
        found = _plain_back(mode, gradients, w_hh, out, states, order)
    d_in, d_state, dh, dc, dw_hr = found
    needs_x, _, _, needs_ih, needs_hh, needs_b_ih, needs_b_hh, _ = needs
    alike = d_state is d_in
    left = d_in.T if needs_ih or (needs_hh and alike) else None
    db_ih = column_sums(d_in) if needs_b_ih else None
    db_hh = None
    if needs_b_hh:
        db_hh = db_ih.copy() if alike and db_ih is not None else column_sums(d_state)
    return (
        matrices(d_in, w_ih) if needs_x else None,
        dh,
        dc,
        matrices(left, x) if needs_ih else None,
        matrices(left if alike else d_state.T, states) if needs_hh else None,
        db_ih,
        db_hh,
        dw_hr,
    )


def _generated(
    mode: str, x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, order: Any
) -> tuple[Any, ...]:
    """The steps in generated code; biases that are added alike come in with the input's part."""
    bias, inner = b_ih, None
    if mode == "gru":
        inner = np.zeros(len(w_hh), x.dtype) if b_hh is None else b_hh
    if b_ih is not None:
        alike = slice(0, 2 * h.shape[1] if mode == "gru" else None)
        bias = b_ih.copy()
        bias[alike] += b_hh[alike]
    gates = matrices(x, w_ih.T, bias)
    c = None if c is None else c.copy()
    out, cells, states = recurrent.forward(mode, gates, h, c, w_hh, inner, order)
    return out, h, np.empty(0, x.dtype) if c is None else c, gates, cells, states


def _generated_back(
    mode: str, gradients: Any, w_hh: Any, out: Any, gates: Any, cells: Any, states: Any, order: Any,
    ends: bool,
) -> tuple[Any, ...]:  # fmt: skip
    g_out, g_h, g_c = gradients
    width, dtype = states.shape[1], states.dtype
    dh = _zeros_or(g_h, (order_rows(order), width), dtype)
    dc = _zeros_or(g_c, (order_rows(order), width), dtype) if mode == "lstm" else None
    g_out = np.zeros_like(states) if g_out is None else np.ascontiguousarray(g_out, dtype)
    gates = gates if GATES[mode] > 1 else out
    slope, inner = recurrent.backward(mode, g_out, dh, dc, w_hh, gates, cells, states, order, ends)
    return slope, inner, dh if ends else None, dc, None


def _zeros_or(g: Any, shape: Any, dtype: Any) -> Any:
    return np.zeros(shape, dtype) if g is None else g.astype(dtype, copy=True).reshape(shape)


def _plain(
    mode: str, x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, order: Any
) -> tuple[Any, ...]:
    out = matrices(x, w_ih.T)
    if b_ih is not None:
        out += b_ih + b_hh
    states = np.empty_like(out)
    turned = np.ascontiguousarray(w_hh.T)
    for o, n in order:
        states[o : o + n] = h[:n]
        row = out[o : o + n]
        row += matrices(h[:n], turned)
        if mode == "rnn_tanh":
            np.tanh(row, out=row)
        else:
            np.maximum(row, row.dtype.type(0), out=row)
        h[:n] = row
    none = np.empty(0, x.dtype)
    return out, h, none, none, none, states


def _plain_back(
    mode: str, gradients: Any, w_hh: Any, out: Any, states: Any, order: Any
) -> tuple[Any, ...]:
    g_out, g_h, _ = gradients
    dh = _zeros_or(g_h, (order_rows(order), states.shape[1]), states.dtype)
    slope = 1 - out * out if mode == "rnn_tanh" else (out > 0).astype(out.dtype)
    found = np.empty_like(out)
    for o, n in order[::-1]:
        row = dh[:n]
        if g_out is not None:
            row = row + g_out[o : o + n]
        np.multiply(row, slope[o : o + n], out=found[o : o + n])
        dh[:n] = matrices(found[o : o + n], w_hh)
    return found, found, dh, None, None


def order_rows(order: Any) -> int:
    """How many sequences there are: the rows of the largest step, the first or the last one."""
    return max(order[0][1], order[-1][1]) if order else 0


def _halves(width: int, dtype: Any) -> tuple[Any, Any]:
    """Factor and shift that turn tanh of halved gates into sigmoids; the third of four is a tanh
    itself."""
    scale = np.full(4 * width, 0.5, dtype)
    scale[2 * width : 3 * width] = 1
    return scale, 1 - scale


def _lstm(
    x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, w_hr: Any, order: Any
) -> tuple[Any, ...]:
    H = w_hh.shape[0] // 4
    scale, shift = _halves(H, x.dtype)
    # sigmoid(a) = (1 + tanh(a / 2)) / 2: one tanh for all gates, the halving done in the weights
    bias = None if b_ih is None else (b_ih + b_hh) * scale
    gates = matrices(x, (w_ih * scale[:, None]).T, bias)
    turned = np.ascontiguousarray((w_hh * scale[:, None]).T)  # once, not packed at every step
    projected = None if w_hr is None else np.ascontiguousarray(w_hr.T)
    M = x.shape[0]
    cells = np.empty((2, M, H), x.dtype)  # the previous cell, the tanh of the new one
    states = np.empty((M, h.shape[1]), x.dtype)
    out = np.empty((M, h.shape[1]), x.dtype)
    for o, n in order:
        states[o : o + n] = h[:n]
        row = gates[o : o + n]
        row += matrices(h[:n], turned)
        np.tanh(row, out=row)
        row *= scale
        row += shift
        cell = c[:n]
        cells[0, o : o + n] = cell
        cell *= row[:, H : 2 * H]
        cell += row[:, :H] * row[:, 2 * H : 3 * H]
        high = cells[1, o : o + n]
        np.tanh(cell, out=high)
        new = row[:, 3 * H :] * high
        out[o : o + n] = h[:n] = new if projected is None else matrices(new, projected)
    return out, h, c, gates, cells, states


def _lstm_back(
    gradients: Any, w_hh: Any, w_hr: Any, gates: Any, cells: Any, states: Any, order: Any
) -> tuple[Any, ...]:
    H = w_hh.shape[0] // 4
    M, dtype = gates.shape[0], gates.dtype
    g_out, g_h, g_c = gradients
    rows = order_rows(order)
    dh = _zeros_or(g_h, (rows, states.shape[1]), dtype)
    dc = _zeros_or(g_c, (rows, H), dtype)
    before, high = cells
    found = np.empty((M, 4, H), dtype)
    pulled = np.empty((M, states.shape[1]), dtype) if w_hr is not None else None
    flat, steps, scratch = found.reshape(M, 4 * H), gates.reshape(M, 4, H), np.empty_like(dc)
    for o, n in order[::-1]:  # everything of a step stays in the first cache
        row = dh[:n]
        if g_out is not None:
            row = row + g_out[o : o + n]
        if pulled is not None:
            pulled[o : o + n] = row
            row = matrices(row, w_hr)
        here, gate, top = found[o : o + n], steps[o : o + n], high[o : o + n]
        cell, some = dc[:n], scratch[:n]
        np.multiply(top, top, out=some)
        np.subtract(1, some, out=some)
        some *= gate[:, 3]
        some *= row
        cell += some
        np.subtract(1, gate, out=here)
        here *= gate
        np.multiply(gate[:, 2], gate[:, 2], out=some)
        np.subtract(1, some, out=some)
        np.multiply(some, gate[:, 0], out=here[:, 2])
        here[:, 0] *= gate[:, 2]
        here[:, 1] *= before[o : o + n]
        here[:, :3] *= cell[:, None, :]
        here[:, 3] *= top
        here[:, 3] *= row
        cell *= gate[:, 1]
        dh[:n] = matrices(flat[o : o + n], w_hh)
    dw_hr = None if pulled is None else matrices(pulled.T, steps[:, 3] * high)
    return flat, flat, dh, dc, dw_hr


def _gru(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, order: Any) -> tuple[Any, ...]:
    H = h.shape[1]
    gates = matrices(x, w_ih.T)
    if b_ih is not None:
        gates += b_ih
    turned = np.ascontiguousarray(w_hh.T)
    M = x.shape[0]
    inner = np.empty((M, H), x.dtype)
    states = np.empty((M, H), x.dtype)
    out = np.empty((M, H), x.dtype)
    half = x.dtype.type(0.5)
    for o, n in order:
        old = h[:n]
        states[o : o + n] = old
        row = gates[o : o + n]
        from_state = matrices(old, turned)
        if b_hh is not None:
            from_state += b_hh
        doors = row[:, : 2 * H]
        doors += from_state[:, : 2 * H]
        doors *= half
        np.tanh(doors, out=doors)
        doors *= half
        doors += half
        inner[o : o + n] = from_state[:, 2 * H :]
        new = row[:, 2 * H :]
        new += doors[:, :H] * from_state[:, 2 * H :]
        np.tanh(new, out=new)
        result = old - new
        result *= doors[:, H:]
        result += new
        out[o : o + n] = h[:n] = result
    return out, h, np.empty(0, x.dtype), gates, inner, states


def _gru_back(
    gradients: Any, w_hh: Any, gates: Any, inner: Any, states: Any, order: Any
) -> tuple[Any, ...]:
    H = states.shape[1]
    M, dtype = gates.shape[0], gates.dtype
    g_out, g_h, _ = gradients
    dh = _zeros_or(g_h, (order_rows(order), H), dtype)
    r, z, new = (gates[:, k * H : (k + 1) * H] for k in range(3))
    keep_new = (1 - z) * (1 - new * new)
    slope_r = inner * r * (1 - r)
    slope_z = (states - new) * z * (1 - z)
    d_in = np.empty((M, 3 * H), dtype)
    d_state = np.empty((M, 3 * H), dtype)
    for o, n in order[::-1]:
        row = dh[:n]
        if g_out is not None:
            row = row + g_out[o : o + n]
        here, there = d_in[o : o + n], d_state[o : o + n]
        inside = row * keep_new[o : o + n]
        here[:, 2 * H :] = inside
        np.multiply(inside, slope_r[o : o + n], out=here[:, :H])
        np.multiply(row, slope_z[o : o + n], out=here[:, H : 2 * H])
        there[:, : 2 * H] = here[:, : 2 * H]
        np.multiply(inside, r[o : o + n], out=there[:, 2 * H :])
        back = matrices(there, w_hh)
        back += row * z[o : o + n]
        dh[:n] = back
    return d_in, d_state, dh, None, None
