"""Schemas of functions: ``(Tensor x, float scale=1.) -> Tensor``, from annotations or from text.
Stands on core.errors."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Union

from flambeau.core.device import device
from flambeau.core.dtypes import dtype
from flambeau.core.tensor import Tensor

__all__ = ["Schema", "infer_schema", "mutated", "parse"]

SCALARS = {
    Tensor: "Tensor",
    int: "SymInt",
    float: "float",
    bool: "bool",
    str: "str",
    complex: "complex",
    dtype: "ScalarType",
    device: "Device",
    int | float | bool: "Scalar",
    int | float: "Scalar",
}


class Schema:
    """A parsed schema: the text, and the names of the parameters it writes."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.mutates = mutated(text)

    def __str__(self) -> str:
        return f"{self.name}{self.text}"

    __repr__ = __str__


def mutated(text: str) -> set[str]:
    """The parameters that a schema's text marks as written: ``Tensor(a!) x``."""
    return set(re.findall(r"\([a-z0-9]+!\)\??(?:\[\])?\s+(\w+)", text))


def _type_text(note: Any) -> str | None:
    if note in SCALARS:
        return SCALARS[note]
    origin, args = typing.get_origin(note), typing.get_args(note)
    if origin in (Union, types.UnionType):
        rest = [a for a in args if a is not type(None)]
        if len(rest) < len(args):
            inner = _type_text(rest[0]) if len(rest) == 1 else _type_text(Union[tuple(rest)])  # noqa: UP007
            return None if inner is None else inner + "?"
        return "Scalar" if set(rest) <= {int, float, bool} else None
    if origin in (list, tuple, Sequence, typing.Sequence) and args:
        inner = _type_text(args[0])
        return None if inner is None else inner + "[]"
    return None


def _default_text(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return f"{value:g}." if value == int(value) and abs(value) < 1e16 else repr(value)
    if isinstance(value, str):
        return f'"{value}"'
    return str(value)


def infer_schema(
    prototype_function: Callable[..., Any],
    /,
    *,
    mutates_args: str | Iterable[str],
    op_name: str | None = None,
    tags: Iterable[Any] = (),
) -> str:
    """The schema of an annotated function.

    Args:
        tags: no schema's words depend on them.
        mutates_args: names of the tensors it writes; "unknown" for all.
        op_name: put in front.

    Raises:
        ValueError: a parameter without annotation, or with one that schemas have no word for.
    """
    signature = inspect.signature(prototype_function)
    notes = typing.get_type_hints(prototype_function)
    parts = []
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    starred = False
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        if name not in notes:
            raise ValueError(
                f"infer_schema(func): Parameter {name} must have a type annotation. Got func with "
                f"signature {signature}"
            )
        text = _type_text(notes[name])
        if text is None:
            raise ValueError(
                f"infer_schema(func): Parameter {name} has unsupported type {notes[name]}. Give "
                "Tensor, int, float, bool, str, or a "
                f"list or Optional of one. Got func with signature {signature}"
            )
        if (mutates_args == "unknown" and text.startswith("Tensor")) or (
            mutates_args != "unknown" and name in mutates_args
        ):
            text = text.replace("Tensor", f"Tensor({next(letters)}!)", 1)
        default = (
            "" if parameter.default is parameter.empty else f"={_default_text(parameter.default)}"
        )
        parts.append(f"{text} {name}{default}")
    if mutates_args != "unknown":
        unknown = set(mutates_args) - set(signature.parameters)
        if unknown:
            raise ValueError(
                f"infer_schema(func): {sorted(unknown)} in mutates_args are not parameters of "
                f"{signature}"
            )
    return f"{op_name or ''}({', '.join(parts)}) -> {_return_text(notes, signature)}"


def _return_text(notes: dict[str, Any], signature: inspect.Signature) -> str:
    if "return" not in notes:
        if signature.return_annotation is None:
            return "()"
        raise ValueError(
            "infer_schema(func): No return type annotation was provided. Please add one. Got func "
            f"with signature {signature}"
        )
    note = notes["return"]
    if note in (None, type(None)):
        return "()"
    if typing.get_origin(note) is tuple:
        return f"({', '.join(str(_type_text(each)) for each in typing.get_args(note))})"
    text = _type_text(note)
    if text is None:
        raise ValueError(
            f"infer_schema(func): Return has unsupported type {note}. Got func with signature "
            f"{signature}"
        )
    return text


def parse(text: str) -> tuple[str, str]:
    """Name and rest of ``bar(Tensor x) -> Tensor``."""
    name, bracket, rest = text.partition("(")
    return name.strip(), bracket + rest
