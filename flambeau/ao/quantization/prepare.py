"""Models made ready: observers put behind modules (`prepare`), weights rounded in training
(`prepare_qat`), stubs that say where quantised parts begin and end, modules fused."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import flambeau
from flambeau import nn
from flambeau.ao.quantization.qconfig import (
    QConfig,
    default_dynamic_qconfig,
)
from flambeau.ao.quantization.tensor import choose_qparams
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.nn.modules.module import Module
from flambeau.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

__all__ = [
    "DeQuantStub",
    "QuantStub",
    "QuantWrapper",
    "add_quant_dequant",
    "convert",
    "default_eval_fn",
    "fuse_modules",
    "fuse_modules_qat",
    "prepare",
    "prepare_qat",
    "propagate_qconfig_",
    "quantize_dynamic",
]

WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


class QuantStub(Module):
    """Where numbers become quantised; an observer is put behind it."""

    def __init__(self, qconfig: QConfig | None = None) -> None:
        super().__init__()
        if qconfig:
            self.qconfig = qconfig

    def forward(self, x: Tensor) -> Tensor:
        """The input."""
        return x


class DeQuantStub(QuantStub):
    """Where quantised numbers become numbers again."""


class QuantWrapper(Module):
    """A module between stubs."""

    def __init__(self, module: Module) -> None:
        super().__init__()
        qconfig = getattr(module, "qconfig", None)
        self.add_module("quant", QuantStub(qconfig))
        self.add_module("dequant", DeQuantStub(qconfig))
        self.add_module("module", module)
        self.train(module.training)

    def forward(self, X: Tensor) -> Any:
        """The module's output."""
        return self.dequant(self.module(self.quant(X)))


def add_quant_dequant(module: Module) -> Module:
    """Put stubs around every leaf that has a qconfig."""
    if not list(module.children()) and getattr(module, "qconfig", None):
        return QuantWrapper(module)
    for name, child in list(module.named_children()):
        module._modules[name] = add_quant_dequant(child)
    return module


def default_eval_fn(model: Module, calib_data: Any) -> None:
    """Run a model over data, for its observers."""
    for data, _ in calib_data:
        model(data)


def propagate_qconfig_(
    module: Module, qconfig_dict: Any = None, prepare_custom_config_dict: Any = None
) -> None:
    """Give every module the qconfig of its parent, where it has none of its own.

    Args:
        qconfig_dict: name or class of a module -> its qconfig; "" is the whole.
    """
    table = qconfig_dict or {}

    def visit(each: Module, above: Any, path: str) -> None:
        own = getattr(each, "qconfig", above)
        own = table.get(path, table.get(type(each), own))
        each.qconfig = own
        for name, child in each.named_children():
            visit(child, own, f"{path}.{name}" if path else name)

    visit(module, getattr(module, "qconfig", table.get("")), "")


def _observe(module: Module) -> None:
    """Put an observer behind a leaf that computes."""
    module.add_module("activation_post_process", module.qconfig.activation())
    module.register_forward_hook(lambda self, inputs, output: self.activation_post_process(output))


def prepare(
    model: Module,
    inplace: bool = False,
    allow_list: Any = None,
    observer_non_leaf_module_list: Any = None,
    prepare_custom_config_dict: Any = None,
) -> Module:
    """A copy whose modules with a qconfig are observed.

    Args:
        inplace: change the model itself.
    """
    model = model if inplace else copy.deepcopy(model)
    propagate_qconfig_(model)
    seen = tuple(allow_list) if allow_list else (*WEIGHTED, QuantStub)
    for module in list(model.modules()):
        wanted = isinstance(module, seen) and not isinstance(module, DeQuantStub)
        if wanted and getattr(module, "qconfig", None) is not None:
            _observe(module)
    return model


class _Trained:
    """A layer whose weight is rounded before it is used."""

    weight_fake_quant: Any

    def _rounded(self, forward: Callable[..., Any], x: Tensor) -> Any:
        from flambeau.func import functional_call

        layer: Any = self
        weight = self.weight_fake_quant(layer.weight)
        return functional_call(_Plain(forward, layer), {"layer.weight": weight}, (x,))


class _Plain(Module):
    def __init__(self, forward: Callable[..., Any], layer: Module) -> None:
        super().__init__()
        self.layer, self._forward = layer, forward

    def forward(self, x: Tensor) -> Any:
        return self._forward(self.layer, x)


def _trained_class(base: type) -> type:
    def forward(self: Any, x: Tensor) -> Any:
        return self._rounded(base.forward, x)  # type: ignore[attr-defined]

    doc = f"A {base.__name__} whose weight is rounded before it is used."
    names = {"forward": forward, "__doc__": doc, "__module__": base.__module__}
    return type(base.__name__, (_Trained, base), names)


TRAINED = {base: _trained_class(base) for base in WEIGHTED}


def prepare_qat(model: Module, mapping: Any = None, inplace: bool = False) -> Module:
    """A copy for training with quantisation's error: outputs and weights are rounded.

    Raises:
        AssertionError: the model is not in training mode.
    """
    if not model.training:
        raise AssertionError("prepare_qat only works on models in training mode")
    model = model if inplace else copy.deepcopy(model)
    propagate_qconfig_(model)
    for module in list(model.modules()):
        config = getattr(module, "qconfig", None)
        if config is None:
            continue
        if type(module) in TRAINED:
            module.__class__ = TRAINED[type(module)]  # type: ignore[index]
            module.add_module("weight_fake_quant", config.weight())
            _observe(module)
        elif isinstance(module, QuantStub) and not isinstance(module, DeQuantStub):
            _observe(module)
    return model


def convert(module: Module, *args: Any, **kwargs: Any) -> Any:
    """Integer modules of an observed model.

    Raises:
        NotImplementedError: always; integers are not faster here.
    """
    raise NotImplementedError(
        "ao.quantization.convert: modules of integers are not built. A model of prepare_qat "
        "computes the same rounded numbers; quantize_dynamic gives Linear layers with int8 weights."
    )


class DynamicLinear(Module):
    """A Linear layer with an int8 weight; its input is quantised as it comes."""

    def __init__(self, layer: nn.Linear, config: QConfig) -> None:
        super().__init__()
        self.in_features, self.out_features = layer.in_features, layer.out_features
        observer = config.weight()
        observer(layer.weight)
        scale, zero = observer.calculate_qparams()
        self._weight = flambeau.quantize_per_tensor(
            layer.weight.detach(), float(scale), int(zero), observer.dtype
        )
        self._bias = None if layer.bias is None else layer.bias.detach()
        self.scale, self.zero_point = 1.0, 0

    def weight(self) -> Any:
        """The quantised weight."""
        return self._weight

    def bias(self) -> Any:
        """The bias."""
        return self._bias

    def forward(self, x: Tensor) -> Tensor:
        """x quantised, times the weight, plus the bias."""
        low, high = float(x.min()), float(x.max())
        scale, zero = choose_qparams(low, high, 0, 127)
        rounded = flambeau.fake_quantize_per_tensor_affine(x, scale, zero, 0, 127)
        return nn.functional.linear(rounded, self._weight.dequantize(), self._bias)

    def _get_name(self) -> str:
        return "DynamicQuantizedLinear"

    def extra_repr(self) -> str:
        """The sizes."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"dtype={self._weight.dtype}, qscheme={self._weight.qscheme()}"
        )


def quantize_dynamic(
    model: Module,
    qconfig_spec: Any = None,
    dtype: Any = None,
    mapping: Any = None,
    inplace: bool = False,
) -> Module:
    """A copy whose Linear layers have int8 weights and quantise their inputs as they come.

    Args:
        qconfig_spec: the classes meant; Linear layers by default.
        dtype: torch.qint8.

    Raises:
        NotImplementedError: another class or dtype.
    """
    if dtype not in (None, flambeau.qint8):
        raise fail(
            NotImplementedError, "quantize_dynamic", f"of dtype {dtype}: torch.qint8 is offered."
        )
    kinds = set(qconfig_spec or {nn.Linear})
    if not kinds <= {nn.Linear}:
        raise fail(NotImplementedError, "quantize_dynamic", "only Linear layers are offered.")
    model = model if inplace else copy.deepcopy(model)
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Linear:
                parent._modules[name] = DynamicLinear(child, default_dynamic_qconfig)
    return model


def _fused(parts: list[Module]) -> list[Module]:
    head, *rest = parts
    if rest and isinstance(rest[0], (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
        fuse: Any = fuse_linear_bn_eval if isinstance(head, nn.Linear) else fuse_conv_bn_eval
        head = fuse(head, rest.pop(0))
    first = nn.Sequential(head, *rest) if rest else head
    return [first, *(nn.Identity() for _ in parts[1:])]


def fuse_modules(
    model: Module,
    modules_to_fuse: Any,
    inplace: bool = False,
    fuser_func: Any = None,
    fuse_custom_config_dict: Any = None,
) -> Module:
    """A copy whose runs of layer, batch norm and ReLU, given by name, are one module each.

    Raises:
        NotImplementedError: the layers do not make one.
    """
    model = model if inplace else copy.deepcopy(model)
    runs = [modules_to_fuse] if isinstance(modules_to_fuse[0], str) else modules_to_fuse
    for names in runs:
        parts = [model.get_submodule(name) for name in names]
        if not isinstance(parts[0], WEIGHTED):
            raise fail(
                NotImplementedError,
                "fuse_modules",
                f"Cannot fuse modules: {tuple(type(p).__name__ for p in parts)}.",
            )
        for name, made in zip(names, _fused(parts), strict=True):
            owner, _, last = name.rpartition(".")
            model.get_submodule(owner)._modules[last] = made
    return model


fuse_modules_qat = fuse_modules
