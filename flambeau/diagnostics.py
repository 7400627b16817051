"""What an error's line shows beside its message: methods that were not called, attributes that
were, gradients that are None.

Python's own errors of such lines name neither (``'method' object has no attribute 'view'``).
Nothing is recorded for it: the line is read again once it has failed, and only names and attributes
on it are looked up, nothing is called. The runner adds the hints to tracebacks. Stands on the rooms
below.
"""

from __future__ import annotations

import ast
import inspect
import linecache
from types import FrameType, TracebackType
from typing import Any

from flambeau.autograd.why import why_no_grad
from flambeau.core.errors import fail
from flambeau.core.provenance import LIBRARY
from flambeau.core.tensor import Tensor
from flambeau.nn.modules.module import Module
from flambeau.optim.optimizer import Optimizer

__all__ = ["annotate", "why_error"]

KINDS = (Tensor, Module, Optimizer)
ERRORS = (AttributeError, IndexError, RuntimeError, TypeError)
ABSENT: Any = object()


def why_error(error: BaseException) -> list[str]:
    """What the line that raised `error` shows beside the message: one hint each, often none.

    Args:
        error: a caught exception, with its traceback.

    Raises:
        TypeError: it is no exception.

    Example:
        >>> import flambeau as torch
        >>> x = torch.ones(2, 3)
        >>> try:
        ...     x.contiguous.view(6)
        ... except AttributeError as error:
        ...     torch.why_error(error)
        ['x.contiguous is a method and was not called: x.contiguous().']
    """
    if not isinstance(error, BaseException):
        raise fail(TypeError, "why_error", f"expected an exception, not {type(error).__name__}.")
    if not isinstance(error, ERRORS) or isinstance(error, NotImplementedError):
        return []
    frame, line, end = _users_line(error.__traceback__)
    expression = _parsed(frame, line, end)
    if frame is None or expression is None:
        return []
    called = {id(n.func): n for n in ast.walk(expression) if isinstance(n, ast.Call)}
    found: list[str] = []
    for node in ast.walk(expression):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            hint = _attribute(node, frame, id(node) in called, error)
            if hint and hint not in found:
                found.append(hint)
        elif isinstance(node, ast.Call) and isinstance(error, TypeError):
            found += _models(node, frame)
    return found


def annotate(error: BaseException) -> None:
    """Add the hints to what Python prints of the error."""
    try:
        hints = why_error(error)
    except Exception:  # a hint must never hide the error itself
        return
    for hint in hints:
        error.add_note("Hint: " + hint)


def _users_line(trace: TracebackType | None) -> tuple[FrameType | None, int, int]:
    """The innermost of the user's frames, and the lines of the statement's part that failed."""
    frame, first, last = None, 0, 0
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(LIBRARY):
            frame, first = trace.tb_frame, trace.tb_lineno
            positions = list(frame.f_code.co_positions())
            start, end, _, _ = positions[trace.tb_lasti // 2]
            first, last = start or first, end or first
        trace = trace.tb_next
    return frame, first, last


def _parsed(frame: FrameType | None, first: int, last: int) -> ast.AST | None:
    """The statement that covers the lines."""
    if frame is None:
        return None
    lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError):
        return None
    covering = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and node.lineno <= first and last <= (node.end_lineno or 0)
    ]
    inner = min(
        covering, key=lambda n: ((n.end_lineno or 0) - n.lineno, -n.col_offset), default=None
    )
    # Of a loop or a condition the head failed: what stands inside has its own statements.
    for part in ("iter", "test"):
        inner = getattr(inner, part, inner)
    return inner


def _value(node: ast.AST, frame: FrameType) -> Any:
    """What a chain of names and attributes stands for; ABSENT where to ask is to run code."""
    if isinstance(node, ast.Name):
        for scope in (frame.f_locals, frame.f_globals):
            if node.id in scope:
                return scope[node.id]
    if isinstance(node, ast.Attribute):
        owner = _value(node.value, frame)
        if owner is ABSENT:
            return ABSENT
        if isinstance(owner, Module) or not isinstance(owner, type):
            held = getattr(owner, "__dict__", {})
            for table in (
                held,
                held.get("_parameters"),
                held.get("_modules"),
                held.get("_buffers"),
            ):
                if isinstance(table, dict) and node.attr in table:
                    return table[node.attr]
        if isinstance(owner, KINDS):
            if node.attr in ("grad", "data", "T", "shape", "dtype", "device", "mT"):
                return getattr(owner, node.attr, ABSENT)
            if callable(inspect.getattr_static(type(owner), node.attr, None)):
                return getattr(owner, node.attr)
    return ABSENT


def _attribute(
    node: ast.Attribute, frame: FrameType, is_called: bool, error: BaseException
) -> str | None:
    """The hint for one `owner.name` on the line, where the message is of its kind."""
    owner, said = _value(node.value, frame), str(error)
    found = _value(node, frame)
    if not isinstance(owner, KINDS) or found is ABSENT:
        return None
    text = ast.unparse(node)
    if callable(inspect.getattr_static(type(owner), node.attr, None)):
        if not is_called and ("method" in said or "function" in said):
            return f"{text} is a method and was not called: {text}()."
    elif found is None and "NoneType" in said:
        if isinstance(owner, Tensor) and node.attr == "grad":
            return f"{text} is None: {why_no_grad(owner)}"
        return f"{text} is None."
    elif is_called and not callable(found) and ("not callable" in said or "__call__" in said):
        kind = type(found).__name__
        return f"{text} is no method, it is a {kind}: leave the parentheses out."
    return None


def _models(node: ast.Call, frame: FrameType) -> list[str]:
    """A model where its parameters belong: the first argument of an optimizer or of clipping."""
    called = _value(node.func, frame)
    if called is ABSENT and isinstance(node.func, ast.Attribute):
        called = _module_member(node.func, frame)
    wants = (isinstance(called, type) and issubclass(called, Optimizer)) or getattr(
        called, "__name__", ""
    ).startswith("clip_grad_")
    if wants and node.args and isinstance(_value(node.args[0], frame), Module):
        text = ast.unparse(node.args[0])
        return [f"{text} is a module; its parameters are wanted: {text}.parameters()."]
    return []


def _module_member(node: ast.AST, frame: FrameType) -> Any:
    """`torch.optim.Adam`: a member of modules that are imported already."""
    if isinstance(node, ast.Attribute):
        owner = _module_member(node.value, frame)
        return ABSENT if owner is ABSENT else vars(owner).get(node.attr, ABSENT)
    found = _value(node, frame)
    return found if inspect.ismodule(found) else ABSENT
