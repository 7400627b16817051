"""Connectionist temporal classification on ndarrays: forward and backward variables for the whole
batch at once.

Steps are a loop; samples and labels are vectors. Letters: T steps, N samples, S the longest
target, C classes; the
extended target (blank, label, blank, ..., blank) has L = 2 S + 1 places.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["alphas", "gradient"]


def _extended(targets: Any, blank: int) -> Any:
    """(N, S) labels as (N, 2 S + 1) with blanks between."""
    found = np.full((targets.shape[0], 2 * targets.shape[1] + 1), blank, dtype="i8")
    found[:, 1::2] = targets
    return found


def _may_skip(extended: Any) -> Any:
    """Where a path may come from two places before: at a label that differs from the one before
    it."""
    found = np.zeros(extended.shape, bool)
    found[:, 2:] = extended[:, 2:] != extended[:, :-2]
    found[:, ::2] = False
    return found


def _shifted(a: Any, by: int) -> Any:
    found = np.full_like(a, -np.inf)
    if a.shape[1] > by:
        found[:, by:] = a[:, :-by]
    return found


def _add3(a: Any, b: Any, c: Any) -> Any:
    """log(exp(a) + exp(b) + exp(c)), -inf where all are."""
    top = np.maximum(np.maximum(a, b), c)
    safe = np.where(np.isneginf(top), 0, top)
    return _log(_exp(a - safe) + _exp(b - safe) + _exp(c - safe)) + safe


def _exp(x: Any) -> Any:
    """Rounded once, as PyTorch's: hundreds of steps of larger errors show in the gradient."""
    return np.exp(x, dtype="f8").astype(x.dtype)


def _log(x: Any) -> Any:
    return np.log(x, dtype="f8").astype(x.dtype)


def alphas(logs: Any, targets: Any, lengths: Any, sizes: Any, blank: int) -> tuple[Any, Any]:
    """The negative log-likelihood (N) and the forward variables (T, N, L) of log-probabilities (T,
    N, C)."""
    T, N, _ = logs.shape
    extended = _extended(targets, blank)
    L = extended.shape[1]
    rows = np.arange(N)
    skip = _may_skip(extended)
    found = np.full((T, N, L), -np.inf, logs.dtype)
    emitted = logs[:, rows[:, None], extended] if T else found
    if T:
        found[0, :, 0] = emitted[0, :, 0]
        if L > 1:
            found[0, sizes > 0, 1] = emitted[0, sizes > 0, 1]
    for t in range(1, T):
        before = found[t - 1]
        two = np.where(skip, _shifted(before, 2), -np.inf)
        found[t] = np.where(
            (t < lengths)[:, None], _add3(before, _shifted(before, 1), two) + emitted[t], before
        )
    if not T:
        return np.where(sizes == 0, 0.0, np.inf).astype(logs.dtype), found
    last = found[T - 1]
    ends = last[rows, 2 * sizes]
    labels = np.where(sizes > 0, last[rows, np.maximum(2 * sizes - 1, 0)], -np.inf)
    loss = -_add3(ends, labels, np.full_like(ends, -np.inf))
    return np.where((lengths == 0) & (sizes == 0), 0, np.where(lengths == 0, np.inf, loss)).astype(
        logs.dtype
    ), found


def _betas(logs: Any, extended: Any, lengths: Any, sizes: Any) -> Any:
    """The backward variables (T, N, L)."""
    T, N, _ = logs.shape
    L = extended.shape[1]
    rows = np.arange(N)
    emitted = logs[:, rows[:, None], extended]
    ahead = np.zeros(extended.shape, bool)
    ahead[:, :-2] = _may_skip(extended)[:, 2:]
    found = np.full((T, N, L), -np.inf, logs.dtype)
    places = np.arange(L)[None, :]
    end = (places == 2 * sizes[:, None]) | (
        (places == 2 * sizes[:, None] - 1) & (sizes > 0)[:, None]
    )
    inside = places <= 2 * sizes[:, None]
    for t in range(T - 1, -1, -1):
        starts = (t == lengths - 1)[:, None]
        value = np.where(end, emitted[t], -np.inf)
        if t < T - 1:
            after = found[t + 1]
            one = np.full_like(after, -np.inf)
            one[:, :-1] = after[:, 1:]
            two = np.full_like(after, -np.inf)
            if L > 2:
                two[:, :-2] = after[:, 2:]
            walked = _add3(after, one, np.where(ahead, two, -np.inf)) + emitted[t]
            value = np.where(
                starts, value, np.where((t < lengths - 1)[:, None] & inside, walked, -np.inf)
            )
        else:
            value = np.where(starts, value, -np.inf)
        found[t] = value
    return found


def _by_class(both: Any, extended: Any, classes: int) -> Any:
    """log(sum of exp) of the places of each class, from the last place to the first: (T, N, C)."""
    T, N, L = both.shape
    found = np.full((T, N, classes), -np.inf, both.dtype)
    rows = np.arange(N)
    for place in range(L - 1, -1, -1):
        labels = extended[:, place]
        old, new = found[:, rows, labels], both[:, :, place]
        top = np.maximum(old, new)
        safe = np.where(np.isneginf(top), 0, top)
        sum_ = _log(_exp(old - safe) + _exp(new - safe)) + safe
        found[:, rows, labels] = np.where(np.isneginf(old), new, sum_)
    return found


def gradient(
    g: Any,
    logs: Any,
    targets: Any,
    lengths: Any,
    sizes: Any,
    blank: int,
    loss: Any,
    forward: Any,
    zero_infinity: bool,
) -> Any:
    """The gradient for the log-probabilities: ``exp(log_probs) - (posterior of every class)``,
    times g of each sample.

    As PyTorch's, it is the gradient through log-softmax already: its sum over classes is 0.

    Reference: Graves et al., Connectionist temporal classification, 2006.
    """
    T, N, C = logs.shape
    extended = _extended(targets, blank)
    rows = np.arange(N)
    both = forward + _betas(logs, extended, lengths, sizes)  # (T, N, L)
    occupied = _by_class(both, extended, C)
    found = (_exp(logs) - _exp(occupied + loss[None, :, None] - logs)) * g[None, :, None]
    live = (np.arange(T)[:, None] < lengths[None, :])[:, :, None]
    found = np.where(live, found, 0)
    if zero_infinity:
        found[:, rows[np.isinf(loss)]] = 0
    return found.astype(logs.dtype)
