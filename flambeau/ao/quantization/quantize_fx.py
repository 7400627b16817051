"""Models quantised through their graphs: `fuse_fx`, `prepare_fx`, `prepare_qat_fx`, `convert_fx`.

The model is traced, so its layers need no stubs and sums no `FloatFunctional`. Stands on
ao.quantization.fx.
"""

from __future__ import annotations

import copy
from typing import Any

from flambeau import nn
from flambeau.ao.quantization.fx.converting import converted
from flambeau.ao.quantization.fx.preparing import observed
from flambeau.ao.quantization.fx.tracing import fused, traced
from flambeau.ao.quantization.qconfig_mapping import QConfigMapping
from flambeau.core.errors import fail
from flambeau.fx import GraphModule

__all__ = ["convert_fx", "fuse_fx", "prepare_fx", "prepare_qat_fx"]

KNOWN = {"preserved_attributes", "non_traceable_module_name", "non_traceable_module_class"}


def _options(name: str, custom: Any, backend: Any = None) -> tuple[Any, Any]:
    """The modules that stay one call, and the attributes that are kept.

    Raises:
        NotImplementedError: something else is asked for.
    """
    if backend is not None:
        raise fail(
            NotImplementedError,
            name,
            "backend_config: there is one backend, whose layers are those of ao.nn.quantized.",
        )
    custom = custom or {}
    if not isinstance(custom, dict):
        custom = custom.to_dict()
    asked = sorted(key for key, value in custom.items() if value and key not in KNOWN)
    if asked:
        raise fail(
            NotImplementedError, name, f"custom_config: of its entries {sorted(KNOWN)} are built, "
            f"given are {asked}.",
        )  # fmt: skip
    skipped = custom.get("non_traceable_module_name"), custom.get("non_traceable_module_class")
    return skipped, custom.get("preserved_attributes", ())


def fuse_fx(
    model: nn.Module, fuse_custom_config: Any = None, backend_config: Any = None
) -> GraphModule:
    """A copy whose layers that follow each other are one, for evaluation: convolutions with batch
    norm and ReLU.

    Raises:
        TraceError: the model decides by values.
    """
    skipped, kept = _options("fuse_fx", fuse_custom_config, backend_config)
    return fused(traced(model, skipped, kept), is_qat=False)


def _prepared(
    name: str, model: nn.Module, mapping: Any, custom: Any, backend: Any, is_qat: bool
) -> GraphModule:
    skipped, kept = _options(name, custom, backend)
    chosen = QConfigMapping.from_dict(mapping) if isinstance(mapping, dict) else mapping
    graph = fused(traced(model, skipped, kept), is_qat)
    return observed(graph, copy.deepcopy(chosen), is_qat)


def prepare_fx(
    model: nn.Module,
    qconfig_mapping: Any,
    example_inputs: tuple[Any, ...],
    prepare_custom_config: Any = None,
    _equalization_config: Any = None,
    backend_config: Any = None,
) -> GraphModule:
    """A copy with observers, to be shown data and then converted by `convert_fx`.

    Args:
        qconfig_mapping: a `QConfigMapping`, or a dictionary of one.
        example_inputs: what the model is called with; it is not run.
        prepare_custom_config: a dictionary: ``preserved_attributes``,
            ``non_traceable_module_name``, ``non_traceable_module_class``.

    Raises:
        TraceError: the model decides by values.
        LookupError: layers that are one have several configurations.
    """
    return _prepared(
        "prepare_fx", model, qconfig_mapping, prepare_custom_config, backend_config, is_qat=False
    )


def prepare_qat_fx(
    model: nn.Module,
    qconfig_mapping: Any,
    example_inputs: tuple[Any, ...],
    prepare_custom_config: Any = None,
    backend_config: Any = None,
) -> GraphModule:
    """A copy that trains with the rounding of its weights and values, to be converted by
    `convert_fx`.

    Args, Raises: as for `prepare_fx`.
    """
    return _prepared(
        "prepare_qat_fx", model, qconfig_mapping, prepare_custom_config, backend_config, is_qat=True
    )


def convert_fx(
    graph_module: GraphModule,
    convert_custom_config: Any = None,
    _remove_qconfig: bool = True,
    qconfig_mapping: Any = None,
    backend_config: Any = None,
    keep_original_weights: bool = False,
) -> GraphModule:
    """A copy of an observed model that computes with integers.

    Raises:
        NotImplementedError: another mapping or a backend is given, or float weights are to be kept.
    """
    _, kept = _options("convert_fx", convert_custom_config, backend_config)
    if qconfig_mapping is not None or keep_original_weights:
        raise fail(
            NotImplementedError,
            "convert_fx",
            "qconfig_mapping and keep_original_weights: give the mapping to prepare_fx, and keep "
            "the model itself.",
        )
    model = copy.deepcopy(graph_module)
    made = converted(model, _remove_qconfig)
    for name in kept:
        setattr(made, name, getattr(graph_module, name))
    return made
