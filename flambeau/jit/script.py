"""`script` and `trace` without a compiler: they check, warn once, and hand the program back.

Stands on nn for the class `ScriptModule`.
"""

from __future__ import annotations

import contextlib
import functools
import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from flambeau.core.errors import fail
from flambeau.core.provenance import stack_level
from flambeau.futures import Future
from flambeau.nn import Module

__all__ = [
    "Error",
    "ScriptFunction",
    "ScriptModule",
    "enable_onednn_fusion",
    "fork",
    "freeze",
    "load",
    "onednn_fusion_enabled",
    "optimize_for_inference",
    "optimized_execution",
    "save",
    "script",
    "script_if_tracing",
    "script_method",
    "trace",
    "trace_module",
    "wait",
]


class Error(RuntimeError):
    """What a compiled program raises; programs here raise Python's own exceptions."""


class ScriptModule(Module):
    """A module as TorchScript's users derive it: an ordinary one."""


class ScriptFunction:
    """The class of compiled functions; there are none, so nothing is an instance."""


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
    """`obj` itself, a function, module or class; the first call in a process warns.

    Raises:
        TypeError: it is a number, a text or None.
    """
    if obj is None or isinstance(obj, (bool, int, float, complex, str, bytes)):
        raise TypeError(f"jit.script: {type(obj)} is a built-in class: give a function or module.")
    _say("script")
    return obj


def trace(func: Any, example_inputs: Any = None, *args: Any, **kwargs: Any) -> Any:
    """`func` itself, run once on the example inputs as a trace would; the first call warns.

    Unlike a trace, the result follows the data in its branches and loops.
    """
    _say("trace")
    inputs = kwargs.get("example_kwarg_inputs")
    if inputs is not None:
        func(**inputs)
    elif example_inputs is not None:
        func(*(example_inputs if isinstance(example_inputs, (tuple, list)) else [example_inputs]))
    return func


def trace_module(mod: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
    """`mod` itself, its named methods run once on their inputs."""
    for method, given in inputs.items():
        trace(getattr(mod, method), given)
    return mod


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


def _no_files(name: str, instead: str) -> NoReturn:
    raise fail(RuntimeError, f"jit.{name}", f"TorchScript programs are not built here. {instead}")


def save(m: Any, f: Any, _extra_files: Any = None) -> NoReturn:
    """Refused.

    Raises:
        RuntimeError: always.
    """
    _no_files("save", "Save the state dict: torch.save(model.state_dict(), path)")


def load(f: Any, map_location: Any = None, *args: Any, **kwargs: Any) -> NoReturn:
    """Refused.

    Raises:
        ValueError: there is no such file. RuntimeError: always otherwise.
    """
    if isinstance(f, (str, os.PathLike)) and not os.path.exists(f):
        raise ValueError(f"jit.load: The provided filename {f} does not exist.")
    _no_files("load", "Build the model in Python and load a state dict: torch.load(path)")


def fork(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
    """A future of the call's result; outside a compiled program the call runs at once."""
    future: Future[Any] = Future()
    future.set_result(func(*args, **kwargs))
    return future


def wait(future: Future[Any]) -> Any:
    """The value of a future."""
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
