"""An operation's gradients on bare arrays: one function `op.back(node, grad)`, made once from its
rules.

Each tensor gets the closure that fits what its rule names, so that a node's run decides nothing
that the declaration has decided. What needs Tensors (mixed dtypes, packed or written values,
complex numbers) answers None, and `rules` runs it at leisure. Stands on node and rules' tables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from flambeau.core.kernels.native.choose import SILENT, fused
from flambeau.core.node import FREED

if TYPE_CHECKING:
    from flambeau.core.declare import Op
    from flambeau.core.rules import Rule

__all__ = ["SLOW", "is_silent", "passes", "read_back"]

nd = np.ndarray
Pull = Callable[[Any, Any], Any]

SLOW: Any = object()
"""A tensor's gradient needs more than arrays."""


def read_back(op: Op, values_of: Callable[..., Any]) -> Callable[[Any, Any], Any] | None:
    """``back(node, grad)``: a gradient for every tensor, or None where Tensors or an error are
    needed. None for an operation with a rule that does not run on arrays.

    Args:
        op: the operation, its rules read.
        values_of: ``values_of(node, rule, dtype)`` for rules that want more than saved values.
    """
    if op.lists or not op.rules:
        return None
    if not all(rule.bare for rule in op.rules):
        for rule in op.rules:
            if rule.bare and not rule.group:
                _on_arrays(op, rule)
        return None
    if op.multiple or any(rule.group for rule in op.rules):
        several = not op.multiple or all(rule.both for rule in op.rules)
        return _whole(op, values_of) if several else None
    pulls: list[Pull] = [_nothing] * len(op.tensor_names)
    for rule in op.rules:
        pulls[rule.targets[0]] = _pull(rule, _on_arrays(op, rule), values_of)
    if len(pulls) == 1:
        return _single(*pulls)
    return _pair(*pulls) if len(pulls) == 2 else _several(*pulls)


def is_silent(op: Op) -> bool:
    """Whether no rule of `back` lets NumPy warn: each is native, or passes the gradient on."""
    return all(
        not rule.group and (_is_same(rule) or _on_arrays(op, rule) in SILENT) for rule in op.rules
    )


def _on_arrays(op: Op, rule: Rule) -> Callable[..., Any]:
    """The rule as it runs on arrays: its twin, or one native function made of its operators."""
    if rule.twin is None and rule.simple and not _is_same(rule):
        rule.twin = fused(f"vjp_{op.name}_{rule.targets[0]}", rule.function)
    return rule.twin or rule.function


def passes(op: Op) -> bool:
    """Whether every gradient is the one that arrived, as in `add`."""
    return (
        bool(op.rules)
        and not op.lists
        and len(op.rules) == len(op.tensor_names)
        and (all(not rule.group and _is_same(rule) for rule in op.rules))
    )


def _single(pull: Pull) -> Callable[[Any, Any], Any]:
    def back(node: Any, grad: Any) -> Any:
        if grad.dtype.kind in "cW":
            return None
        found = pull(node, grad)
        return None if found is SLOW else (found,)

    return back


def _pair(first: Pull, second: Pull) -> Callable[[Any, Any], Any]:
    def back(node: Any, grad: Any) -> Any:
        if grad.dtype.kind in "cW":
            return None
        for_first, for_second = node.edges
        if for_first is None:
            found = second(node, grad)
            return None if found is SLOW else (None, found)
        found = first(node, grad)
        if found is SLOW:
            return None
        if for_second is None:
            return found, None
        other = second(node, grad)
        return None if other is SLOW else (found, other)

    return back


def _several(*pulls: Pull) -> Callable[[Any, Any], Any]:
    def back(node: Any, grad: Any) -> Any:
        if grad.dtype.kind in "cW":
            return None
        found = []
        for edge, pull in zip(node.edges, pulls, strict=True):
            each = None if edge is None else pull(node, grad)
            if each is SLOW:
                return None
            found.append(each)
        return found

    return back


def _whole(op: Op, values_of: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """For rules that give several gradients at once, and for several outputs, whose gradients come
    as a tuple that has one at least.
    """
    rules = [(rule, rule.twin or rule.function, rule.targets) for rule in op.rules]

    def back(node: Any, grads: Any) -> Any:
        if node.saved is FREED:
            return None
        dtype = next(g.dtype for g in grads if g is not None) if op.multiple else grads.dtype
        if dtype.kind in "cW":
            return None
        if op.multiple:
            grads = tuple([None if g is None else _laid_out(g) for g in grads])
        else:
            grads = _laid_out(grads)
        edges = node.edges
        found: list[Any] = [None] * len(edges)
        for rule, function, targets in rules:
            if all(edges[target] is None for target in targets):
                continue
            values = values_of(node, rule, dtype)
            if values is None:
                return None
            result = function(grads, *values)
            if rule.group:
                for target, value in zip(targets, result, strict=True):
                    found[target] = value
            else:
                found[targets[0]] = result
        return found

    return back


def _pull(rule: Rule, function: Callable[..., Any], values_of: Callable[..., Any]) -> Pull:
    """The gradient of one tensor, by what its rule names."""
    if _is_same(rule):
        return _same
    if not rule.simple:
        return _with_values(function, rule, values_of)
    if not rule.saves:
        return lambda node, grad: function(grad)
    if len(rule.saves) == 1:
        return _with_one(function, rule.saves[0])
    return _with_saved(function, rule.saves)


def _with_one(function: Callable[..., Any], position: int) -> Pull:
    def pull(node: Any, grad: Any) -> Any:
        saved = node.saved
        if saved is FREED:
            return SLOW
        value = saved[position]
        store = node.stores[position]
        if store is not None and (
            store.changed > node.sequence or type(value) is not nd or value.dtype is not grad.dtype
        ):
            return SLOW
        return function(grad, value)

    return pull


def _with_saved(function: Callable[..., Any], positions: tuple[int, ...]) -> Pull:
    def pull(node: Any, grad: Any) -> Any:
        saved = node.saved
        if saved is FREED:
            return SLOW
        stores, sequence, dtype = node.stores, node.sequence, grad.dtype
        values = []
        for position in positions:
            value = saved[position]
            store = stores[position]
            if store is not None and (
                store.changed > sequence or type(value) is not nd or value.dtype is not dtype
            ):
                return SLOW
            values.append(value)
        return function(grad, *values)

    return pull


def _with_values(function: Callable[..., Any], rule: Rule, values_of: Callable[..., Any]) -> Pull:
    def pull(node: Any, grad: Any) -> Any:
        if node.saved is FREED:
            return SLOW
        values = values_of(node, rule, grad.dtype)
        return SLOW if values is None else function(_laid_out(grad), *values)

    return pull


SMALL = 1 << 15


def _laid_out(grad: Any) -> Any:
    """The gradient, its elements in order where it is small and repeats some, as that of a sum
    does: kernels are made for such.
    """
    if grad.flags.c_contiguous or grad.size > SMALL or 0 not in grad.strides:
        return grad
    return grad.copy()


def _same(node: Any, grad: Any) -> Any:
    return grad


def _nothing(node: Any, grad: Any) -> None:
    return None


def _is_same(rule: Rule) -> bool:
    """Whether a rule reads `lambda g: g`."""
    if rule.twin is not None:
        return False
    code = rule.function.__code__
    return code.co_argcount == 1 and code.co_code == (lambda g: g).__code__.co_code
