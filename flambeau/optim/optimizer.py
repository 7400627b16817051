"""The base of every optimizer: parameter groups, state, hooks, checkpoints.

Each optimizer is a file of its own; `elementwise` drives those whose update treats every element
alike. Stands on core's tensors and on autograd's grad modes.
"""

from __future__ import annotations

import functools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import chain
from typing import Any, TypeAlias

import flambeau
from flambeau.core.errors import fail
from flambeau.core.handles import RemovableHandle
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor

__all__ = [
    "Optimizer",
    "ParamsT",
    "register_optimizer_step_post_hook",
    "register_optimizer_step_pre_hook",
    "required",
]

ParamsT: TypeAlias = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]
StateDict: TypeAlias = dict[str, Any]

_global_pre_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
_global_post_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()

_HOOK_TABLES = (
    "_optimizer_step_pre_hooks",
    "_optimizer_step_post_hooks",
    "_optimizer_state_dict_pre_hooks",
    "_optimizer_state_dict_post_hooks",
    "_optimizer_load_state_dict_pre_hooks",
    "_optimizer_load_state_dict_post_hooks",
)


class _Required:
    """Marks an option without a default: each parameter group must give it."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` before the step of every optimizer; it may return new
    (args, kwargs)."""
    return _register(_global_pre_hooks, hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` after the step of every optimizer."""
    return _register(_global_post_hooks, hook)


def _register(table: OrderedDict[int, Any], hook: Any, prepend: bool = False) -> RemovableHandle:
    handle = RemovableHandle(table)
    table[handle.id] = hook
    if prepend:
        table.move_to_end(handle.id, last=False)
    return handle


def _parts(params: ParamsT, name: str) -> Iterable[Any]:
    """What there is to go through; a model, or its method without a call, is not."""
    try:
        return iter(params)
    except TypeError as error:
        mend = "Call it" if callable(params) else "Give a list"
        if hasattr(params, "parameters"):
            mend = "Give its parameters()"
        raise fail(TypeError, name, f"{error}: params are Tensors or dicts. {mend}.") from None


def _type_name(value: Any) -> str:
    kind = type(value)
    return (
        "torch.FloatTensor"
        if isinstance(value, Tensor)
        else f"{kind.__module__}.{kind.__qualname__}"
    )


class Optimizer:
    """Base class of all optimizers.

    Args:
        params: tensors, (name, tensor) pairs or dicts, each dict a group with its own options; in
            an order that is the same in every run (no set).
        defaults: the options of a group that does not give them.

    Raises:
        TypeError: params is one tensor, or holds something that is no tensor.
        ValueError: no parameters; a parameter that is no leaf, or that stands in two groups.
    """

    OptimizerPreHook: TypeAlias = Callable[..., Any]
    OptimizerPostHook: TypeAlias = Callable[..., Any]

    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self._complete()
        if isinstance(params, Tensor):
            raise fail(
                TypeError,
                type(self).__name__,
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {_type_name(params)}. Put it into a list.",
            )
        self.state: defaultdict[Any, Any] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        source = getattr(getattr(params, "gi_frame", None), "f_locals", {}).get("self")
        groups: list[Any] = list(_parts(params, type(self).__name__))
        if not groups:
            from flambeau.nn.modules._unregistered import unregistered

            found = [] if source is None else unregistered(source)
            raise fail(
                ValueError,
                type(self).__name__,
                "optimizer got an empty parameter list. "
                + (
                    f"{type(source).__name__} holds what it has not registered: {'; '.join(found)}."
                    if found
                    else "A generator (model.parameters()) can be read once; layers in a plain "
                    "Python list are not registered, use nn.ModuleList."
                ),
            )
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)
        self._warned_capturable_if_run_uncaptured = True

    def _complete(self) -> None:
        """Give a new or unpickled optimizer what is not part of its state."""
        for name in _HOOK_TABLES:
            self.__dict__.setdefault(name, OrderedDict())
        self._patch_step_function()

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._complete()
        self.defaults.setdefault("differentiable", False)

    def __repr__(self) -> str:
        text = f"{type(self).__name__} ("
        for number, group in enumerate(self.param_groups):
            text += f"\nParameter Group {number}\n"
            text += "".join(
                f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params"
            )
        return text + ")"

    @staticmethod
    def profile_hook_step(func: Callable[..., Any]) -> Callable[..., Any]:
        """The step with the hooks of this optimizer and of all optimizers around it."""

        @functools.wraps(func)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            self = args[0]
            if not (
                self._optimizer_step_pre_hooks
                or self._optimizer_step_post_hooks
                or _global_pre_hooks
                or _global_post_hooks
            ):
                return func(*args, **kwargs)
            before = chain(_global_pre_hooks.values(), self._optimizer_step_pre_hooks.values())
            for hook in list(before):
                result = hook(self, args, kwargs)
                if result is None:
                    continue
                if not (isinstance(result, tuple) and len(result) == 2):
                    raise fail(
                        RuntimeError,
                        f"{type(self).__name__}.step",
                        f"a step pre-hook must return None or a tuple of (new_args, new_kwargs), "
                        f"but got {result}.",
                    )
                args, kwargs = result
            out = func(*args, **kwargs)
            after = chain(self._optimizer_step_post_hooks.values(), _global_post_hooks.values())
            for hook in list(after):
                hook(self, args, kwargs)
            return out

        return wrapper

    def _patch_step_function(self) -> None:
        kind = type(self)
        if not getattr(kind.step, "hooked", False):
            kind.step = self.profile_hook_step(kind.step)  # type: ignore[method-assign]
            kind.step.hooked = True  # type: ignore[attr-defined]

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter once by its gradient.

        Args:
            closure: computes the loss anew (with gradients) and returns it; most optimizers need
                none.
        """
        raise NotImplementedError

    @staticmethod
    def _loss(closure: Callable[[], Any] | None) -> Any:
        if closure is None:
            return None
        with flambeau.enable_grad():
            return closure()

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters; with ``set_to_none=False`` fill them with zeros
        instead.

        A parameter whose gradient is None is skipped by `step`, one whose gradient is zero is not.
        """
        for group in self.param_groups:
            for p in group["params"]:
                grad = p._grad
                if grad is None:
                    continue
                if set_to_none:
                    p._grad = None
                    continue
                if grad.grad_fn is not None:
                    grad.detach_()
                else:
                    grad.requires_grad_(False)
                grad.zero_()

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters with its own options (``{"params": ..., "lr": ...}``)."""
        name = f"{type(self).__name__}.add_param_group"
        if not isinstance(param_group, dict):
            raise fail(TypeError, name, f"param_group must be a dict, but got {type(param_group)}")
        given = param_group["params"]
        if isinstance(given, set):
            raise fail(
                TypeError,
                name,
                "optimizer parameters need to be organized in ordered collections, but the order "
                "of a set changes "
                "between runs. Use a list.",
            )
        given = [given] if isinstance(given, Tensor) else list(given)
        names = [item[0] for item in given if isinstance(item, tuple)]
        params = [item[1] if isinstance(item, tuple) else item for item in given]
        param_group["params"] = params
        if names:
            if len(names) != len(params):
                raise fail(
                    ValueError,
                    name,
                    "all optimizer params should be with/without names. Some param names are "
                    "missing",
                )
            param_group["param_names"] = names
        self._check_params(name, params)
        for option, default in self.defaults.items():
            if default is required and option not in param_group:
                raise fail(
                    ValueError,
                    name,
                    f"parameter group didn't specify a value of required optimization parameter "
                    f"{option}",
                )
            param_group.setdefault(option, default)
        if len(params) != len({id(p) for p in params}):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this "
                "will cause an error; "
                "see github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=stack_level(),
            )
        self._check_against_other_groups(name, param_group)
        self.param_groups.append(param_group)

    def _check_params(self, name: str, params: list[Any]) -> None:
        for p in params:
            if not isinstance(p, Tensor):
                raise fail(
                    TypeError,
                    name,
                    f"optimizer can only optimize Tensors, but one of the params is "
                    f"{_type_name(p)}",
                )
            if not self.defaults.get("differentiable") and not (p.is_leaf or p.retains_grad):
                raise fail(
                    ValueError,
                    name,
                    "can't optimize a non-leaf Tensor: it is the result of an operation "
                    f"({p.grad_fn}), its gradient is not kept. Make it with "
                    f".detach().requires_grad_() or nn.Parameter.",
                )

    def _check_against_other_groups(self, name: str, param_group: dict[str, Any]) -> None:
        seen: set[int] = set()
        named = "param_names" in param_group
        for group in self.param_groups:
            seen.update(id(p) for p in group["params"])
            if named != ("param_names" in group):
                raise fail(
                    ValueError,
                    name,
                    "all optimizer param groups should be with/without names. cannot add param "
                    "group "
                    f"{'with' if named else 'without'} names to the optimizer",
                )
        if any(id(p) in seen for p in param_group["params"]):
            raise fail(
                ValueError,
                name,
                "some parameters appear in more than one parameter group: each would be changed "
                "twice a step",
            )

    def state_dict(self) -> StateDict:
        """``{"state": {number: state}, "param_groups": [options with the numbers of their
        parameters]}``.

        The tensors are the optimizer's own, not copies. Parameters are numbered in the order of the
        groups.
        """
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        numbers: dict[int, int] = {}
        groups = []
        start = 0
        for group in self.param_groups:
            for number, p in enumerate(group["params"], start):
                numbers.setdefault(id(p), number)
            start += len(group["params"])
            packed = {key: value for key, value in group.items() if key != "params"}
            packed["params"] = [numbers[id(p)] for p in group["params"]]
            groups.append(packed)
        state = {
            (numbers[id(key)] if isinstance(key, Tensor) else key): value
            for key, value in self.state.items()
        }
        packed_state: StateDict = {"state": state, "param_groups": groups}
        for hook in self._optimizer_state_dict_post_hooks.values():
            result = hook(self, packed_state)
            if result is not None:
                packed_state = result
        return packed_state

    def load_state_dict(self, state_dict: StateDict) -> None:
        """Take over options and state; parameters are matched by their order, tensors are cast to
        their parameter's dtype.

        Raises:
            ValueError: the number of groups, or of the parameters in a group, differs.
        """
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            result = hook(self, state_dict)
            if result is not None:
                state_dict = result
        groups = self.param_groups
        saved_groups = deepcopy(state_dict["param_groups"])
        name = f"{type(self).__name__}.load_state_dict"
        if len(groups) != len(saved_groups):
            raise fail(
                ValueError,
                name,
                "loaded state dict has a different number of parameter groups: "
                f"{len(saved_groups)}, the optimizer has {len(groups)}",
            )
        for number, (group, saved) in enumerate(zip(groups, saved_groups, strict=True)):
            if len(group["params"]) != len(saved["params"]):
                raise fail(
                    ValueError,
                    name,
                    "loaded state dict contains a parameter group that doesn't match the size of "
                    "optimizer's group: "
                    f"group {number} has {len(saved['params'])} parameters, the optimizer's "
                    f"{len(group['params'])}",
                )
        by_number = dict(
            zip(
                chain.from_iterable(g["params"] for g in saved_groups),
                chain.from_iterable(g["params"] for g in groups),
                strict=True,
            )
        )
        state: defaultdict[Any, Any] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in by_number:
                state[by_number[key]] = _cast(
                    by_number[key], value, key, state_dict["param_groups"], None
                )
            else:
                state[key] = value
        for group, saved in zip(groups, saved_groups, strict=True):
            saved["params"] = group["params"]
            if "param_names" in group:
                saved.setdefault("param_names", group["param_names"])
        self.__setstate__({"state": state, "param_groups": saved_groups})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    @staticmethod
    def _process_value_according_to_param_policy(
        param: Tensor,
        value: Tensor,
        param_id: int,
        param_groups: list[dict[str, Any]],
        key: Any = None,
    ) -> Tensor:
        """A loaded tensor in its parameter's dtype and on its device; the step count keeps its own
        dtype."""
        if key == "step":
            group: dict[str, Any] = next((g for g in param_groups if param_id in g["params"]), {})
            if group.get("capturable") or group.get("fused"):
                return value.to(dtype=flambeau.float32, device=param.device)
            return value
        if param.is_floating_point():
            return value.to(dtype=param.dtype, device=param.device)
        return value.to(device=param.device)

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; it may return new (args,
        kwargs)."""
        return _register(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return _register(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer)`` before `state_dict` collects anything."""
        return _register(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` after `state_dict`; it may return another dict."""
        return _register(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before loading; it may return another dict."""
        return _register(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer)`` after loading."""
        return _register(self._optimizer_load_state_dict_post_hooks, hook, prepend)


def _cast(param: Tensor, value: Any, number: Any, groups: list[dict[str, Any]], key: Any) -> Any:
    if isinstance(value, Tensor):
        return Optimizer._process_value_according_to_param_policy(param, value, number, groups, key)
    if isinstance(value, dict):
        return {k: _cast(param, v, number, groups, k) for k, v in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        make: Any = type(value)
        return make(_cast(param, v, number, groups, None) for v in value)
    return value
