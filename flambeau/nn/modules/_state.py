"""A module's state as a flat dictionary: ``state_dict`` and ``load_state_dict``, with their hooks.

Keys are dotted paths. Stands on the tables of Module (``_parameters``, ``_buffers``,
``_modules``); files and formats are the serialization room's.
"""

from __future__ import annotations

import warnings
import weakref
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Mapping
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.handles import RemovableHandle
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor
from flambeau.nn.parameter import Parameter, is_lazy

_EXTRA_STATE_KEY_SUFFIX = "_extra_state"


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What a lenient ``load_state_dict`` could not match."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


class _WrappedHook:
    """A load pre-hook, called with its module first if it asked for it."""

    def __init__(self, hook: Callable, module: Any = None) -> None:
        self.hook = hook
        self.with_module = module is not None
        # The module holds its hooks: held by one of them in turn, it would outlive its last user.
        self.module = weakref.ref(module) if self.with_module else None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.module is not None:
            return self.hook(self.module(), *args, **kwargs)
        return self.hook(*args, **kwargs)

    def __getstate__(self) -> Any:
        return self.hook, self.module and self.module()

    def __setstate__(self, state: Any) -> None:
        self.__init__(*state)  # type: ignore[misc]


class StateDict:
    """The part of Module that reads and writes state dictionaries."""

    def get_extra_state(self) -> Any:
        """Further state to put into ``state_dict()``; override together with the setter."""
        raise fail(
            RuntimeError,
            f"{type(self).__name__}.get_extra_state",
            "the module has no extra state. Override get_extra_state and set_extra_state.",
        )

    def set_extra_state(self, state: Any) -> None:
        """Take back what ``get_extra_state`` gave."""
        raise fail(
            RuntimeError,
            f"{type(self).__name__}.set_extra_state",
            "the module takes no extra state. Override get_extra_state and set_extra_state.",
        )

    def _register_state_dict_hook(self, hook: Callable) -> RemovableHandle:
        """As ``register_state_dict_post_hook``, but the hook may return another dictionary."""
        if getattr(hook, "_from_public_api", False):
            raise fail(
                RuntimeError,
                "_register_state_dict_hook",
                "this hook was registered through register_state_dict_post_hook before. Give "
                "each its own function.",
            )
        handle = RemovableHandle(self._state_dict_hooks)
        self._state_dict_hooks[handle.id] = hook
        return handle

    def register_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` after saving, in place."""
        hook._from_public_api = True
        handle = RemovableHandle(self._state_dict_hooks)
        self._state_dict_hooks[handle.id] = hook
        return handle

    def register_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before ``state_dict`` reads the module."""
        handle = RemovableHandle(self._state_dict_pre_hooks)
        self._state_dict_pre_hooks[handle.id] = hook
        return handle

    def _save_to_state_dict(
        self, destination: dict[str, Any], prefix: str, keep_vars: bool
    ) -> None:
        """Write this module's own state, not its children's, under ``prefix``."""
        for name, parameter in self._parameters.items():
            if parameter is not None:
                destination[prefix + name] = parameter if keep_vars else parameter.detach()
        transient = self._non_persistent_buffers_set
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in transient:
                destination[prefix + name] = buffer if keep_vars else buffer.detach()
        if type(self).get_extra_state is not StateDict.get_extra_state:
            destination[prefix + _EXTRA_STATE_KEY_SUFFIX] = self.get_extra_state()

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> Any:
        """All parameters and persistent buffers by dotted path.

        Args:
            destination: a mapping to fill and return (default: a new OrderedDict).
            prefix: put in front of every key.
            keep_vars: give the tensors themselves; else detached ones on the same storage.

        Example:
            >>> import flambeau as torch
            >>> list(torch.nn.Linear(2, 1).state_dict())
            ['weight', 'bias']
        """
        if args:
            warnings.warn(
                "Positional args are being deprecated, use kwargs instead.",
                FutureWarning,
                stacklevel=stack_level(),
            )
            destination = args[0] if destination is None else destination
            prefix = args[1] if len(args) > 1 and prefix == "" else prefix
            keep_vars = args[2] if len(args) > 2 and keep_vars is False else keep_vars
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        local_metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = local_metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(
                    destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars
                )
        for hook in self._state_dict_hooks.values():
            replaced = hook(self, destination, prefix, local_metadata)
            if replaced is None:
                continue
            if getattr(hook, "_from_public_api", False):
                raise fail(
                    RuntimeError,
                    "register_state_dict_post_hook",
                    "state_dict post-hook must return None: change the dictionary in place.",
                )
            destination = replaced
        return destination

    def _register_load_state_dict_pre_hook(
        self, hook: Callable, with_module: bool = False
    ) -> RemovableHandle:
        """Call ``hook`` with the arguments of ``_load_from_state_dict`` before it runs."""
        handle = RemovableHandle(self._load_state_dict_pre_hooks)
        wrapped = _WrappedHook(hook, self if with_module else None)
        self._load_state_dict_pre_hooks[handle.id] = wrapped
        return handle

    def register_load_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, ...)`` before loading; it may edit in place."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def register_load_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` after loading; edit the keys in place."""
        handle = RemovableHandle(self._load_state_dict_post_hooks)
        self._load_state_dict_post_hooks[handle.id] = hook
        return handle

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Load this module's own state, not its children's; problems go into the three lists."""
        for hook in self._load_state_dict_pre_hooks.values():
            hook(
                state_dict,
                prefix,
                local_metadata,
                strict,
                missing_keys,
                unexpected_keys,
                error_msgs,
            )
        transient = self._non_persistent_buffers_set
        owned = {name: p for name, p in self._parameters.items() if p is not None}
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in transient:
                owned[name] = buffer

        assign = local_metadata.get("assign_to_params_buffers", False)
        for name, current in owned.items():
            key = prefix + name
            if key in state_dict:
                problem = self._load_one(name, key, current, state_dict[key], assign)
                if problem is not None:
                    error_msgs.append(problem)
            elif strict:
                missing_keys.append(key)

        extra_key = prefix + _EXTRA_STATE_KEY_SUFFIX
        if type(self).set_extra_state is not StateDict.set_extra_state:
            if extra_key in state_dict:
                self.set_extra_state(state_dict[extra_key])
            elif strict:
                missing_keys.append(extra_key)
        elif strict and extra_key in state_dict:
            unexpected_keys.append(extra_key)

        if strict:
            for key in state_dict:
                if not key.startswith(prefix) or key == extra_key:
                    continue
                head, dot, _ = key[len(prefix) :].partition(".")
                if head not in (self._modules if dot else owned):
                    unexpected_keys.append(key)

    def _load_one(
        self, name: str, key: str, current: Tensor, given: Any, assign: bool
    ) -> str | None:
        """Copy or assign one tensor; what went wrong, or None."""
        if not (isinstance(given, Tensor) or hasattr(type(given), "__torch_function__")):
            return (
                f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like '
                f"object from checkpoint but received {type(given)}"
            )
        if not is_lazy(current):
            # Checkpoints older than 0.4 store scalars with one dimension.
            if len(current.shape) == 0 and tuple(given.shape) == (1,):
                given = given[0]
            if given.shape != current.shape:
                return (
                    f"size mismatch for {key}: copying a param with shape {given.shape} from "
                    f"checkpoint, the shape in current model is {current.shape}."
                )
        if current.is_meta and not given.is_meta and not assign:
            warnings.warn(
                f"for {key}: copying from a non-meta parameter in the checkpoint to a meta "
                "parameter in the current model, which is a no-op. (Did you mean to pass "
                "`assign=True` to assign items in the state dictionary to their corresponding "
                "key in the module instead of copying them in place?)",
                stacklevel=stack_level(),
            )
        try:
            with flambeau.no_grad():
                if not assign:
                    current.copy_(given)
                    return None
                if isinstance(current, Parameter):
                    if isinstance(given, Parameter):
                        given.requires_grad_(current.requires_grad)
                    else:
                        given = Parameter(given, requires_grad=current.requires_grad)
                setattr(self, name, given)
        except Exception as error:
            return (
                f'While copying the parameter named "{key}", whose dimensions in the model are '
                f"{current.size()} and whose dimensions in the checkpoint are {given.size()}, an "
                f"exception occurred : {error.args}."
            )
        return None

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> _IncompatibleKeys:
        """Copy tensors from a state dictionary into this module and its descendants.

        Args:
            state_dict: as ``state_dict()`` gave it.
            strict: keys must match exactly, else an error lists those missing and unexpected.
            assign: take the given tensors themselves (device and dtype included) instead of
                copying their values.

        Returns:
            ``missing_keys`` and ``unexpected_keys``, for ``strict=False``.

        Raises:
            TypeError: ``state_dict`` is no mapping.
            RuntimeError: all problems at once, one a line: keys, then shapes.
        """
        if not isinstance(state_dict, Mapping):
            raise fail(
                TypeError,
                "load_state_dict",
                f"Expected state_dict to be dict-like, got {type(state_dict)}. Pass what "
                "state_dict() or torch.load returned.",
            )
        metadata = getattr(state_dict, "_metadata", None)
        local: Any = OrderedDict(state_dict)
        if metadata is not None:
            local._metadata = metadata
        missing: list[str] = []
        unexpected: list[str] = []
        errors: list[str] = []
        _load_tree(self, local, "", metadata, assign, missing, unexpected, errors)
        if strict:
            for label, keys in (("Unexpected", unexpected), ("Missing", missing)):
                if keys:
                    listed = ", ".join(f'"{key}"' for key in keys)
                    errors.insert(0, f"{label} key(s) in state_dict: {listed}. ")
        if errors:
            from flambeau.nn.modules._mismatch import mend
            from flambeau.nn.modules._unregistered import unregistered

            hidden = unregistered(self) if unexpected else []  # type: ignore[arg-type]
            errors += [f"Not registered: {text}." for text in hidden]
            told = mend(self.state_dict(), state_dict, missing)
            errors += [told] if told else []
            name = type(self).__name__
            lines = "\n\t".join(errors)
            raise RuntimeError(f"Error(s) in loading state_dict for {name}:\n\t{lines}")
        return _IncompatibleKeys(missing, unexpected)


def _load_tree(
    module: Any,
    state: dict[str, Any],
    prefix: str,
    metadata: Any,
    assign: bool,
    missing: list[str],
    unexpected: list[str],
    errors: list[str],
) -> None:
    """Load a module, then its children from their part of the dictionary."""
    local_metadata = {} if metadata is None else metadata.get(prefix[:-1], {})
    if assign:
        local_metadata["assign_to_params_buffers"] = assign
    module._load_from_state_dict(state, prefix, local_metadata, True, missing, unexpected, errors)
    for name, child in module._modules.items():
        if child is not None:
            below = f"{prefix}{name}."
            part = {key: value for key, value in state.items() if key.startswith(below)}
            _load_tree(child, part, below, metadata, assign, missing, unexpected, errors)
    keys = _IncompatibleKeys(missing, unexpected)
    for hook in module._load_state_dict_post_hooks.values():
        if hook(module, keys) is not None:
            raise fail(
                AssertionError,
                "register_load_state_dict_post_hook",
                "the hook returned a value. Change incompatible_keys in place and return None.",
            )
