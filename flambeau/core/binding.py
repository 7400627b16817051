"""Arguments to parameters: what Python's own call would do, from an operation's schema, without
exec and signatures.

Also takes NumPy's spellings as PyTorch does (`axis` for `dim`, `keepdims`, `x1`, `x2`). Stands on
errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flambeau.core.errors import fail

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = ["MISSING", "bind", "sizes"]

SPELLINGS = {
    "axis": "dim",
    "axes": "dims",
    "keepdims": "keepdim",
    "x": "input",
    "x1": "input",
    "x2": "other",
    "self": "input",
}
MISSING: Any = object()
VARARG_NAMES = ("size", "dims", "shape", "sizes", "split_size_or_sections")


def sizes(rest: tuple[Any, ...]) -> tuple[Any, ...]:
    """`view(2, 3)` and `view((2, 3))` mean the same."""
    if len(rest) == 1 and isinstance(rest[0], (tuple, list)):
        return tuple(rest[0])
    return rest


def bind(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The full argument list in the order of the operation's parameters.

    Raises:
        TypeError: too many arguments, an unknown name, a missing or doubled argument.
    """
    names = op.names
    values = op.template.copy()
    if op.varargs is None:
        if len(args) > op.positional:
            raise fail(
                TypeError,
                op.name,
                f"{op.name}() takes {op.positional} positional arguments but {len(args)} were "
                f"given: it is "
                f"{op.name}({', '.join(names)}).",
            )
        values[: len(args)] = args
    else:
        at = op.positional
        values[: min(len(args), at)] = args[:at]
        if len(args) > at:
            values[-1] = sizes(args[at:])
    for name, value in kwargs.items():
        k = op.index.get(name)
        if k is None:
            k = op.index.get(SPELLINGS.get(name, ""))
            if k is None and op.varargs is not None and name in VARARG_NAMES:
                k = len(names) - 1
            if k is None:
                raise fail(
                    TypeError,
                    op.name,
                    f"{op.name}() got an unexpected keyword argument '{name}': it is "
                    f"{op.name}({', '.join(names)}).",
                )
        if k < len(args):
            raise fail(
                TypeError, op.name, f"{op.name}() got multiple values for argument '{names[k]}'"
            )
        values[k] = sizes((value,)) if op.varargs is not None and k == len(names) - 1 else value
    for value in values:
        if value is MISSING:
            missing = [
                f'"{name}"' for name, value in zip(names, values, strict=True) if value is MISSING
            ]
            raise fail(
                TypeError,
                op.name,
                f"{op.name}() missing {len(missing)} required positional arguments: "
                f"{', '.join(missing)}",
            )
    return values
