"""Why a tensor's `.grad` is None or holds NaN, in words: what the graph can tell.

Nothing is recorded for it: a tensor cut from the graph does not remember the line that cut it. The
program's text tells it (`assigned`), or the computation is run again to find it (`path`).
Stands on core.anomaly and the backward.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

from flambeau.core.node import AccumulateGrad, Node, OpNode
from flambeau.core.provenance import place, user_frame
from flambeau.core.tensor import Tensor

__all__ = ["why_nan_grad", "why_no_grad"]


def why_nan_grad(output: Tensor) -> str:
    """The first operation that makes a NaN on the way back from `output` (a scalar), its line, and
    the mend where a `where` comes too late. Asks a backward of its own; no `.grad` changes.

    Example:
        >>> import flambeau as torch
        >>> x = torch.tensor([0.0, 1.0], requires_grad=True)
        >>> torch.why_nan_grad(torch.where(x > 0, x.log(), 0.0).sum())[:43]
        "Function 'LogBackward0' returned nan values"
    """
    from flambeau.autograd.backward import grad
    from flambeau.autograd.modes import detect_anomaly

    leaves = _leaves(output.grad_fn)  # type: ignore[attr-defined]
    if not leaves:
        return "it was computed from nothing that requires a gradient."
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with detect_anomaly(check_nan=True):
            try:
                grad(output, leaves, retain_graph=True, allow_unused=True)
            except RuntimeError as error:
                if "returned nan values" not in str(error):
                    raise
                return str(error)
    return "no operation makes a NaN: neither the gradients nor what they were computed from."


def _leaves(root: Node | None) -> list[Tensor]:
    """The leaves below a node."""
    found, seen, left = [], {root}, [root]
    while left:
        node = left.pop()
        leaf = node.variable if isinstance(node, AccumulateGrad) else None
        if leaf is not None:
            found.append(leaf)
        for below, _ in node.next_functions if node is not None else ():
            if below not in seen:
                seen.add(below)
                left.append(below)
    return found


def why_no_grad(tensor: Tensor, run: Callable[[], Any] | None = None) -> str:
    """The reason why ``tensor.grad`` is None, and the mend.

    Args:
        tensor: the one without a gradient.
        run: computes the result anew, ``lambda: loss(model(x), y)``: it is run once, watched, and
            the operation that cuts the path from the tensor is named with its line.

    Example:
        >>> import flambeau as torch
        >>> torch.why_no_grad(torch.tensor([1, 2]))[:38]
        'its dtype is torch.int64: only tensors'
        >>> w = torch.ones(1, requires_grad=True)
        >>> torch.why_no_grad(w, lambda: (w * 2).detach().sum())[:53]
        'the path from it to the result is cut by detach at <d'
    """
    node = tensor.grad_fn  # type: ignore[attr-defined]
    if tensor.is_leaf and tensor.grad is not None or node and tensor.retains_grad:  # type: ignore[attr-defined]
        if tensor.grad is not None:
            return "it has a gradient."
        return "it retains its gradient, but no backward has reached it yet."
    if node is not None:
        made = f" at {place(node.where)}" if isinstance(node, OpNode) else ""
        return (
            f"it is not a leaf: {node.name()}{made} made it, and backward keeps the gradients of "
            "leaves only. Call retain_grad() on it before the backward, or ask "
            "torch.autograd.grad(output, tensor)."
        )
    if not (tensor.dtype.is_floating_point or tensor.dtype.is_complex):
        return (
            f"its dtype is {tensor.dtype}: only tensors of floating point and complex dtype have "
            "gradients. Convert the data first, then call requires_grad_()."
        )
    if run is not None and tensor.requires_grad:
        from flambeau.autograd.path import follow

        return follow(tensor, run)
    if not tensor.requires_grad:
        from flambeau.autograd.assigned import where_cut

        cut = where_cut(tensor, user_frame(sys._getframe(1)))
        if cut is not None:
            return (
                f"it does not require a gradient: it was cut from the graph by {cut}. Keep what is "
                "computed in the graph, or call requires_grad_() if it shall be a leaf."
            )
        return (
            "it does not require a gradient: it was made without requires_grad=True, under "
            "no_grad(), or cut from the graph by detach(), .data, Variable() or torch.tensor(). "
            "Call requires_grad_() on a leaf; keep what is computed in the graph."
        )
    return (
        "no backward has reached it: backward() was not called since the gradient was last "
        "cleared, or the output does not depend on it. Is the path cut by detach(), no_grad(), "
        "or an operation without a gradient (argmax, comparisons, integer dtypes)? "
        "why_no_grad(tensor, lambda: loss) runs it again and names the line."
    )
