"""``torch.compile`` and ``torch.compiler``: functions and modules run eagerly as they are, or
through a backend that the user wrote (`backends`).

The wrappers, their attributes and ``state_dict`` names are PyTorch's, so that scripts and
checkpoints need not change when code is generated.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flambeau.compat import warn_once
from flambeau.compiler.backends import (
    DEBUGGING,
    NAMES,
    REGISTERED,
    compiled_by,
    find_backend,
    forget,
)
from flambeau.compiler.steering import (
    get_default_backend,
    is_exporting,
    keep_portable_guards_unsafe,
    keep_tensor_guards_unsafe,
    load_cache_artifacts,
    nested_compile_region,
    save_cache_artifacts,
    set_default_backend,
    set_enable_guard_collectives,
    skip_all_guards_unsafe,
    skip_guard_on_all_nn_modules_unsafe,
    skip_guard_on_globals_unsafe,
    skip_guard_on_inbuilt_nn_modules_unsafe,
    substitute_in_graph,
    wrap_numpy,
)

__all__ = [
    "get_default_backend",
    "is_exporting",
    "keep_portable_guards_unsafe",
    "keep_tensor_guards_unsafe",
    "load_cache_artifacts",
    "nested_compile_region",
    "save_cache_artifacts",
    "set_default_backend",
    "set_enable_guard_collectives",
    "skip_all_guards_unsafe",
    "skip_guard_on_all_nn_modules_unsafe",
    "skip_guard_on_globals_unsafe",
    "skip_guard_on_inbuilt_nn_modules_unsafe",
    "substitute_in_graph",
    "wrap_numpy",
    "allow_in_graph",
    "assume_constant_result",
    "compile",
    "cudagraph_mark_step_begin",
    "disable",
    "is_compiling",
    "is_dynamo_compiling",
    "list_backends",
    "reset",
    "set_stance",
]

MODES = ("default", "lite", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs")


def compile(
    model: Any = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: str | Callable[..., Any] | None = None,
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
    **ignored: Any,
) -> Any:
    """Wrap a function or a module as PyTorch does; it runs eagerly, which is said once.

    Args:
        model: a function, or a module; without it a decorator is returned.
        fullgraph: a program that is no single graph is an error; of no effect on eager execution,
            as is ``dynamic``.
        backend: one of PyTorch's names, all of which run eagerly, or a function. It is called with
            the program's GraphModule and example inputs and gives what runs instead. One graph
            serves the calls with the same shapes, plain values and modes; a program that asks
            tensors for their numbers, or sets attributes, has none and runs eagerly as a whole.
        options: keywords for such a function, as is ``mode``.
        mode: "default", "reduce-overhead", "max-autotune" or "max-autotune-no-cudagraphs".
        disable: return ``model`` itself.

    Raises:
        RuntimeError: both ``mode`` and ``options`` are given, or an unknown ``mode``.
        AssertionError: ``model`` is neither a function nor a module.
        InvalidBackend: no backend has this name. Unsupported: with ``fullgraph``, at the call.
    """
    if mode is not None and options is not None:
        raise RuntimeError(
            "compile: Either mode or options can be specified, but both can't be specified at "
            "the same time."
        )
    if mode is not None and mode not in MODES:
        raise RuntimeError(f"compile: Unrecognized mode={mode}, should be one of: {MODES}")
    settings: dict[str, Any] = {
        "fullgraph": fullgraph, "dynamic": dynamic, "backend": backend, "mode": mode,
        "options": options, "disable": disable,
    }  # fmt: skip
    users = find_backend(backend)
    if model is None:
        return lambda found: compile(found, **settings)
    if disable:
        return model
    from flambeau.nn import Module

    if not isinstance(model, Module) and not callable(model):
        raise AssertionError(
            f"compile: A callable function is expected, or a module, but {type(model)} is provided."
        )
    how = None
    if users is None:
        _say_eager()
    else:
        extra = {"mode": mode, "options": options}
        kept = {key: value for key, value in extra.items() if value not in (None, "default")}
        how = functools.partial(compiled_by, users, fullgraph=fullgraph, extra=kept)
    if isinstance(model, Module):
        from flambeau.compiler.module import OptimizedModule

        return OptimizedModule(model, how)
    return _wrap(model, how)


def _say_eager() -> None:
    warn_once(
        "torch.compile: flambeau has no code generation for whole graphs yet; the model runs "
        "eagerly, with the same results.",
        key="torch.compile",
    )


def _wrap(function: Callable[..., Any], how: Any) -> Callable[..., Any]:
    function = getattr(function, "_torchdynamo_orig_callable", function)
    run = function if how is None else how(function)

    @functools.wraps(function, updated=())
    def compiled(*args: Any, **kwargs: Any) -> Any:
        return run(*args, **kwargs)

    compiled._torchdynamo_orig_callable = function  # type: ignore[attr-defined]
    return compiled


def reset() -> None:
    """Forget the graphs that backends were given: each is made anew at its next call."""
    forget()


def is_compiling() -> bool:
    """Whether the code that asks is being compiled."""
    return False


def is_dynamo_compiling() -> bool:
    """Whether the code that asks is being recorded."""
    return False


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """Mark a function to run eagerly, also inside compiled ones; it does already."""
    return (lambda found: found) if fn is None else fn


def allow_in_graph(fn: Any) -> Any:
    """Mark a function as recorded whole; eager execution needs no mark."""
    return fn


def assume_constant_result(fn: Any) -> Any:
    """Mark a function's result as constant; eager execution calls it every time."""
    return fn


def cudagraph_mark_step_begin() -> None:
    """Mark the start of a step for CUDA graphs: there are none."""


def list_backends(exclude_tags: Iterable[str] = ("debug", "experimental")) -> list[str]:
    """The names of the backends that ``compile`` takes."""
    return sorted([*NAMES, *([] if exclude_tags else DEBUGGING), *REGISTERED])


@contextlib.contextmanager
def set_stance(stance: str = "default", **named: Any) -> Iterator[None]:
    """Say how compiled functions run for a block: eagerly in any case."""
    yield
