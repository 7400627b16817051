"""Arguments to parameters: what Python's own call would do, from an operation's schema, without
exec and signatures.

Also takes NumPy's spellings as PyTorch does (`axis` for `dim`, `keepdims`, `x1`, `x2`), and
`input` for the first tensor, however the operation calls it. Stands on errors.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from flambeau.core.errors import fail

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = ["MISSING", "bind", "respelled", "sizes", "sizes_of"]

SPELLINGS = {
    "a": "input",
    "axis": "dim",
    "axes": "dims",
    "axis0": "dim0",
    "axis1": "dim1",
    "b": "B",
    "input2": "L",
    "keepdims": "keepdim",
    "the_template": "other",
    "x": "input",
    "x1": "input",
    "x2": "other",
}
MISSING: Any = object()
VARARG_NAMES = ("size", "dims", "shape", "sizes", "split_size_or_sections")


def respelled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A plain function that takes NumPy's spellings too: for those of several microseconds."""
    code = function.__code__
    own = frozenset(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])

    @wraps(function)
    def either(*args: Any, **kwargs: Any) -> Any:
        if kwargs and not own.issuperset(kwargs):
            for name in tuple(kwargs):
                real = SPELLINGS.get(name)
                if name not in own and real in own and real not in kwargs:
                    kwargs[real] = kwargs.pop(name)
        return function(*args, **kwargs)

    return either


def sizes(rest: tuple[Any, ...]) -> tuple[Any, ...]:
    """`view(2, 3)` and `view((2, 3))` mean the same."""
    if len(rest) == 1 and isinstance(rest[0], (tuple, list)):
        return tuple(rest[0])
    return rest


def sizes_of(op: str, name: str, given: tuple[Any, ...], named: Any) -> tuple[Any, ...]:
    """The numbers a function takes one by one, as one sequence, or by the keyword `name`.

    Raises:
        TypeError: neither, or both, or a text.
    """
    if given and named is not None:
        raise fail(TypeError, op, f"{op}() got multiple values for argument '{name}'")
    if not given and named is None:
        raise fail(TypeError, op, f'{op}() missing 1 required positional arguments: "{name}"')
    given = given or (named,)
    if isinstance(given[0], str):
        raise fail(TypeError, op, f"argument '{name}' must be ints, not the text {given[0]!r}")
    return sizes(given)


def bind(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The full argument list in the order of the operation's parameters.

    Raises:
        TypeError: too many arguments, an unknown name, a missing or doubled argument.
    """
    names = op.names
    values = op.template.copy()
    if op.varargs is None:
        reorder = op.flags.get("old_order") if len(args) > op.positional else None
        if reorder is not None and (found := reorder(op, args)) is not None:
            args, kwargs = found[0], found[1] | kwargs
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
    check_switches(op, args)
    for name, value in kwargs.items():
        k = op.index.get(name)
        if k is None:
            k = 0 if name == "input" else op.index.get(SPELLINGS.get(name, ""))
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
        if k in op.switches and type(value) is not bool:
            raise _no_switch(op, name, value)
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


def check_switches(op: Op, args: tuple[Any, ...]) -> None:
    """Refuse numbers and tensors given by position in the place of a bool."""
    for k in op.switches:
        if k < len(args) and type(args[k]) is not bool:
            raise _no_switch(op, op.names[k], args[k])


def _no_switch(op: Op, name: str, value: Any) -> Exception:
    kind = type(value).__name__
    return fail(
        TypeError, op.name, f"argument '{name}' must be bool, not {kind}. Give True or False."
    )
