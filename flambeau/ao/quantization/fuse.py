"""Runs of layers made one: products with batch norm and ReLU. In evaluation batch norm goes into
the product's weight; for training (`fuse_modules_qat`) both stay, side by side."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from flambeau import nn
from flambeau.nn.modules.module import Module
from flambeau.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

__all__ = [
    "fuse_conv_bn",
    "fuse_conv_bn_relu",
    "fuse_convtranspose_bn",
    "fuse_known_modules",
    "fuse_linear_bn",
    "fuse_modules",
    "fuse_modules_qat",
    "get_fuser_method",
]

_NORMS = {"1": nn.BatchNorm1d, "2": nn.BatchNorm2d, "3": nn.BatchNorm3d}


def _same_mode(*modules: Module) -> None:
    if len({module.training for module in modules}) > 1:
        raise AssertionError("Conv and BN both must be in the same mode (train or eval).")


def _container(name: str) -> Any:
    from flambeau.ao.nn import intrinsic

    return getattr(intrinsic, name)


def fuse_conv_bn(is_qat: bool, conv: Any, bn: Any) -> Module:
    """A convolution and batch norm.

    Raises:
        AssertionError: their modes or channels differ.
    """
    _same_mode(conv, bn)
    if not is_qat:
        return fuse_conv_bn_eval(conv, bn)
    if bn.num_features != conv.out_channels:
        raise AssertionError("Output channel of Conv2d must match num_features of BatchNorm2d")
    if not bn.affine or not bn.track_running_stats:
        raise AssertionError("Only support fusing BatchNorm2d with affine and tracking set to True")
    return _container(type(conv).__name__.replace("Conv", "ConvBn"))(conv, bn)  # type: ignore[no-any-return]


def fuse_conv_bn_relu(is_qat: bool, conv: Any, bn: Any, relu: Any) -> Module:
    """A convolution, batch norm and a ReLU.

    Raises:
        AssertionError: their modes or channels differ.
    """
    _same_mode(conv, bn, relu)
    name = type(conv).__name__
    if is_qat:
        fuse_conv_bn(True, conv, bn)  # its checks
        return _container(name.replace("Conv", "ConvBnReLU"))(conv, bn, relu)  # type: ignore[no-any-return]
    joined = fuse_conv_bn_eval(conv, bn)
    return _container(name.replace("Conv", "ConvReLU"))(joined, relu)  # type: ignore[no-any-return]


def fuse_linear_bn(is_qat: bool, linear: Any, bn: Any) -> Module:
    """A linear layer and batch norm.

    Raises:
        AssertionError: their modes differ.
    """
    _same_mode(linear, bn)
    if is_qat:
        return _container("LinearBn1d")(linear, bn)  # type: ignore[no-any-return]
    return fuse_linear_bn_eval(linear, bn)


def fuse_convtranspose_bn(is_qat: bool, convt: Any, bn: Any) -> Module:
    """A transposed convolution and batch norm, in evaluation.

    Raises:
        AssertionError: their modes differ, or it is for training.
    """
    _same_mode(convt, bn)
    if is_qat:
        raise AssertionError("Fusing ConvTranspose+BatchNorm not yet supported in QAT.")
    return fuse_conv_bn_eval(convt, bn, transpose=True)


def _side_by_side(name: str) -> Callable[..., Any]:
    return lambda is_qat, *parts: _container(name)(*parts)


def _methods() -> dict[tuple[type, ...], Callable[..., Any]]:
    """Classes in a row -> what fuses them."""
    found: dict[tuple[type, ...], Callable[..., Any]] = {}
    for n, norm in _NORMS.items():
        conv, transposed = getattr(nn, f"Conv{n}d"), getattr(nn, f"ConvTranspose{n}d")
        found[conv, norm] = fuse_conv_bn
        found[conv, norm, nn.ReLU] = fuse_conv_bn_relu
        found[conv, nn.ReLU] = _side_by_side(f"ConvReLU{n}d")
        found[transposed, norm] = fuse_convtranspose_bn
        if n != "1":
            found[norm, nn.ReLU] = _side_by_side(f"BNReLU{n}d")
    found[nn.Linear, nn.BatchNorm1d] = fuse_linear_bn
    found[nn.Linear, nn.ReLU] = _side_by_side("LinearReLU")
    return found


def get_fuser_method(op_list: Any, additional_fuser_method_mapping: Any = None) -> Any:
    """What fuses classes in a row.

    Raises:
        AssertionError: they do not make one.
    """
    found = (_methods() | (additional_fuser_method_mapping or {})).get(tuple(op_list))
    if found is None:
        raise AssertionError(f"did not find fuser method for: {tuple(op_list)} ")
    return found


def fuse_known_modules(
    mod_list: list[Any], is_qat: bool, additional_fuser_method_mapping: Any = None
) -> list[Any]:
    """The fused module, and an Identity for each of the rest; hooks of the first that run before it
    and of the last that run after it stay."""
    fuse = get_fuser_method([type(m) for m in mod_list], additional_fuser_method_mapping)
    made = fuse(is_qat, *mod_list)
    for hook in mod_list[0]._forward_pre_hooks.values():
        made.register_forward_pre_hook(hook)
    mod_list[0]._forward_pre_hooks.clear()
    for hook in mod_list[-1]._forward_hooks.values():
        made.register_forward_hook(hook)
    mod_list[-1]._forward_hooks.clear()
    rest = [nn.Identity().train(mod_list[0].training) for _ in mod_list[1:]]
    return [made, *rest]


def _fuse(model: Module, runs: Any, is_qat: bool, inplace: bool, fuser: Any, custom: Any) -> Module:
    model = model if inplace else copy.deepcopy(model)
    more = (custom or {}).get("additional_fuser_method_mapping", {})
    for names in [runs] if all(isinstance(name, str) for name in runs) else runs:
        parts = [model.get_submodule(name) for name in names]
        for name, made in zip(names, fuser(parts, is_qat, more), strict=True):
            owner, _, last = name.rpartition(".")
            setattr(model.get_submodule(owner), last, made)
    return model


def fuse_modules(
    model: Module,
    modules_to_fuse: Any,
    inplace: bool = False,
    fuser_func: Any = fuse_known_modules,
    fuse_custom_config_dict: Any = None,
) -> Module:
    """A copy whose runs of layers, given by name, are one module each; for evaluation.

    Args:
        modules_to_fuse: a list of names, or several.
        inplace: change the model itself.

    Raises:
        AssertionError: the layers do not make one, or train.
    """
    return _fuse(model, modules_to_fuse, False, inplace, fuser_func, fuse_custom_config_dict)


def fuse_modules_qat(
    model: Module,
    modules_to_fuse: Any,
    inplace: bool = False,
    fuser_func: Any = fuse_known_modules,
    fuse_custom_config_dict: Any = None,
) -> Module:
    """`fuse_modules` for a model that is going to train with rounding."""
    return _fuse(model, modules_to_fuse, True, inplace, fuser_func, fuse_custom_config_dict)
