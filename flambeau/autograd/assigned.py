"""Which line of the user's program cut a tensor from the graph, read from the program's text.

A tensor remembers nothing of what made it without a gradient, and shall not pay for it. What can be
read afterwards is read: the last line that gave the tensor its name, and whether it calls detach()
or makes a copy, or stands under no_grad(). Stands on core.tensor.
"""

from __future__ import annotations

import ast
import linecache
import os
from collections.abc import Iterator
from types import FrameType
from typing import Any

from flambeau.core.tensor import Tensor

__all__ = ["where_cut"]

CUTS = {
    "detach": "detach()", "detach_": "detach_()", "data": ".data", "numpy": ".numpy()",
    "item": ".item()", "tolist": ".tolist()", "tensor": "tensor(), a copy",
    "as_tensor": "as_tensor()", "from_numpy": "from_numpy()", "Variable": "Variable(), a copy",
    "argmax": "argmax()", "argmin": "argmin()", "round": "round()", "sign": "sign()",
}  # fmt: skip
"""What an expression may say that cuts, and how it is called."""
COPIES = ("tensor", "as_tensor", "Variable")
"""What cuts only if it is given a tensor; numbers were never in a graph."""
BLOCKS = ("no_grad", "inference_mode")

_Function = (ast.FunctionDef, ast.AsyncFunctionDef)


def where_cut(tensor: Any, frame: FrameType) -> str | None:
    """``detach() at train.py:12 (`b = a.detach()`)`` for a tensor that has a name in this frame;
    None where the text tells nothing.
    """
    names = {
        name: start
        for space, start in ((frame.f_globals, 1), (frame.f_locals, frame.f_code.co_firstlineno))
        for name, value in list(space.items())
        if value is tensor
    }
    path = frame.f_code.co_filename
    try:
        tree = ast.parse("".join(linecache.getlines(path)))
    except (SyntaxError, ValueError):
        return None
    found = None
    for statement, blocks in _assignments(tree, ()):
        for name in _targets(statement):
            if names.get(name, frame.f_lineno) <= statement.lineno <= frame.f_lineno:
                found = (statement, blocks) if name in names else found
    if found is None:
        return None
    statement, blocks = found
    why = _said(statement, frame) or next((f"{name}()" for name in blocks), None)
    if why is None:
        return None
    text = linecache.getline(path, statement.lineno).strip()
    return f"{why} at {os.path.basename(path)}:{statement.lineno} (`{text}`)"


def _assignments(node: ast.AST, blocks: tuple[str, ...]) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """Assignments in the order of the text, and the blocks without gradients around each."""
    for child in ast.iter_child_nodes(node):
        inner = blocks
        if isinstance(child, (ast.With, ast.AsyncWith)):
            inner += tuple(n for item in child.items for n in _without(item.context_expr))
        elif isinstance(child, _Function):  # its decorators hold where it is called, not around it
            inner = tuple(n for each in child.decorator_list for n in _without(each))
        elif isinstance(child, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
            yield child, blocks
        yield from _assignments(child, inner)


def _without(expression: ast.AST) -> Iterator[str]:
    """The names of blocks without gradients in ``torch.no_grad()``."""
    for node in ast.walk(expression):
        name = getattr(node, "attr", getattr(node, "id", None))
        if name in BLOCKS:
            yield name


def _targets(statement: Any) -> Iterator[str]:
    for target in getattr(statement, "targets", None) or [statement.target]:
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                yield node.id


def _said(statement: Any, frame: FrameType) -> str | None:
    """What the right side says that cuts, the outermost first."""
    for node in ast.walk(statement.value) if statement.value is not None else ():
        called = node.func if isinstance(node, ast.Call) else node
        name = getattr(called, "attr", getattr(called, "id", None))
        if name in CUTS and (name not in COPIES or _given_a_tensor(node, frame)):
            return CUTS[name]
    return None


def _given_a_tensor(node: ast.AST, frame: FrameType) -> bool:
    """Whether a call's first argument names a tensor of the frame."""
    if not isinstance(node, ast.Call) or not node.args:
        return False
    names = {each.id for each in ast.walk(node.args[0]) if isinstance(each, ast.Name)}
    values = (frame.f_locals.get(name, frame.f_globals.get(name)) for name in names)
    return any(isinstance(value, Tensor) for value in values)
