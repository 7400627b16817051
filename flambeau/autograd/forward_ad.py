"""Forward-mode derivatives by their names: dual levels, `make_dual`, `unpack_dual`.

A dual tensor carries its tangent at the door of the level; the tangent of a result is computed when
it is unpacked, as the derivative of the vector-Jacobian product (see func.levels). Stands on
func.levels.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, NamedTuple

from flambeau.autograd.modes import set_grad_enabled
from flambeau.core import state
from flambeau.core.context import assign
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor, edge_of, wrap_like_view

__all__ = [
    "UnpackedDualTensor",
    "dual_level",
    "enter_dual_level",
    "exit_dual_level",
    "make_dual",
    "unpack_dual",
]

_LEVELS: ContextVar[tuple[_Level, ...]] = ContextVar("flambeau_dual_levels", default=())


class _Level:
    """The duals made in a level, with their tangents."""

    def __init__(self) -> None:
        self.duals: list[tuple[Tensor, Tensor]] = []
        self.token: Any = None


class UnpackedDualTensor(NamedTuple):
    """The value of a dual tensor, and its tangent (None when there is none)."""

    primal: Tensor
    tangent: Tensor | None


def enter_dual_level() -> int:
    """Begin a level; returns its number.

    Raises:
        RuntimeError: there is one already.
    """
    if _LEVELS.get():
        raise fail(
            RuntimeError,
            "enter_dual_level",
            "Nested forward mode AD is not supported at the moment",
        )
    level = _Level()
    level.token = state.switch_grad(True)
    assign(_LEVELS, (level,))
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """End the level: its tangents are gone.

    Raises:
        RuntimeError: there is none.
    """
    levels = _LEVELS.get()
    if not levels or level not in (None, len(levels) - 1):
        raise fail(
            RuntimeError,
            "exit_dual_level",
            "Trying to exit a forward AD level that was not the last one that was created.",
        )
    state.restore(levels[-1].token)
    levels[-1].duals.clear()
    assign(_LEVELS, levels[:-1])


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """The tensor with a tangent.

    Raises:
        RuntimeError: outside a level, or shapes that differ. ValueError: not floating point.
    """
    from flambeau.func.levels import differentiable, enter

    levels = _LEVELS.get()
    if not levels:
        raise fail(
            RuntimeError,
            "make_dual",
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to "
            "enter_dual_level() first.",
        )
    if not differentiable(tensor):
        raise fail(
            ValueError,
            "make_dual",
            f"Expected primal to be floating point or complex, but got: {tensor.dtype}",
        )
    if not differentiable(tangent):
        raise fail(
            ValueError,
            "make_dual",
            f"Expected tangent to be floating point or complex, but got: {tangent.dtype}",
        )
    if tensor.shape != tangent.shape:
        raise fail(
            RuntimeError,
            "make_dual",
            f"Expected tangent to have the shape of the primal, {list(tensor.shape)}, but got "
            f"{list(tangent.shape)}",
        )
    if _depends(tangent, [d for d, _ in levels[-1].duals]):
        raise fail(
            RuntimeError,
            "make_dual",
            "the tangent has a forward gradient at the same level itself: nested tangents are "
            "not supported. Give unpack_dual(tangent).primal.",
        )
    dual = enter(tensor)
    # What is written into the dual changes its history: the door keeps the first.
    door = wrap_like_view(dual._array, dual)
    door._edge = dual._edge
    levels[-1].duals.append((door, tangent))
    return dual


def tangent_shown(tensor: Tensor) -> UnpackedDualTensor | None:
    """The parts of a dual tensor, for its text; None for any other tensor."""
    found = unpack_dual(tensor) if _LEVELS.get() else None
    return None if found is None or found.tangent is None else found


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """The value and the tangent of a tensor computed from duals."""
    from flambeau.func.levels import leave, open_graph, push

    levels = _LEVELS.get()
    if not levels:
        return UnpackedDualTensor(tensor, None)
    duals = levels[-1].duals
    if not _depends(tensor, [d for d, _ in duals]):
        return UnpackedDualTensor(tensor, None)
    stays = open_graph([tensor], [d for d, _ in duals]) or any(
        edge_of(t) is not None for _, t in duals
    )
    for dual, tangent in duals:
        if dual._edge is tensor._edge:
            return UnpackedDualTensor(leave(tensor, stays), tangent)
    with set_grad_enabled(True):
        (moved,) = push([tensor], [d for d, _ in duals])([t for _, t in duals], stays)
    return UnpackedDualTensor(leave(tensor, stays), leave(moved, stays))


def _depends(tensor: Tensor, duals: list[Tensor]) -> bool:
    """Whether the graph behind a tensor reaches one of the duals."""
    from flambeau.core.node import edge_node

    if edge_of(tensor) is None:
        return False
    doors = {d._edge for d in duals}
    stack = [edge_node(edge_of(tensor))[0]]
    seen = set()
    while stack:
        node = stack.pop()
        if node in doors:
            return True
        if node not in seen:
            seen.add(node)
            stack.extend(edge_node(e)[0] for e in node.edges if e is not None)
    return False


class dual_level:
    """The block in which dual tensors carry tangents."""

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *exc: object) -> None:
        exit_dual_level()
