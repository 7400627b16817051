"""What lazy layers share: waiting for the first input, then becoming the plain layer.

A lazy layer holds uninitialized parameters. A forward pre-hook calls its
``initialize_parameters`` with the first input, and a second hook changes its class.
"""

from __future__ import annotations

from typing import Any

from flambeau.core.errors import fail
from flambeau.nn.parameter import is_lazy

__all__ = ["LazyModuleMixin"]


class LazyModuleMixin:
    """Mix in before the layer; the subclass defines ``initialize_parameters``."""

    cls_to_become: type | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._load_hook = self._register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = self.register_forward_pre_hook(
            self._infer_parameters, with_kwargs=True
        )

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        # Uninitialized tensors go in as they are: detach() would need values.
        for table in (self._parameters, self._buffers):
            for name, tensor in table.items():
                if tensor is None or name in self._non_persistent_buffers_set:
                    continue
                plain = not (is_lazy(tensor) or keep_vars)
                destination[prefix + name] = tensor.detach() if plain else tensor

    def _lazy_load_hook(self, state_dict: Any, prefix: str, *others: Any) -> None:
        """Before loading: take the shapes of the given tensors."""
        for table in (self._parameters, self._buffers):
            for name, tensor in table.items():
                given = state_dict.get(prefix + name)
                if tensor is None or given is None:
                    continue
                if is_lazy(tensor) and not is_lazy(given):
                    # No memory is drawn: copying the values follows.
                    tensor.materialize(given.shape)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give the parameters their shapes from the first input; the subclass defines it."""
        raise fail(
            NotImplementedError,
            type(self).__name__,
            "initialize_parameters is not implemented. Define it to materialize the lazy "
            "parameters from the first input.",
        )

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer still waits for its shape."""
        members = (*self._parameters.values(), *self._buffers.values())
        return any(is_lazy(member) for member in members)

    def _infer_parameters(self, module: Any, args: Any, kwargs: Any = None) -> None:
        """The forward pre-hook: initialize, then become the plain layer."""
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise fail(
                RuntimeError,
                type(self).__name__,
                f"module {self._get_name()} has not been fully initialized: its "
                "initialize_parameters must materialize every lazy parameter and buffer.",
            )
        module._initialize_hook.remove()
        module._load_hook.remove()
        del module._initialize_hook, module._load_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become

    def _replicate_for_data_parallel(self) -> Any:
        raise fail(
            RuntimeError,
            type(self).__name__,
            "a lazy module cannot be replicated before its first forward. Run a dry run first.",
        )
