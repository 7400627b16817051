"""Arguments to parameters: what Python's own call would do, from an operation's schema, without exec and signatures.

Also takes NumPy's spellings as PyTorch does (`axis` for `dim`, `keepdims`, `x1`, `x2`). Stands on errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flambeau.core.errors import fail

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = ["bind", "sizes"]

SPELLINGS = {"axis": "dim", "axes": "dims", "keepdims": "keepdim", "x": "input", "x1": "input", "x2": "other", "self": "input"}
VARARG_NAMES = ("size", "dims", "shape", "sizes", "split_size_or_sections")


def sizes(rest: tuple[Any, ...]) -> tuple[Any, ...]:
    """`view(2, 3)` and `view((2, 3))` mean the same."""
    if len(rest) == 1 and isinstance(rest[0], (tuple, list)):
        return tuple(rest[0])
    return rest


def bind(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    """The full argument list in the order of the operation's parameters.

    Raises:
        TypeError: too many arguments, an unknown name, a missing or doubled argument.
    """
    names = op.names
    if op.varargs is None:
        if len(args) > op.positional:
            raise fail(
                TypeError,
                op.name,
                f"{op.name}() takes {op.positional} positional arguments but {len(args)} were given: it is "
                f"{op.name}({', '.join(names)}).",
            )
        given = dict(zip(names, args, strict=False))
    else:
        at = op.positional
        given = dict(zip(names, args[:at], strict=False))
        if len(args) > at:
            given[op.varargs] = sizes(args[at:])
    for name, value in kwargs.items():
        if name not in names:
            other = SPELLINGS.get(name)
            if other is None or other not in names:
                raise fail(
                    TypeError,
                    op.name,
                    f"{op.name}() got an unexpected keyword argument '{name}': it is {op.name}({', '.join(names)}).",
                )
            name = other
        if name in given:
            raise fail(TypeError, op.name, f"{op.name}() got multiple values for argument '{name}'")
        given[name] = sizes((value,)) if name == op.varargs else value
    defaults = op.defaults
    try:
        return [given[name] if name in given else defaults[name] for name in names]
    except KeyError:
        missing = [f'"{name}"' for name in op.required if name not in given]
        raise fail(
            TypeError,
            op.name,
            f"{op.name}() missing {len(missing)} required positional arguments: {', '.join(missing)}",
        ) from None
