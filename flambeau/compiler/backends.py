"""Backends of `torch.compile` that users write: functions from a graph and example inputs to a
function that runs it.

A graph serves the calls that look like the one it was made of: the same shapes, plain values and
modes. A program without one (`capture.Break`) runs eagerly as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flambeau.compiler.steering import DEFAULT
from flambeau.core import state
from flambeau.core.tensor import Tensor

__all__ = ["DEBUGGING", "NAMES", "compiled_by", "find_backend", "forget", "register_backend"]

NAMES = ["cudagraphs", "inductor", "openxla", "tvm"]
DEBUGGING = [
    "aot_eager", "aot_eager_decomp_partition", "aot_eager_default_partitioner", "aot_ts", "eager",
    "eager_debug", "eager_noexcept", "invoke_subgraph", "openxla_eval", "pre_dispatch_eager", "ts",
]  # fmt: skip
"""PyTorch's own; all of them run eagerly here."""

REGISTERED: dict[str, Callable[..., Any]] = {}
TABLES: list[dict[Any, Any]] = []
"""What `reset` empties: the graphs of each compiled program."""
SIMPLE = (bool, int, float, str, type(None))
"""Plain values around a program: a graph holds them as constants, so it serves these alone."""


def register_backend(
    compiler_fn: Callable[..., Any] | None = None, name: str | None = None, tags: Any = ()
) -> Any:
    """Give a backend a name for ``torch.compile(backend=name)``; a decorator, too.

    Args:
        compiler_fn: called with a GraphModule and a list of example inputs; gives what is called
            with the inputs instead.
        name: by default the function's.
    """
    if compiler_fn is None:
        return lambda function: register_backend(function, name, tags)
    label = name or compiler_fn.__name__
    if label in REGISTERED or label in NAMES + DEBUGGING:
        raise AssertionError(f"register_backend: duplicate name: {label}")
    REGISTERED[label] = compiler_fn
    return compiler_fn


def find_backend(backend: Any) -> Callable[..., Any] | None:
    """The user's function behind a backend, None for PyTorch's own.

    Raises:
        InvalidBackend: there is none of this name.
    """
    backend = DEFAULT[0] if backend is None else backend
    if not isinstance(backend, str):
        return backend  # type: ignore[no-any-return]
    if backend not in REGISTERED and backend not in NAMES + DEBUGGING:
        from flambeau._dynamo.exc import InvalidBackend

        raise InvalidBackend(backend)
    return REGISTERED.get(backend)


def compiled_by(
    backend: Callable[..., Any], program: Callable[..., Any], fullgraph: bool, extra: dict[str, Any]
) -> Callable[..., Any]:
    """The program, run through what the backend makes of its graphs.

    Args:
        fullgraph: a program without a graph is an error. extra: keywords for the backend.

    Raises:
        Unsupported: with `fullgraph`, where there is no graph.
    """
    graphs: dict[Any, Any] = {}
    TABLES.append(graphs)

    def call(*args: Any, **kwargs: Any) -> Any:
        from flambeau._dynamo.exc import Unsupported
        from flambeau.compiler.capture import Break, capture
        from flambeau.utils._pytree import tree_flatten

        leaves, spec = tree_flatten((args, kwargs))
        now = state.current()
        key = (
            str(spec), state.grad_enabled(), str(now.autocast), *map(_looks, leaves),
            *_around(program),
        )  # fmt: skip
        try:
            found = graphs.get(key)
        except TypeError:  # an argument that cannot be compared
            found = False
        if found is None and not (now.functions or now.levels or now.dispatch):
            try:
                captured = capture(program, args, kwargs)
            except Break as reason:
                if fullgraph:
                    raise Unsupported(f"compile: there is no single graph, {reason}.") from reason
                found = graphs[key] = False
            else:
                run = backend(captured.module, captured.inputs(leaves), **extra)
                found = graphs[key] = captured, run
        if not found:
            return program(*args, **kwargs)
        captured, run = found
        return captured.result(run(*captured.inputs(leaves)), leaves)

    return call


def forget() -> None:
    """Drop all graphs: each is made anew at its next call."""
    for graphs in TABLES:
        graphs.clear()


def _looks(leaf: Any) -> Any:
    """What of an argument a graph depends on."""
    if isinstance(leaf, Tensor):
        return type(leaf), leaf.shape, leaf.dtype, leaf.stride(), leaf.requires_grad
    return type(leaf), leaf


def _around(program: Any) -> Iterator[Any]:
    """What a graph depends on besides the arguments: plain values, and which tensors there are."""
    from flambeau.compiler.capture import modules_of, surroundings

    for prefix, names in surroundings(program):
        yield from ((prefix, k, v) for k, v in names.items() if isinstance(v, SIMPLE))
    for module in modules_of(program).values():
        own = vars(module)
        yield from ((k, v) for k, v in own.items() if isinstance(v, SIMPLE))
        yield from (id(v) for room in ("_parameters", "_buffers") for v in own[room].values())
