"""`grad`, `grad_and_value`, `vjp`, `jvp`, `linearize`: derivatives of functions, as functions.
Stands on levels.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from flambeau.core import state
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor, edge_of
from flambeau.func.levels import differentiable, enter, leave, open_graph, pull, push, transforming
from flambeau.utils._pytree import tree_flatten, tree_map, tree_unflatten

__all__ = ["grad", "grad_and_value", "jvp", "linearize", "vjp"]

Argnums = int | tuple[int, ...]


def chosen(name: str, argnums: Argnums, args: tuple[Any, ...]) -> tuple[int, ...]:
    """The positions of the arguments to differentiate, checked.

    Raises:
        RuntimeError: no such argument, or one twice.
    """
    if not isinstance(argnums, (int, tuple)):
        raise fail(
            RuntimeError,
            name,
            f"argnums must be int or tuple of ints, got: {type(argnums).__name__}",
        )
    given = (argnums,) if isinstance(argnums, int) else argnums
    if not given:
        raise fail(RuntimeError, name, "argnums must be non-empty")
    found = []
    for k in given:
        if not isinstance(k, int):
            raise fail(
                RuntimeError,
                name,
                f"argnums must be int or tuple of ints, got: {type(k).__name__} in {argnums}",
            )
        if not -len(args) <= k < len(args):
            raise fail(
                RuntimeError, name, f"Got argnum={k}, but only {len(args)} positional inputs"
            )
        found.append(k % len(args))
    if len(set(found)) != len(found):
        raise fail(RuntimeError, name, f"argnums elements must be unique, got {argnums}")
    return tuple(found)


def level_inputs(name: str, values: Any, strict: bool = True) -> tuple[Any, list[Tensor]]:
    """A tree with its tensors entered into a new level, and those tensors.

    Raises:
        RuntimeError: a leaf is no tensor, or (`strict`) of a dtype without gradients.
    """
    leaves, spec = tree_flatten(values)
    entered = []
    inner = []
    for leaf in leaves:
        if not isinstance(leaf, Tensor):
            raise fail(
                RuntimeError, name, f"Expected tensors, got unsupported type {type(leaf).__name__}"
            )
        if differentiable(leaf):
            leaf = enter(leaf)
            entered.append(leaf)
        elif strict:
            raise fail(
                RuntimeError,
                name,
                f"only Tensors of floating point and complex dtype can require gradients; an "
                f"argument is {leaf.dtype}: convert "
                "it, or leave it out of argnums.",
            )
        inner.append(leaf)
    return tree_unflatten(inner, spec), entered


def split_aux(name: str, result: Any, has_aux: bool) -> tuple[Any, Any]:
    """(output, aux) of what a function returned.

    Raises:
        RuntimeError: `has_aux`, and it is no pair.
    """
    if not has_aux:
        return result, None
    if not (isinstance(result, tuple) and len(result) == 2):
        raise fail(
            RuntimeError,
            name,
            f"output of function f should be a tuple: (output, aux) if has_aux is True, got "
            f"{type(result).__name__}",
        )
    return result


def grad_and_value(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that returns the gradient of a scalar function, and its value.

    Args:
        func: returns a 0-d tensor; with `has_aux`, a pair of it and anything.
        argnums: which positional arguments to differentiate; each may be a tree of tensors.
        has_aux: whether `func` returns a pair.

    Returns:
        ``(gradients, output)``, or ``(gradients, (output, aux))``.
    """

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        outer = state.grad_enabled()
        positions = chosen("grad", argnums, args)
        inner = list(args)
        with_level: list[Tensor] = []
        trees = []
        for k in positions:
            inner[k], entered = level_inputs("grad", args[k])
            with_level += entered
            trees.append(tree_flatten(args[k])[1])
        with transforming():
            output, aux = split_aux("grad", func(*inner, **kwargs), has_aux)
            if not isinstance(output, Tensor):
                raise fail(
                    RuntimeError,
                    "grad",
                    f"Expected f(*args) to return tensor, got {type(output).__name__}",
                )
            if output.ndim != 0:
                raise fail(
                    RuntimeError,
                    "grad",
                    f"Expected f(*args) to return a scalar tensor, got tensor with {output.ndim} "
                    f"dims. Did you mean to reduce it "
                    "(.sum(), .mean()), or to use vjp or jacrev?",
                )
            stays = outer and open_graph([output], with_level)
            found = pull([output], with_level, [None], stays, retain=True)
        results = []
        start = 0
        for spec in trees:
            results.append(
                tree_unflatten(
                    [leave(g, stays) for g in found[start : start + spec.num_leaves]], spec
                )
            )
            start += spec.num_leaves
        gradient = results[0] if isinstance(argnums, int) else tuple(results)
        value = leave(output, stays)
        if has_aux:
            return gradient, (
                value,
                tree_map(lambda leaf: _leave_alone(leaf, outer, with_level), aux),
            )
        return gradient, value

    return wrapper


def _leave_alone(value: Any, outer: bool, entered: Sequence[Tensor]) -> Any:
    if not isinstance(value, Tensor):
        raise fail(
            RuntimeError, "aux", f"Expected tensors, got unsupported type {type(value).__name__}"
        )
    if edge_of(value) is None:
        return value
    return leave(value, outer and open_graph([value], entered))


def grad(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that returns the gradient of a scalar function: `grad(grad(f))` is the second
    derivative.

    Args: as for `grad_and_value`.
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return wrapper


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of a function, and the function from a cotangent of its output to those of its
    inputs.

    Returns:
        ``(output, vjp_fn)``, or ``(output, vjp_fn, aux)`` with `has_aux`.
    """
    outer = state.grad_enabled()
    inner, entered = level_inputs("vjp", primals, strict=False)
    with transforming():
        output, aux = split_aux("vjp", func(*inner), has_aux)
    flat, spec = tree_flatten(output)
    if any(not isinstance(o, Tensor) for o in flat):
        raise fail(RuntimeError, "vjp", "Expected f(*primals) to return only tensors")
    stays = open_graph(flat, entered)
    input_spec = tree_flatten(primals)[1]
    slots = [differentiable(leaf) for leaf in tree_flatten(primals)[0]]

    def vjp_fn(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        given, given_spec = tree_flatten(cotangents)
        if given_spec != spec:
            raise fail(
                RuntimeError,
                "vjp",
                f"Expected pytree structure of cotangents to be the same as pytree structure of "
                f"outputs: {given_spec}, {spec}",
            )
        for o, c in zip(flat, given, strict=True):
            if not isinstance(c, Tensor) or c.shape != o.shape:
                raise fail(
                    RuntimeError,
                    "vjp",
                    f"Expected the cotangent to have the shape of the output: got "
                    f"{list(getattr(c, 'shape', ()))}, the output "
                    f"has {list(o.shape)}",
                )
        recording = state.grad_enabled() if create_graph is None else create_graph
        recording = recording and (stays or any(edge_of(c) is not None for c in given))
        with transforming():
            found = iter(pull(flat, entered, given, recording, retain_graph))
        every = [leave(next(found), recording) if slot else None for slot in slots]
        results = tree_unflatten(every, input_spec)
        return results

    shown = tree_map(lambda o: leave(o, outer and stays), output)
    if has_aux:
        return shown, vjp_fn, tree_map(lambda leaf: _leave_alone(leaf, outer, entered), aux)
    return shown, vjp_fn


def _check_tangents(name: str, primals: Any, tangents: Any) -> None:
    if not isinstance(primals, tuple):
        raise fail(
            RuntimeError,
            name,
            f"Expected primals to be a tuple. E.g. it should be valid to call f(*primals). Got "
            f"{type(primals).__name__}",
        )
    a, first = tree_flatten(primals)
    b, second = tree_flatten(tangents)
    if first != second:
        raise fail(
            RuntimeError,
            name,
            f"Expected primals and tangents to have the same python structure: {first}, {second}",
        )
    for x, t in zip(a, b, strict=True):
        if not isinstance(x, Tensor) or not isinstance(t, Tensor):
            raise fail(RuntimeError, name, "primals and tangents must contain only Tensors")
        if x.shape != t.shape:
            raise fail(
                RuntimeError,
                name,
                f"a primal has shape {list(x.shape)}, its tangent {list(t.shape)}: they must be "
                f"the same",
            )


def jvp(
    func: Callable[..., Any],
    primals: Any,
    tangents: Any,
    *,
    strict: bool = False,
    has_aux: bool = False,
) -> Any:
    """The value of a function, and the change of its output along `tangents`: the Jacobian times
    the tangents.

    Computed as the derivative of the vector-Jacobian product with respect to its vector, so that
    every operation with a gradient has it. Returns ``(output, tangent)``, or ``(output, tangent,
    aux)`` with `has_aux`.
    """
    _check_tangents("jvp", primals, tangents)
    outer = state.grad_enabled()
    inner, entered = level_inputs("jvp", primals, strict=False)
    steps = [
        t
        for x, t in zip(tree_flatten(primals)[0], tree_flatten(tangents)[0], strict=True)
        if differentiable(x)
    ]
    with transforming():
        output, aux = split_aux("jvp", func(*inner), has_aux)
        flat, spec = tree_flatten(output)
        if any(not isinstance(o, Tensor) for o in flat):
            raise fail(RuntimeError, "jvp", "Expected f(*primals) to return only tensors")
        stays = outer and open_graph(flat, entered)
        recording = outer and (stays or any(edge_of(t) is not None for t in steps))
        moved = push(flat, entered)(steps, recording)
    shown = tree_unflatten([leave(o, stays) for o in flat], spec)
    change = tree_unflatten([leave(m, recording) for m in moved], spec)
    if has_aux:
        return shown, change, tree_map(lambda leaf: _leave_alone(leaf, outer, entered), aux)
    return shown, change


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The value of a function, and its Jacobian-vector product as a function of the tangents,
    computed once for many.
    """
    inner, entered = level_inputs("linearize", primals, strict=False)
    outer = state.grad_enabled()
    with transforming():
        flat, spec = tree_flatten(func(*inner))
        along = push(flat, entered)
    stays = outer and open_graph(flat, entered)

    def jvp_fn(*tangents: Any) -> Any:
        _check_tangents("linearize", primals, tangents)
        steps = [
            t
            for x, t in zip(tree_flatten(primals)[0], tree_flatten(tangents)[0], strict=True)
            if differentiable(x)
        ]
        recording = state.grad_enabled() and (stays or any(edge_of(t) is not None for t in steps))
        with transforming():
            moved = along(steps, recording)
        return tree_unflatten([leave(m, recording) for m in moved], spec)

    return tree_unflatten([leave(o, stays) for o in flat], spec), jvp_fn
