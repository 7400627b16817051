"""`torch.autograd.functional`: jacobian, hessian, vjp, jvp, vhp, hvp of a function at a point.
Stands on func.levels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from flambeau.autograd.backward import grad
from flambeau.autograd.modes import enable_grad
from flambeau.core.declare import ops
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor, edge_of, wrap

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def _tuple(name: str, value: Any, what: str) -> tuple[bool, tuple[Tensor, ...]]:
    single = not isinstance(value, tuple)
    found = (value,) if single else value
    for k, each in enumerate(found):
        if not isinstance(each, Tensor):
            raise fail(
                TypeError,
                name,
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but "
                f"the value at index {k} has type {type(each)}.",
            )
    return not single, found


def _prepared(inputs: tuple[Tensor, ...], create_graph: bool) -> tuple[Tensor, ...]:
    """The inputs as the function sees them: in the caller's graph with `create_graph`, else leaves
    of their own.
    """
    if create_graph:
        return tuple(
            x.view_as(x) if edge_of(x) is not None else x.detach().requires_grad_() for x in inputs
        )
    return tuple(x.detach().requires_grad_() for x in inputs)


def _called(
    name: str, func: Callable[..., Any], inputs: tuple[Tensor, ...]
) -> tuple[bool, tuple[Tensor, ...]]:
    return _tuple(name, func(*inputs), "outputs of the user-provided function")


def _checked(
    name: str, v: Any, like: tuple[Tensor, ...], several: bool, what: str
) -> tuple[Tensor, ...]:
    """The vector `v`, one tensor for each of `like`; ones where it was left out and there is one
    element.

    Raises:
        RuntimeError: its shapes are not theirs.
    """
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise fail(
                RuntimeError,
                name,
                f"The vector v can only be None if the user-provided function returns (or takes) "
                f"a single Tensor with a single element: give v, with the shape of the {what}.",
            )
        return (ops.ones_like(like[0].detach()),)
    _, vectors = _tuple(name, v, "v")
    if len(vectors) != len(like):
        raise fail(
            RuntimeError,
            name,
            f"v is a tuple of invalid length: should be {len(like)} but got {len(vectors)}.",
        )
    for k, (a, b) in enumerate(zip(vectors, like, strict=True)):
        if a.shape != b.shape:
            raise fail(
                RuntimeError,
                name,
                f"v has invalid size at index {k}: should be {list(b.shape)} but got "
                f"{list(a.shape)}.",
            )
    return vectors


def _required(name: str, tensors: Sequence[Tensor], strict: bool, text: str) -> None:
    if strict:
        for k, t in enumerate(tensors):
            if edge_of(t) is None:
                raise fail(
                    RuntimeError,
                    name,
                    f"{text} {k} is independent of the inputs. This is not allowed in strict mode.",
                )


def _grads(
    name: str,
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    seeds: Sequence[Tensor],
    create_graph: bool,
    strict: bool,
) -> list[Tensor]:
    """vector-Jacobian product, zeros where an input is not used (an error under `strict`)."""
    pairs = [(o, s) for o, s in zip(outputs, seeds, strict=True) if edge_of(o) is not None]
    found: Sequence[Any] = [None] * len(inputs)
    if pairs:
        found = grad(
            [o for o, _ in pairs],
            inputs,
            [s for _, s in pairs],
            retain_graph=True,
            create_graph=create_graph,
            allow_unused=True,
        )
    if strict:
        for k, g in enumerate(found):
            if g is None:
                raise fail(
                    RuntimeError,
                    name,
                    f"The output of the user-provided function is independent of input {k}. This "
                    f"is not allowed in strict mode.",
                )
            if create_graph and edge_of(g) is None:
                raise fail(
                    RuntimeError,
                    name,
                    f"The derivative of the user-provided function is independent of input {k}. "
                    f"This is not allowed in strict mode with create_graph=True: pass "
                    f"strict=False for a derivative that is constant.",
                )
    return [
        ops.zeros_like(x.detach()) if g is None else g for g, x in zip(found, inputs, strict=True)
    ]


def _given(value: tuple[Tensor, ...], several: bool, create_graph: bool) -> Any:
    kept = value if create_graph else tuple(t.detach() for t in value)
    return kept if several else kept[0]


def vjp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """``(func(inputs), v^T J)``: the vector-Jacobian product.

    Args:
        v: with the shapes of the outputs; may be left out for a single scalar.
        create_graph: keep both in the graph.
        strict: outputs that do not depend on the inputs are errors instead of zeros.
    """
    with enable_grad():
        several_in, given = _tuple("vjp", inputs, "inputs")
        points = _prepared(given, create_graph)
        several_out, outputs = _called("vjp", func, points)
        _required("vjp", outputs, strict, "The output of the user-provided function at index")
        vectors = _checked("vjp", v, outputs, several_out, "outputs")
        found = _grads("vjp", outputs, points, vectors, create_graph, strict)
    return _given(outputs, several_out, create_graph), _given(
        tuple(found), several_in, create_graph
    )


def jvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """``(func(inputs), J v)``: the Jacobian-vector product, by differentiating the vector-Jacobian
    product twice.

    Args:
        v: with the shapes of the inputs; may be left out for a single element.
    """
    with enable_grad():
        several_in, given = _tuple("jvp", inputs, "inputs")
        points = _prepared(given, create_graph)
        vectors = _checked("jvp", v, points, several_in, "inputs")
        several_out, outputs = _called("jvp", func, points)
        _required("jvp", outputs, strict, "The output of the user-provided function at index")
        seeds = tuple(ops.zeros_like(o.detach()).requires_grad_() for o in outputs)
        rows = _grads("jvp", outputs, points, seeds, True, strict)
        found = _grads("jvp", rows, seeds, vectors, create_graph, strict)
    return _given(outputs, several_out, create_graph), _given(
        tuple(found), several_out, create_graph
    )


def _units(t: Tensor) -> list[Tensor]:
    found = []
    for index in np.ndindex(t._array.shape):
        unit = np.zeros(t._array.shape, t._array.dtype)
        unit[index] = 1
        found.append(wrap(unit))
    return found


def _stacked_rows(
    output: Tensor, points: Sequence[Tensor], create_graph: bool, strict: bool, vectorize: bool
) -> list[Tensor]:
    """The vector-Jacobian products of all unit vectors, one after the other or (`vectorize`) all
    at once; nothing for an output without elements.
    """
    units = _units(output)
    if not units:
        return []
    if not vectorize:
        rows = [
            _grads("jacobian", [output], points, [unit], create_graph, strict) for unit in units
        ]
        return [ops.stack(list(column)) for column in zip(*rows, strict=True)]
    from flambeau.func.batching import vmap

    return list(
        vmap(
            lambda unit: tuple(_grads("jacobian", [output], points, [unit], create_graph, strict)),
            randomness="same",
        )(ops.stack(units))
    )


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of a function: for every output and input a tensor of shape ``output.shape +
    input.shape``.

    Args:
        func: takes and returns tensors (or tuples of them).
        create_graph: keep the result in the graph.
        strict: independence of an input is an error instead of zeros.
        strategy: "reverse-mode", or "forward-mode" with `vectorize`.
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise fail(
            ValueError,
            "jacobian",
            'Expected strategy to be either "forward-mode" or "reverse-mode".',
        )
    if strategy == "forward-mode" and create_graph:
        raise fail(
            NotImplementedError,
            "jacobian",
            "`create_graph=True` is not supported with strategy='forward-mode': use reverse mode.",
        )
    if strategy == "forward-mode" and not vectorize:
        raise fail(
            NotImplementedError,
            "jacobian",
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian is only "
            "implemented for `vectorize=True`.",
        )
    if vectorize and strict:
        raise fail(
            RuntimeError,
            "jacobian",
            "`strict=True` and `vectorized=True` are not supported together. Please either set "
            "one to False.",
        )
    with enable_grad():
        several_in, given = _tuple("jacobian", inputs, "inputs")
        points = _prepared(given, create_graph)
        several_out, outputs = _called("jacobian", func, points)
        _required("jacobian", outputs, strict, "The output of the user-provided function at index")
        table = []
        for o in outputs:
            stacked = _stacked_rows(o, points, create_graph, strict, vectorize)
            row = []
            for k, x in enumerate(points):
                shape = (*o.shape, *x.shape)
                row.append(stacked[k].reshape(shape) if stacked else x.new_zeros(shape))
            table.append(_given(tuple(row), several_in, create_graph))
    return tuple(table) if several_out else table[0]


def _scalar(name: str, func: Callable[..., Any]) -> Callable[..., Tensor]:
    def checked(*args: Any) -> Tensor:
        several, (out, *_) = _called(name, func, args)
        if several:
            raise fail(
                RuntimeError,
                name,
                f"The function given to {name} should return a single Tensor, not a tuple: "
                f"return its element.",
            )
        if out.numel() != 1:
            raise fail(
                RuntimeError,
                name,
                f"The Tensor returned by the function given to {name} should contain a single "
                f"element",
            )
        return out.squeeze()

    return checked


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The Hessian of a scalar function: for every pair of inputs a tensor of shape ``first.shape +
    second.shape``.
    """
    several, _ = _tuple("hessian", inputs, "inputs")
    if outer_jacobian_strategy not in ("reverse-mode", "forward-mode"):
        raise fail(
            ValueError,
            "hessian",
            'Expected strategy to be either "forward-mode" or "reverse-mode".',
        )
    scalar = _scalar("hessian", func)

    def gradient(*args: Tensor) -> Any:
        args = tuple(a if edge_of(a) is not None else a.requires_grad_() for a in args)
        return jacobian(scalar, args if several else args[0], create_graph=True, strict=strict)

    return jacobian(gradient, inputs, create_graph=create_graph, strict=strict, vectorize=vectorize)


def vhp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """``(func(inputs), v^T H)`` of a scalar function."""
    scalar = _scalar("vhp", func)
    with enable_grad():
        several, given = _tuple("vhp", inputs, "inputs")
        points = _prepared(given, create_graph)
        vectors = _checked("vhp", v, points, several, "inputs")
        output = scalar(*points)
        _required("vhp", [output], strict, "The output of the user-provided function at index")
        first = _grads("vhp", [output], points, [ops.ones_like(output.detach())], True, strict)
        _required(
            "vhp", first, strict, "The jacobian of the user-provided function with respect to input"
        )
        found = _grads("vhp", first, points, vectors, create_graph, strict)
    return (output if create_graph else output.detach()), _given(
        tuple(found), several, create_graph
    )


def hvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """``(func(inputs), H v)`` of a scalar function; `vhp` is the same number for less work where H
    is symmetric.
    """
    scalar = _scalar("hvp", func)
    with enable_grad():
        several, given = _tuple("hvp", inputs, "inputs")
        points = _prepared(given, create_graph)
        vectors = _checked("hvp", v, points, several, "inputs")
        output = scalar(*points)
        _required("hvp", [output], strict, "The output of the user-provided function at index")
        seeds = tuple(ops.zeros_like(x.detach()).requires_grad_() for x in points)
        first = _grads("hvp", [output], points, [ops.ones_like(output.detach())], True, strict)
        _required(
            "hvp", first, strict, "The jacobian of the user-provided function with respect to input"
        )
        second = _grads("hvp", first, points, seeds, True, False)
        found = _grads("hvp", second, seeds, vectors, create_graph, False)
    return (output if create_graph else output.detach()), _given(
        tuple(found), several, create_graph
    )
