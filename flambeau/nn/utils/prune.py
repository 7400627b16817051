"""Pruning: parameters times a mask of zeros and ones, kept up by a forward pre-hook.

The parameter moves to ``<name>_orig``, its mask is the buffer ``<name>_mask``; pruning again
narrows the mask. ``remove`` makes the masked parameter permanent.
"""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.nn.modules.module import Module
from flambeau.nn.utils.convert_parameters import parameters_to_vector


class BasePruningMethod(ABC):
    """A way to choose what is pruned: subclasses define ``PRUNING_TYPE`` and ``compute_mask``.

    ``PRUNING_TYPE`` is 'unstructured' (single entries), 'structured' (slices along ``dim``) or
    'global' (the mask is given).
    """

    _tensor_name: Any = None
    PRUNING_TYPE: str

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask for ``t``; what ``default_mask`` prunes stays pruned."""

    def apply_mask(self, module: Module) -> Tensor:
        """The original times the mask."""
        if self._tensor_name is None:
            raise fail(AssertionError, "prune", f"Module {module} has to be pruned")
        mask = getattr(module, self._tensor_name + "_mask")
        original = getattr(module, self._tensor_name + "_orig")
        return mask.to(dtype=original.dtype) * original

    @classmethod
    def apply(  # type: ignore[override]
        cls,
        module: Module,
        name: str,
        *args: Any,
        importance_scores: Tensor | None = None,
        **kwargs: Any,
    ) -> BasePruningMethod:
        """Prune a module's parameter: mask, original and hook."""
        method = cls._with_earlier(module, name, cls(*args, **kwargs))
        original = getattr(module, name)
        scores = original if importance_scores is None else importance_scores
        if scores.shape != original.shape:
            raise fail(
                AssertionError,
                "prune",
                "importance_scores should have the same shape as parameter "
                f"{name}, got {scores.shape} and {original.shape}",
            )
        again = isinstance(method, PruningContainer)
        if again:
            default_mask = getattr(module, name + "_mask").detach().clone()
        else:
            module.register_parameter(name + "_orig", original)
            del module._parameters[name]
            default_mask = flambeau.ones_like(original)
        try:
            mask = method.compute_mask(scores, default_mask=default_mask)
            module.register_buffer(name + "_mask", mask)
            setattr(module, name, method.apply_mask(module))
            module.register_forward_pre_hook(method)
        except Exception:
            if not again:
                module.register_parameter(name, getattr(module, name + "_orig"))
                del module._parameters[name + "_orig"]
            raise
        return method

    @staticmethod
    def _with_earlier(module: Module, name: str, method: BasePruningMethod) -> Any:
        """The method, or a container of it and the one whose hook is there already."""
        method._tensor_name = name
        found = [
            key
            for key, hook in module._forward_pre_hooks.items()
            if isinstance(hook, BasePruningMethod) and hook._tensor_name == name
        ]
        if not found:
            return method
        if len(found) > 1:
            raise fail(
                AssertionError,
                "prune",
                f"Avoid adding multiple pruning hooks to the same tensor {name}. Use a "
                "PruningContainer.",
            )
        earlier = module._forward_pre_hooks.pop(found[0])
        if not isinstance(earlier, PruningContainer):
            earlier = PruningContainer(earlier)
        earlier.add_pruning_method(method)
        return earlier

    def prune(
        self,
        t: Tensor,
        default_mask: Tensor | None = None,
        importance_scores: Tensor | None = None,
    ) -> Tensor:
        """The pruned tensor; no module involved."""
        scores = t if importance_scores is None else importance_scores
        if scores.shape != t.shape:
            raise fail(
                AssertionError,
                "prune",
                "importance_scores should have the same shape as tensor t, got "
                f"{scores.shape} and {t.shape}",
            )
        default_mask = flambeau.ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(scores, default_mask=default_mask)

    def remove(self, module: Module) -> None:
        """Make the pruned values the parameter's own; drop mask and original."""
        name = self._tensor_name
        if name is None:
            message = f"Module {module} has to be pruned before pruning can be removed"
            raise fail(AssertionError, "prune", message)
        weight = self.apply_mask(module)
        if hasattr(module, name):
            delattr(module, name)
        original = module._parameters.pop(name + "_orig")
        original.data = weight.data
        del module._buffers[name + "_mask"]
        setattr(module, name, original)


class PruningContainer(BasePruningMethod):
    """Several methods on one tensor; the last one works on what the others left."""

    def __init__(self, *args: BasePruningMethod) -> None:
        self._pruning_methods: tuple[Any, ...] = ()
        if len(args) == 1:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod | None) -> None:
        """Append a method for the same tensor."""
        if method is not None and not isinstance(method, BasePruningMethod):
            message = f"{type(method)} is not a BasePruningMethod subclass"
            raise fail(TypeError, "prune", message)
        if method is not None and self._tensor_name != method._tensor_name:
            raise fail(
                ValueError,
                "prune",
                "Can only add pruning methods acting on the parameter named "
                f"'{self._tensor_name}' to PruningContainer. Found '{method._tensor_name}'",
            )
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[BasePruningMethod]:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: int) -> BasePruningMethod:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask of the last method, computed on the entries still there."""
        method = self._pruning_methods[-1]
        mask = default_mask.to(dtype=t.dtype)
        kept = _still_there(method, t, default_mask)
        partial = method.compute_mask(t[kept], default_mask=default_mask[kept])
        mask[kept] = partial.to(dtype=mask.dtype)
        return mask


def _still_there(method: BasePruningMethod, t: Tensor, mask: Tensor) -> Any:
    """An index of what earlier methods left, as the method's type sees it."""
    if method.PRUNING_TYPE == "unstructured":
        return mask == 1
    everything: list[Any] = [slice(None)] * t.dim()
    if method.PRUNING_TYPE == "global":
        return tuple(everything)
    if method.PRUNING_TYPE != "structured":
        raise fail(ValueError, "prune", f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
    if not hasattr(method, "dim"):
        raise AttributeError(
            'Pruning methods of PRUNING_TYPE "structured" need to have the attribute `dim` defined.'
        )
    dim = method.dim + t.dim() if method.dim < 0 else method.dim
    if dim < 0:
        message = f"Index is out of bounds for tensor with dimensions {t.dim()}"
        raise fail(IndexError, "prune", message)
    everything[dim] = mask.sum(dim=[d for d in range(t.dim()) if d != dim]) != 0
    return tuple(everything)


class Identity(BasePruningMethod):
    """Prune nothing: mask and hook alone."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask as it is."""
        return default_mask

    @classmethod
    def apply(cls, module: Module, name: str) -> BasePruningMethod:  # type: ignore[override]
        """Prune a module's parameter."""
        return super().apply(module, name)


class _Amount(BasePruningMethod):
    """How much is pruned: a share (float) or a number (int) of entries or channels."""

    def __init__(self, amount: float) -> None:
        _validate_pruning_amount_init(amount)
        self.amount = amount

    def _count(self, size: int) -> int:
        count = _compute_nparams_toprune(self.amount, size)
        _validate_pruning_amount(count, size)
        return count


class RandomUnstructured(_Amount):
    """Prune entries chosen at random."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Zeros at the largest of random numbers."""
        count = self._count(t.nelement())
        mask = default_mask.clone(memory_format=flambeau.contiguous_format)
        if count != 0:
            chosen = flambeau.topk(flambeau.rand_like(t).view(-1), k=count)
            mask.view(-1)[chosen.indices] = 0
        return mask

    @classmethod
    def apply(cls, module: Module, name: str, amount: float) -> BasePruningMethod:  # type: ignore[override]
        """Prune a module's parameter."""
        return super().apply(module, name, amount=amount)


class L1Unstructured(_Amount):
    """Prune the entries of smallest absolute value."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Zeros at the smallest absolute values."""
        count = self._count(t.nelement())
        mask = default_mask.clone(memory_format=flambeau.contiguous_format)
        if count != 0:
            chosen = flambeau.topk(flambeau.abs(t).view(-1), k=count, largest=False)
            mask.view(-1)[chosen.indices] = 0
        return mask

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Module, name: str, amount: float, importance_scores: Tensor | None = None
    ) -> BasePruningMethod:
        """Prune a module's parameter."""
        return super().apply(module, name, amount=amount, importance_scores=importance_scores)


def _channels_mask(t: Tensor, dim: int, kept: Tensor, default_mask: Tensor) -> Tensor:
    """Ones in the kept channels, where the default mask has them too."""
    mask = flambeau.zeros_like(t)
    index: list[Any] = [slice(None)] * t.dim()
    index[dim] = kept
    mask[tuple(index)] = 1
    return mask * default_mask.to(dtype=mask.dtype)


class RandomStructured(_Amount):
    """Prune channels along ``dim`` chosen at random."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Zeros in the channels with the smallest random numbers."""
        _validate_structured_pruning(t)
        _validate_pruning_dim(t, self.dim)
        channels = t.shape[self.dim]
        count = self._count(channels)
        if count == 0:
            return default_mask
        draws = flambeau.rand(channels)
        kept = draws > flambeau.kthvalue(draws, k=count).values
        return _channels_mask(t, self.dim, kept, default_mask)

    @classmethod
    def apply(cls, module: Module, name: str, amount: float, dim: int = -1) -> BasePruningMethod:  # type: ignore[override]
        """Prune a module's parameter."""
        return super().apply(module, name, amount=amount, dim=dim)


class LnStructured(_Amount):
    """Prune the channels along ``dim`` of smallest n-norm."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, n: Any, dim: int = -1) -> None:
        super().__init__(amount)
        self.n = n
        self.dim = dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Ones in the channels of largest norm."""
        _validate_structured_pruning(t)
        _validate_pruning_dim(t, self.dim)
        channels = t.shape[self.dim]
        count = self._count(channels)
        if count == 0:
            return default_mask
        norm = _compute_norm(t, self.n, self.dim)
        kept = flambeau.topk(norm, k=channels - count, largest=True).indices
        return _channels_mask(t, self.dim, kept, default_mask)

    @classmethod
    def apply(  # type: ignore[override]
        cls,
        module: Module,
        name: str,
        amount: float,
        n: Any,
        dim: int,
        importance_scores: Tensor | None = None,
    ) -> BasePruningMethod:
        """Prune a module's parameter."""
        return super().apply(
            module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores
        )


class CustomFromMask(BasePruningMethod):
    """Prune by a given mask."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The given mask times the one that was there."""
        if default_mask.shape != self.mask.shape:
            raise fail(
                AssertionError,
                "prune",
                f"default_mask shape {default_mask.shape} must match self.mask shape "
                f"{self.mask.shape}",
            )
        return default_mask * self.mask.to(dtype=default_mask.dtype)

    @classmethod
    def apply(cls, module: Module, name: str, mask: Tensor) -> BasePruningMethod:  # type: ignore[override]
        """Prune a module's parameter."""
        return super().apply(module, name, mask=mask)


def identity(module: Module, name: str) -> Module:
    """Mask and hook without pruning anything."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: float) -> Module:
    """Prune entries at random."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(
    module: Module, name: str, amount: float, importance_scores: Tensor | None = None
) -> Module:
    """Prune the entries of smallest absolute value (or score)."""
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: float, dim: int) -> Module:
    """Prune channels along ``dim`` at random."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: Module,
    name: str,
    amount: float,
    n: Any,
    dim: int,
    importance_scores: Tensor | None = None,
) -> Module:
    """Prune the channels along ``dim`` of smallest n-norm."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def global_unstructured(
    parameters: Any, pruning_method: Any, importance_scores: Any = None, **kwargs: Any
) -> None:
    """Prune entries of several parameters together.

    Args:
        parameters: (module, name) pairs.
        pruning_method: an unstructured method's class.
        importance_scores: scores by pair, in place of the parameters.
        **kwargs: for the method.
    """
    name = "global_unstructured"
    if not isinstance(parameters, Iterable):
        raise fail(TypeError, name, "global_unstructured(): parameters is not an Iterable")
    parameters = list(parameters)
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, dict):
        message = "global_unstructured(): importance_scores must be of type dict"
        raise fail(TypeError, name, message)
    values = [scores.get((module, key), getattr(module, key)) for module, key in parameters]
    masks = [
        getattr(module, key + "_mask", flambeau.ones_like(getattr(module, key)))
        for module, key in parameters
    ]
    container = PruningContainer()
    container._tensor_name = "temp"
    method = pruning_method(**kwargs)
    method._tensor_name = "temp"
    if method.PRUNING_TYPE != "unstructured":
        raise fail(
            TypeError,
            name,
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
            f"{pruning_method} of type {method.PRUNING_TYPE}",
        )
    container.add_pruning_method(method)
    final = container.compute_mask(parameters_to_vector(values), parameters_to_vector(masks))
    start = 0
    for module, key in parameters:
        parameter = getattr(module, key)
        stop = start + parameter.numel()
        custom_from_mask(module, key, mask=final[start:stop].view_as(parameter))
        start = stop


def custom_from_mask(module: Module, name: str, mask: Tensor) -> Module:
    """Prune by a given mask."""
    CustomFromMask.apply(module, name, mask)
    return module


def remove(module: Module, name: str) -> Module:
    """Make pruning permanent: the parameter keeps its pruned values.

    Raises:
        ValueError: the parameter is not pruned.
    """
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    message = (
        f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed"
    )
    raise fail(ValueError, "prune.remove", message)


def is_pruned(module: Module) -> bool:
    """Whether the module or a descendant is pruned."""
    return any(
        isinstance(hook, BasePruningMethod)
        for each in module.modules()
        for hook in each._forward_pre_hooks.values()
    )


def _validate_pruning_amount_init(amount: Any) -> None:
    if not isinstance(amount, numbers.Real):
        message = f"Invalid type for amount: {amount}. Must be int or float."
        raise fail(TypeError, "prune", message)
    limit = float("inf") if isinstance(amount, numbers.Integral) else 1.0
    if not 0 <= float(amount) <= limit:
        raise fail(
            ValueError,
            "prune",
            f"amount={amount} should either be a float in the range [0, 1] or a non-negative "
            "integer",
        )


def _validate_pruning_amount(amount: Any, tensor_size: int) -> None:
    if isinstance(amount, numbers.Integral) and int(amount) > tensor_size:
        raise fail(
            ValueError,
            "prune",
            f"amount={amount} should be smaller than the number of parameters to "
            f"prune={tensor_size}",
        )


def _validate_structured_pruning(t: Tensor) -> None:
    if t.dim() <= 1:
        raise fail(
            ValueError,
            "prune",
            "Structured pruning can only be applied to multidimensional tensors. Found tensor of "
            f"shape {t.shape} with {t.dim()} dims",
        )


def _validate_pruning_dim(t: Tensor, dim: int) -> None:
    if dim >= t.dim():
        raise fail(IndexError, "prune", f"Invalid index {dim} for tensor of size {t.shape}")


def _compute_nparams_toprune(amount: Any, tensor_size: int) -> int:
    whole = isinstance(amount, numbers.Integral)
    return int(amount) if whole else round(amount * tensor_size)


def _compute_norm(t: Tensor, n: Any, dim: int) -> Tensor:
    """The n-norm of each channel along ``dim``."""
    keep = dim % t.dim()
    return flambeau.norm(t, p=n, dim=[d for d in range(t.dim()) if d != keep])
