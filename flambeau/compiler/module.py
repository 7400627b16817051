"""The module that ``torch.compile(module)`` returns: the module beneath, seen through a wrapper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flambeau.nn import Module

__all__ = ["OptimizedModule"]


class OptimizedModule(Module):
    """Wraps a module; its parameters are named ``_orig_mod.<name>``, as PyTorch names them.

    Args:
        module: what is wrapped. how: makes of a module what is called instead of it.

    Attributes that are not the wrapper's own are read from and written to the wrapped module.
    """

    _own = frozenset({"_how", "_orig_mod", "_run", "training"})

    def __init__(self, module: Module, how: Callable[[Module], Any] | None = None) -> None:
        super().__init__()
        self._modules["_orig_mod"] = module
        self.__dict__["training"] = module.training
        self.__dict__["_how"] = how

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the wrapped module, as a backend runs it where there is one."""
        run = self.__dict__.get("_run")
        if run is None:
            module, how = self._modules["_orig_mod"], self.__dict__.get("_how")
            run = self.__dict__["_run"] = module if how is None else how(module)  # type: ignore[arg-type]
        return run(*args, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        state.pop("_run", None)  # it holds the module: a copy runs its own
        return state

    def __getattr__(self, name: str) -> Any:
        modules = self.__dict__.get("_modules", {})
        if "_orig_mod" not in modules or name == "_orig_mod":
            return super().__getattr__(name) if not modules else modules[name]
        return getattr(modules["_orig_mod"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        modules = self.__dict__.get("_modules")
        if not modules or name in self._own or name in self.__dict__:
            super().__setattr__(name, value)
            return
        setattr(modules["_orig_mod"], name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._modules["_orig_mod"], name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._modules["_orig_mod"])})
