"""`script` and `trace` without a compiler: they check, warn once, and give the program back under
TorchScript's classes (`modules`).
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

from flambeau.core.errors import fail
from flambeau.core.provenance import stack_level
from flambeau.futures import Future
from flambeau.jit.modules import (
    RecursiveScriptModule,
    ScriptFunction,
    ScriptModule,
    TopLevelTracedModule,
    TracedModule,
    scripted,
)
from flambeau.nn import Module
from flambeau.nn.parameter import is_lazy

__all__ = [
    "Error",
    "enable_onednn_fusion",
    "fork",
    "freeze",
    "onednn_fusion_enabled",
    "optimize_for_inference",
    "optimized_execution",
    "script",
    "script_if_tracing",
    "script_method",
    "trace",
    "trace_module",
    "wait",
]


class Error(RuntimeError):
    """What a compiled program raises; programs here raise Python's own exceptions."""


@functools.cache
def _say(name: str) -> None:
    warnings.warn(
        f"torch.jit.{name}: flambeau has no TorchScript and runs the Python code itself; "
        f"torch.compile makes programs faster",
        UserWarning,
        stacklevel=stack_level(),
    )


def script(
    obj: Any,
    optimize: Any = None,
    _frames_up: int = 0,
    _rcb: Any = None,
    example_inputs: Any = None,
) -> Any:
    """A function or module under TorchScript's classes, a class itself: all run as the Python they
    are. The first call in a process warns.

    Raises:
        TypeError: it is a number, a text or None. RuntimeError: a parameter has no shape yet.
    """
    if obj is None or isinstance(obj, (bool, int, float, complex, str, bytes)):
        raise TypeError(f"jit.script: {type(obj)} is a built-in class: give a function or module.")
    _say("script")
    if isinstance(obj, Module):
        if isinstance(obj, ScriptModule):
            return obj
        _check_shaped("script", obj)
        return scripted(obj, RecursiveScriptModule, RecursiveScriptModule)
    return ScriptFunction(obj) if isinstance(obj, FunctionType) else obj


def _check_shaped(op: str, module: Module) -> None:
    for name, each in (*module.named_parameters(), *module.named_buffers()):
        if is_lazy(each):
            raise fail(
                RuntimeError,
                f"jit.{op}",
                f"{type(module).__name__} has uninitialized parameters {name}. Did you forget to "
                "run a forward pass?",
            )


def trace(func: Any, example_inputs: Any = None, *args: Any, **kwargs: Any) -> Any:
    """A function or module under TorchScript's classes, run once on the example inputs as a trace
    would; the first call warns.

    Unlike a trace, the result follows the data in its branches and loops.

    Raises:
        RuntimeError: a parameter has no shape yet.
    """
    _say("trace")
    if isinstance(func, Module):
        _check_shaped("trace", func)
    inputs = kwargs.get("example_kwarg_inputs")
    if inputs is not None:
        func(**inputs)
    elif example_inputs is not None:
        func(*(example_inputs if isinstance(example_inputs, (tuple, list)) else [example_inputs]))
    if isinstance(func, Module) and not isinstance(func, ScriptModule):
        return scripted(func, TopLevelTracedModule, TracedModule)
    return ScriptFunction(func) if isinstance(func, FunctionType) else func


def trace_module(mod: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
    """A module under TorchScript's classes, its named methods run once on their inputs."""
    for method, given in inputs.items():
        trace(getattr(mod, method), given)
    return scripted(mod, TopLevelTracedModule, TracedModule)


def script_if_tracing(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function: it would be compiled inside a trace."""
    return fn


def script_method(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The method: it would be compiled."""
    return fn


def freeze(
    mod: Any, preserved_attrs: Any = None, optimize_numerics: bool = True, **kwargs: Any
) -> Any:
    """The module itself.

    Raises:
        RuntimeError: it is in training mode.
    """
    if mod.training:
        raise fail(RuntimeError, "jit.freeze", "expected a module in eval mode: call .eval()")
    return mod


def optimize_for_inference(mod: Any, other_methods: Any = None) -> Any:
    """The module itself, in eval mode."""
    return mod.eval()


def fork(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
    """A future of the call's result; outside a compiled program the call runs at once."""
    future: Future[Any] = Future()
    future.set_result(func(*args, **kwargs))
    return future


def wait(future: Future[Any]) -> Any:
    """The value of a future.

    Raises:
        RuntimeError: there is none.
    """
    if future is None:
        raise RuntimeError("jit.wait: Future can't be None: pass what jit.fork gave")
    return future.wait()


def enable_onednn_fusion(enabled: bool) -> None:
    """Accepted; it means TorchScript's fusions."""


def onednn_fusion_enabled() -> bool:
    """False."""
    return False


@contextlib.contextmanager
def optimized_execution(should_optimize: bool) -> Iterator[None]:
    """Accepted; it means TorchScript's executor."""
    yield
