"""`BaseSparsifier`: masks on tensors of a model, as parametrizations, written anew at each step.

Stands on nn.utils.parametrize.
"""

from __future__ import annotations

import abc
import copy
from collections import defaultdict
from typing import Any

import flambeau
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.nn.utils import parametrize

__all__ = [
    "BaseSparsifier",
    "FakeSparsity",
    "fqn_to_module",
    "get_arg_info_from_tensor_fqn",
    "module_to_fqn",
]

OF_THE_MODEL = ("module", "module_fqn", "tensor_name")
"""What a group knows from the model, and its state does not keep."""


class FakeSparsity(nn.Module):
    """A parametrization: the tensor where the mask is 1, else 0. The mask is in no state dict."""

    mask: Tensor

    def __init__(self, mask: Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        """``mask * x``.

        Raises:
            AssertionError: the shapes differ.
        """
        if self.mask.shape != x.shape:
            raise AssertionError(f"mask shape ({self.mask.shape}) must match x shape ({x.shape})")
        return self.mask * x

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Nothing: the sparsifier's state keeps the mask."""
        return {}


def fqn_to_module(model: nn.Module | None, path: str) -> Any:
    """What a path names in a model, or None."""
    found: Any = model
    for name in path.split(".") if path else ():
        found = getattr(found, name, None)
    return found


def module_to_fqn(model: nn.Module, module: nn.Module, prefix: str = "") -> str | None:
    """The path of a module in a model, or None."""
    for name, each in model.named_modules():
        if each is module:
            return ".".join(part for part in (prefix, name) if part)
    return None


def get_arg_info_from_tensor_fqn(model: nn.Module, tensor_fqn: str) -> dict[str, Any]:
    """The module of a tensor, and what it calls it."""
    path, _, name = tensor_fqn.rpartition(".")
    return {
        "module_fqn": path,
        "module": fqn_to_module(model, path),
        "tensor_name": name,
        "tensor_fqn": tensor_fqn,
    }


class BaseSparsifier(abc.ABC):
    """Masks tensors of a model: a subclass's `update_mask` says how.

    Args:
        defaults: what `update_mask` gets for tensors whose configuration does not say.
    """

    def __init__(self, defaults: dict[str, Any] | None = None) -> None:
        self.defaults: dict[str, Any] = defaults or {}
        self.state: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        self.groups: list[dict[str, Any]] = []
        self.enable_mask_update = True

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "groups": self.groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __repr__(self) -> str:
        lines = []
        for k, group in enumerate(self.groups):
            lines.append(f"\n\tGroup {k}\n")
            lines += [f"\t    {key}: {group[key]}\n" for key in sorted(group) if key != "data"]
        return f"{type(self).__name__} ({''.join(lines)})"

    def state_dict(self) -> dict[str, Any]:
        """The masks, and each group's settings."""
        groups = [
            {key: value for key, value in group.items() if key not in OF_THE_MODEL}
            for group in self.groups
        ]
        return {"state": self.state, "groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any], strict: bool = True) -> None:
        """Take the state of another sparsifier of such a model.

        Args:
            strict: refuse a state of tensors that the model does not have.

        Raises:
            RuntimeError: the model lacks one.
        """
        groups = copy.deepcopy(state_dict["groups"])
        states = state_dict["state"]
        for path, state in states.items():
            info = get_arg_info_from_tensor_fqn(self.model, path)
            module, name = info["module"], info["tensor_name"]
            if module is None:
                if strict:
                    raise RuntimeError(f"Error loading {path} into the model")
                continue
            found: Any = next(
                (each for each in module.parametrizations[name] if isinstance(each, FakeSparsity)),
                None,
            )
            if found is None:
                found = FakeSparsity(flambeau.ones(getattr(module, name).shape))
                parametrize.register_parametrization(module, name, found)
            if found.mask.shape != state["mask"].shape and strict:
                raise RuntimeError(f"Error loading mask of {path}: its shape is another")
            found.mask.data = state["mask"].clone().to(found.mask.device)
        for group in groups:
            group.update(get_arg_info_from_tensor_fqn(self.model, group["tensor_fqn"]))
        self.__setstate__({"state": copy.deepcopy(states), "groups": groups})

    def make_config_from_model(self, model: nn.Module, SUPPORTED_MODULES: Any = None) -> None:
        """Take the weights of all linear layers (or other classes) for the configuration."""
        kinds = {nn.Linear} if SUPPORTED_MODULES is None else SUPPORTED_MODULES
        found = []
        waiting = [model]
        while waiting:
            for child in waiting.pop().children():
                if type(child) in kinds:
                    found.append({"tensor_fqn": f"{module_to_fqn(model, child)}.weight"})
                else:
                    waiting.append(child)
        self.config: list[dict[str, Any]] = found

    def prepare(self, model: nn.Module, config: list[dict[str, Any]] | None) -> None:
        """Put masks of ones on the tensors.

        Args:
            config: for each a dictionary with ``tensor_fqn`` and what differs from the defaults;
                None: the weights of all linear layers.

        Raises:
            AssertionError: an entry is no dictionary, or names no tensor.
        """
        self.model = model
        self.config = config  # type: ignore[assignment]
        if self.config is None:
            self.make_config_from_model(model)
        for entry in self.config:
            if not isinstance(entry, dict):
                raise AssertionError(
                    "config elements should be dicts not modules i.e.:"
                    "[{`tensor_fqn`: `foo.bar.weight`}, {`tensor_fqn`: ... }, ...]"
                )
            group: dict[str, Any] = copy.deepcopy(self.defaults)
            group.update(entry)
            path = group.get("tensor_fqn")
            if path is None:
                raise AssertionError(
                    "tensor_fqn is a required argument in the sparsity config which replaces "
                    "previous `module` and [module]`fqn` arguments"
                )
            info = get_arg_info_from_tensor_fqn(model, path)
            for key, value in info.items():
                if key in group and group[key] != value:
                    raise AssertionError(f"{path}: {key} is {value}, the config says {group[key]}")
            group.update({key: value for key, value in info.items() if key not in group})
            self.groups.append(group)
        self._prepare()

    def _prepare(self, *args: Any, **kwargs: Any) -> None:
        for group in self.groups:
            module, name = group["module"], group["tensor_name"]
            parametrization = group.get("parametrization", FakeSparsity)
            mask = group.get("mask", flambeau.ones_like(getattr(module, name)))
            self.state[group["tensor_fqn"]]["mask"] = mask
            parametrize.register_parametrization(module, name, parametrization(mask))

    def squash_mask(
        self,
        params_to_keep: tuple[str, ...] | None = None,
        params_to_keep_per_layer: dict[str, tuple[str, ...]] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Write the masks into the tensors, and take them off.

        Args:
            params_to_keep: settings that each module keeps, as ``sparse_params``.
            params_to_keep_per_layer: more, by the module's path.
        """
        for group in self.groups:
            module, name = group["module"], group["tensor_name"]
            parametrize.remove_parametrizations(module, name, leave_parametrized=True)
            kept = (*(params_to_keep or ()),)
            kept += tuple((params_to_keep_per_layer or {}).get(group["module_fqn"], ()))
            if kept:
                module.sparse_params = {key: group[key] for key in kept}

    def convert(
        self,
        module: nn.Module,
        mapping: dict[Any, Any] | None = None,
        inplace: bool = False,
        parameterization: Any = FakeSparsity,
    ) -> nn.Module:
        """The model with masked layers swapped for those of a mapping.

        Args:
            mapping: class -> the class put in, by its ``from_dense``. inplace: in the model itself.
            parameterization: what marks a masked layer.

        Raises:
            NotImplementedError: there is no mapping.
        """
        if mapping is None:
            raise NotImplementedError("convert: give a mapping from layers to sparse layers.")
        model = module if inplace else copy.deepcopy(module)
        for path, each in list(model.named_modules()):
            kind = mapping.get(parametrize.type_before_parametrizations(each))
            masked = parametrize.is_parametrized(each) and any(
                isinstance(p, parameterization)
                for listed in each.parametrizations.values()  # type: ignore[union-attr, operator]
                for p in listed
            )
            if kind is not None and masked and path:
                owner, _, last = path.rpartition(".")
                setattr(model.get_submodule(owner), last, kind.from_dense(each))
        return model

    def step(self, use_path: bool = True) -> None:
        """Write all masks anew."""
        if not self.enable_mask_update:
            return
        with flambeau.no_grad():
            for group in self.groups:
                self.update_mask(**group)

    @abc.abstractmethod
    def update_mask(self, module: nn.Module, tensor_name: str, **kwargs: Any) -> None:
        """Write a tensor's mask; the other arguments are the group's settings."""
