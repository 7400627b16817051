"""Hooks around a module's call: the tables, their registration, and the hooked call itself.

Per-module tables live in the instance; the global ones (every module of the process) here.
``Module.__call__`` asks whether any table is filled and only then comes to ``run_hooked``.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from flambeau.core.errors import fail
from flambeau.core.handles import RemovableHandle
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor
from flambeau.nn.modules._backward_hook import BackwardHook, attach_last_node_hooks

_global_buffer_registration_hooks: dict[int, Callable] = OrderedDict()
_global_module_registration_hooks: dict[int, Callable] = OrderedDict()
_global_parameter_registration_hooks: dict[int, Callable] = OrderedDict()

_global_backward_pre_hooks: dict[int, Callable] = OrderedDict()
_global_backward_hooks: dict[int, Callable] = OrderedDict()
_global_forward_pre_hooks: dict[int, Callable] = OrderedDict()
_global_forward_hooks: dict[int, Callable] = OrderedDict()
_global_forward_hooks_with_kwargs: dict[int, bool] = OrderedDict()
_global_forward_hooks_always_called: dict[int, bool] = OrderedDict()
# None: no global backward hook registered yet; else their common generation.
_global_is_full_backward_hook: bool | None = None


def _add(table: Any, hook: Callable, extra: Any = None, prepend: bool = False) -> RemovableHandle:
    """Put a hook into a table; its handle also clears the flags kept in ``extra``."""
    handle = RemovableHandle(table, extra_dict=extra)
    table[handle.id] = hook
    if prepend:
        table.move_to_end(handle.id, last=False)
    return handle


def _has_any_global_hook() -> bool:
    """Whether any call of any module is hooked."""
    return bool(
        _global_backward_pre_hooks
        or _global_backward_hooks
        or _global_forward_pre_hooks
        or _global_forward_hooks
    )


def register_module_buffer_registration_hook(hook: Callable) -> RemovableHandle:
    """Call ``hook(module, name, buffer)`` at every buffer registration; may replace it."""
    return _add(_global_buffer_registration_hooks, hook)


def register_module_module_registration_hook(hook: Callable) -> RemovableHandle:
    """Call ``hook(module, name, submodule)`` at every registration; may replace it."""
    return _add(_global_module_registration_hooks, hook)


def register_module_parameter_registration_hook(hook: Callable) -> RemovableHandle:
    """Call ``hook(module, name, parameter)`` at every registration; may replace it."""
    return _add(_global_parameter_registration_hooks, hook)


def register_module_forward_pre_hook(hook: Callable) -> RemovableHandle:
    """Call ``hook(module, args)`` before every module's forward; may replace the arguments."""
    return _add(_global_forward_pre_hooks, hook)


def register_module_forward_hook(
    hook: Callable, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call ``hook(module, args, output)`` after every module's forward; may replace the output.

    Args:
        hook: the function.
        with_kwargs: call it with ``(module, args, kwargs, output)``.
        always_call: call it even if the forward raises.
    """
    flags = [_global_forward_hooks_with_kwargs, _global_forward_hooks_always_called]
    handle = _add(_global_forward_hooks, hook, flags)
    if with_kwargs:
        _global_forward_hooks_with_kwargs[handle.id] = True
    if always_call:
        _global_forward_hooks_always_called[handle.id] = True
    return handle


def register_module_backward_hook(hook: Callable) -> RemovableHandle:
    """The older generation of backward hooks, on every module; see the full one."""
    _claim_global_generation(full=False)
    return _add(_global_backward_hooks, hook)


def register_module_full_backward_pre_hook(hook: Callable) -> RemovableHandle:
    """Call ``hook(module, grad_output)`` before every module's backward."""
    return _add(_global_backward_pre_hooks, hook)


def register_module_full_backward_hook(hook: Callable) -> RemovableHandle:
    """Call ``hook(module, grad_input, grad_output)`` in every module's backward."""
    _claim_global_generation(full=True)
    return _add(_global_backward_hooks, hook)


def _claim_global_generation(full: bool) -> None:
    global _global_is_full_backward_hook
    if _global_is_full_backward_hook not in (None, full):
        raise _mixed_generations("as global Module hooks")
    _global_is_full_backward_hook = full


def _mixed_generations(where: str) -> BaseException:
    return fail(
        RuntimeError,
        "register_backward_hook",
        f"Cannot use both regular backward hooks and full backward hooks {where}. Please use "
        "only one of them.",
    )


class HookedCall:
    """The part of Module that registers hooks and runs a call that has some."""

    _is_full_backward_hook: bool | None

    def register_forward_pre_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before forward; a result replaces the arguments.

        Args:
            hook: the function.
            prepend: run before the hooks already registered.
            with_kwargs: call ``hook(module, args, kwargs)``, result ``(args, kwargs)`` or None.
        """
        table = self._forward_pre_hooks
        handle = _add(table, hook, self._forward_pre_hooks_with_kwargs, prepend)
        if with_kwargs:
            self._forward_pre_hooks_with_kwargs[handle.id] = True
        return handle

    def register_forward_hook(
        self,
        hook: Callable,
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after forward; a result replaces the output.

        Args:
            hook: the function.
            prepend: run before the hooks already registered.
            with_kwargs: call ``hook(module, args, kwargs, output)``.
            always_call: call it even if forward raises.
        """
        flags = [self._forward_hooks_with_kwargs, self._forward_hooks_always_called]
        handle = _add(self._forward_hooks, hook, flags, prepend)
        if with_kwargs:
            self._forward_hooks_with_kwargs[handle.id] = True
        if always_call:
            self._forward_hooks_always_called[handle.id] = True
        return handle

    def register_backward_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` at the last node of the forward.

        The older generation: the gradients are those of the forward's last operation, not of
        the module, and a FutureWarning says so where the two differ. Prefer
        ``register_full_backward_hook``.
        """
        if self._is_full_backward_hook is True:
            raise _mixed_generations("on a single Module")
        self._is_full_backward_hook = False
        return _add(self._backward_hooks, hook)

    def register_full_backward_pre_hook(
        self, hook: Callable, prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` before the module's backward; may replace it."""
        return _add(self._backward_pre_hooks, hook, prepend=prepend)

    def register_full_backward_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)``; a result replaces grad_input.

        Both are tuples with an entry per positional argument and per output, None where that
        is no tensor or needs no gradient.
        """
        if self._is_full_backward_hook is False:
            raise _mixed_generations("on a single Module")
        self._is_full_backward_hook = True
        return _add(self._backward_hooks, hook, prepend=prepend)

    def _get_backward_hooks(self) -> tuple[list[Callable], list[Callable]]:
        """The backward hooks in force, global ones first: (full, older generation)."""
        full: list[Callable] = []
        older: list[Callable] = []
        if _global_is_full_backward_hook is True:
            full += _global_backward_hooks.values()
        else:
            older += _global_backward_hooks.values()
        if self._is_full_backward_hook is True:
            full += self._backward_hooks.values()
        else:
            older += self._backward_hooks.values()
        return full, older

    def _get_backward_pre_hooks(self) -> list[Callable]:
        """The backward pre-hooks in force, global ones first."""
        return [*_global_backward_pre_hooks.values(), *self._backward_pre_hooks.values()]

    def _run_hooked(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The call with every hook; those of ``always_call`` run even if it raises."""
        progress = _Progress(args, kwargs)
        try:
            return self._run_hooks(progress)
        except Exception:
            self._run_always_called(progress)
            raise

    def _run_hooks(self, call: _Progress) -> Any:
        full, older = self._get_backward_hooks()
        pre_hooks = self._get_backward_pre_hooks()
        self._run_pre_hooks(call)

        backward_hook = None
        if full or pre_hooks:
            backward_hook = BackwardHook(self, full, pre_hooks)
            call.args = backward_hook.setup_input_hook(call.args)

        call.result = self.forward(*call.args, **call.kwargs)

        for key, hook in (*_global_forward_hooks.items(), *self._forward_hooks.items()):
            call.called.add(key)
            if key in self._forward_hooks_with_kwargs or key in _global_forward_hooks_with_kwargs:
                replaced = hook(self, call.args, call.kwargs, call.result)
            else:
                replaced = hook(self, call.args, call.result)
            if replaced is not None:
                call.result = replaced

        if backward_hook is not None:
            if not isinstance(call.result, (Tensor, tuple)):
                warnings.warn(
                    "For backward hooks to be called, module output should be a Tensor or a "
                    f"tuple of Tensors but received {type(call.result)}",
                    stacklevel=stack_level(),
                )
            call.result = backward_hook.setup_output_hook(call.result)
        if older:
            attach_last_node_hooks(self, older, call.args, call.result)
        return call.result

    def _run_pre_hooks(self, call: _Progress) -> None:
        for key, hook in (*_global_forward_pre_hooks.items(), *self._forward_pre_hooks.items()):
            if key in self._forward_pre_hooks_with_kwargs:
                replaced = hook(self, call.args, call.kwargs)
                if replaced is None:
                    continue
                if not (isinstance(replaced, tuple) and len(replaced) == 2):
                    raise fail(
                        RuntimeError,
                        "register_forward_pre_hook",
                        "forward pre-hook must return None or a tuple of (new_args, new_kwargs), "
                        f"but got a {type(replaced).__name__}.",
                    )
                call.args, call.kwargs = replaced
            else:
                replaced = hook(self, call.args)
                if replaced is not None:
                    call.args = replaced if isinstance(replaced, tuple) else (replaced,)

    def _run_always_called(self, call: _Progress) -> None:
        """After an error: the ``always_call`` hooks that have not run yet."""
        for table, always, which in (
            (_global_forward_hooks, _global_forward_hooks_always_called, "global module"),
            (self._forward_hooks, self._forward_hooks_always_called, "module"),
        ):
            for key, hook in table.items():
                if key not in always or key in call.called:
                    continue
                try:
                    if key in self._forward_hooks_with_kwargs:
                        replaced = hook(self, call.args, call.kwargs, call.result)
                    else:
                        replaced = hook(self, call.args, call.result)
                    if replaced is not None:
                        call.result = replaced
                except Exception as error:
                    warnings.warn(
                        f"{which} forward hook with ``always_call=True`` raised an exception "
                        f"that was silenced as another error was raised in forward: {error}",
                        stacklevel=stack_level(),
                    )


class _Progress:
    """What a hooked call has so far; the error path reads it."""

    __slots__ = ("args", "called", "kwargs", "result")

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args = args
        self.kwargs = kwargs
        self.result: Any = None
        self.called: set[int] = set()
