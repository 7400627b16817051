"""The grad modes: no_grad, enable_grad, set_grad_enabled, inference_mode, anomaly detection. Stands
on core.state.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator
from typing import Any

from flambeau.core import state
from flambeau.core.context import alone

__all__ = [
    "detect_anomaly",
    "enable_grad",
    "enforce_grad_layout_policy",
    "inference_mode",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
    "set_multithreading_enabled",
]


class _Switch:
    """A context manager and decorator that changes the thread's mode; may be entered again while it
    is in force.
    """

    def __init__(self) -> None:
        self._tokens: list[Any] = []

    def _changes(self) -> dict[str, Any]:
        raise NotImplementedError

    def clone(self) -> _Switch:
        return type(self)()

    def __enter__(self) -> None:
        self._tokens.append(state.switch(**self._changes()))

    def __exit__(self, *exc: object) -> None:
        state.restore(self._tokens.pop())

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isclass(function):
            function.__init__ = self(function.__init__)  # type: ignore[misc, method-assign]
            return function
        if inspect.isgeneratorfunction(function):
            return self._generator(function)

        @functools.wraps(function)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            with self.clone():
                return function(*args, **kwargs)

        return decorated

    def _generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The mode holds while the generator runs, not between its yields."""

        @functools.wraps(function)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            generator = function(*args, **kwargs)
            sent: Any = None
            error: BaseException | None = None
            while True:
                try:
                    with self.clone():
                        value = generator.send(sent) if error is None else generator.throw(error)
                except StopIteration as stop:
                    return stop.value
                error = sent = None
                try:
                    sent = yield value
                except GeneratorExit:
                    alone(functools.partial(self._close, generator))
                    raise
                except BaseException as raised:
                    error = raised

        return decorated

    def _close(self, generator: Generator[Any, Any, Any]) -> None:
        with self.clone():
            generator.close()


class _FunctionOrSwitch(_Switch):
    """`@no_grad` without parentheses decorates too."""

    def __new__(cls, function: Any = None) -> Any:
        made = super().__new__(cls)
        if function is None:
            return made
        made.__init__()  # type: ignore[misc]
        return made(function)


class no_grad(_FunctionOrSwitch):
    """Operations are not recorded."""

    def __enter__(self) -> None:
        self._tokens.append(state.switch_grad(False))


class enable_grad(_FunctionOrSwitch):
    """Operations are recorded, inside `no_grad` too."""

    def __enter__(self) -> None:
        self._tokens.append(state.switch_grad(True))


class set_grad_enabled(_Switch):
    """Set grad mode at once; as a context manager, until the block's end.

    Args:
        mode: True records, False does not.

    Raises:
        TypeError: `mode` is no bool.
    """

    def __init__(self, mode: bool) -> None:
        super().__init__()
        if type(mode) is not bool:
            kind = type(mode).__name__
            raise TypeError(f"set_grad_enabled: argument 'enabled' must be bool, not {kind}.")
        self.mode = mode
        self._before = state.current().grad
        state.switch_grad(self.mode)

    def __enter__(self) -> None:
        state.switch_grad(self.mode)

    def __exit__(self, *exc: object) -> None:
        state.switch_grad(self._before)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        state.switch_grad(self._before)
        return super().__call__(function)

    def clone(self) -> set_grad_enabled:
        return type(self)(self.mode)

    def __str__(self) -> str:
        return f"set_grad_enabled(mode={self.mode})"


class inference_mode(_Switch):
    """No recording, and results that may never be recorded later.

    Args:
        mode: False leaves inference mode inside a block in which it holds.
    """

    def __new__(cls, mode: Any = True) -> Any:
        made = super().__new__(cls)
        if isinstance(mode, bool):
            return made
        made.__init__()  # type: ignore[misc]
        return made(mode)

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self.mode = mode

    def _changes(self) -> dict[str, Any]:
        return {"grad": not self.mode, "inference": self.mode}

    def __enter__(self) -> None:
        if self.mode:
            self._tokens.append(state.switch_inference())
        else:
            super().__enter__()

    def clone(self) -> inference_mode:
        return type(self)(self.mode)


def is_grad_enabled() -> bool:
    """Whether grad mode holds in this thread."""
    return state.current().grad


def is_inference_mode_enabled() -> bool:
    """Whether inference mode holds in this thread."""
    return state.current().inference


class detect_anomaly(_Switch):
    """Name the forward call whose backward failed or made a NaN.

    Args:
        check_nan: raise when a backward returns NaN.
    """

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__()
        self.check_nan = check_nan
        import warnings

        from flambeau.core.provenance import stack_level

        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should "
            "only be enabled for debugging.",
            UserWarning,
            stacklevel=stack_level(),
        )

    def _changes(self) -> dict[str, Any]:
        return {"anomaly": "nan" if self.check_nan else "trace"}

    def clone(self) -> detect_anomaly:
        return self


class set_detect_anomaly(_Switch):
    """Switch anomaly detection at once; as a context manager, until the block's end."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        super().__init__()
        self._before = state.current().anomaly
        self._mode = ("nan" if check_nan else "trace") if mode else None
        state.switch(anomaly=self._mode)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exc: object) -> None:
        state.switch(anomaly=self._before)


def is_anomaly_enabled() -> bool:
    """Whether anomaly detection is on."""
    return bool(state.current().anomaly)


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly detection looks for NaN, or would, were it on."""
    return state.current().anomaly != "trace"


def set_anomaly_enabled(mode: bool, check_nan: bool = True) -> None:
    """Switch anomaly detection of this thread, without the warning of `detect_anomaly`."""
    state.switch(anomaly=("nan" if check_nan else "trace") if mode else None)


class set_multithreading_enabled:
    """Choose whether backward may use several threads. Here it runs in the thread that calls it,
    so the choice is kept and changes nothing.

    Args:
        mode: the choice. As a context manager it holds for a block.
    """

    chosen = True

    def __init__(self, mode: bool) -> None:
        self.mode = mode
        self._before = set_multithreading_enabled.chosen
        set_multithreading_enabled.chosen = mode

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        set_multithreading_enabled.chosen = self._before

    def clone(self) -> set_multithreading_enabled:
        """Another one like it."""
        return set_multithreading_enabled(self.mode)


class enforce_grad_layout_policy:
    """Choose whether a gradient is kept in its parameter's strides. Gradients always are here.

    Args:
        enable: the choice, for the block.
    """

    def __init__(self, enable: bool = True) -> None:
        self.enable = enable

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        pass
