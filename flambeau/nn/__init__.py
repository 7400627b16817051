"""Layers and what belongs to them, under PyTorch's names.

``modules`` holds the layers, ``functional`` the same as functions, ``init`` the initialisations,
``utils`` the tools around modules. Stands on the tensors' public operations.
"""

from importlib import import_module

from flambeau.nn import _reduction as _reduction
from flambeau.nn import (
    attention,
    common_types,
    functional,
    grad,
    init,
    modules,
    parallel,
    parameter,
    utils,
)
from flambeau.nn.modules import *
from flambeau.nn.parallel import DataParallel
from flambeau.nn.parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter

__all__ = list(modules.__all__)
__all__ += [
    "Buffer",
    "DataParallel",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "attention",
    "common_types",
    "factory_kwargs",
    "functional",
    "grad",
    "init",
    "modules",
    "parallel",
    "parameter",
    "utils",
]


def factory_kwargs(kwargs: dict | None) -> dict:
    """The arguments of a tensor factory (device, dtype, memory_format) among ``kwargs``.

    Those in ``kwargs["factory_kwargs"]`` are joined.

    Raises:
        TypeError: another argument, or one given in both places.
    """
    if kwargs is None:
        return {}
    names = {"device", "dtype", "memory_format"}
    if not kwargs.keys() <= {"factory_kwargs", *names}:
        raise TypeError(f"unexpected kwargs {kwargs.keys() - {'factory_kwargs', *names}}")
    result = dict(kwargs.get("factory_kwargs", {}))
    for name in names & kwargs.keys():
        if name in result:
            raise TypeError(f"{name} specified twice, in **kwargs and in factory_kwargs")
        result[name] = kwargs[name]
    return result


def __getattr__(name: str) -> object:
    """The rooms of quantised layers load at first use.

    Raises:
        AttributeError: no such name; the nearest one is suggested.
    """
    if name in ("intrinsic", "qat", "quantized"):
        return import_module(f"flambeau.nn.{name}")
    from flambeau.shim.suggest import missing

    raise missing("torch.nn", name, globals())
