"""flambeau: PyTorch's programming model in Python, down to the kernels.

`import flambeau as torch` works; `python -m flambeau script.py` runs a PyTorch script nobody
changed. This file gathers the public names; every one of them is defined in the room that its
module names. Sub-packages load at first use (PEP 562).
"""

from __future__ import annotations

import sys as _sys

if getattr(_sys, "argv", [])[:1] == [
    "-m"
]:  # `python -m flambeau`: the runner starts without the engine
    from flambeau.shim.start import start_program

    start_program()

from importlib import import_module as _import_module
from math import e, inf, nan, pi
from typing import Any as _Any

from flambeau.autograd.modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from flambeau.core import declare as _declare
from flambeau.core import dtypes as _dtypes
from flambeau.core import factory as _factory
from flambeau.core import late as _late
from flambeau.core import layout as _layout
from flambeau.core import ops as _ops
from flambeau.core import resume as _resume
from flambeau.core.device import device, set_default_device
from flambeau.core.dtypes import dtype, finfo, get_default_dtype, iinfo, set_default_dtype
from flambeau.core.errors import OutOfMemoryError
from flambeau.core.layout import layout, memory_format
from flambeau.core.legacy import TENSOR_TYPES as _TENSOR_TYPES
from flambeau.core.methods import attributes as _attributes
from flambeau.core.methods import conversion as _conversion
from flambeau.core.methods import exchange as _exchange
from flambeau.core.methods import gradient as _gradient
from flambeau.core.methods import old as _old
from flambeau.core.promotion import can_cast, promote_types
from flambeau.core.repr import get_printoptions, set_printoptions
from flambeau.core.size import Size
from flambeau.core.tensor import Tensor
from flambeau.core.untyped import StorageBase, TypedStorage, UntypedStorage
from flambeau.random import (
    Generator,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)
from flambeau.settings import *

__version__ = "0.1.0"
newaxis = None
torch = _sys.modules[__name__]  # PyTorch's package has itself as a name too

globals().update(_dtypes.DTYPES | _dtypes.ALIASES)
globals().update(_TENSOR_TYPES)
globals().update(_declare.FUNCTIONS)

for _name in _layout.__all__:
    _value = getattr(_layout, _name)
    if isinstance(_value, (layout, memory_format)):
        globals()[_name] = _value

legacy_contiguous_format = _layout.contiguous_format

_LAZY = frozenset(
    (
        "accelerator",
        "_C",
        "_dynamo",
        "_higher_order_ops",
        "_tensor_str",
        "_subclasses",
        "_utils",
        "__config__",
        "__future__",
        "amp",
        "ao",
        "autograd",
        "backends",
        "compat",
        "compiler",
        "cpu",
        "cuda",
        "diagnostics",
        "distributed",
        "distributions",
        "export",
        "fft",
        "func",
        "fx",
        "functional",
        "futures",
        "hub",
        "jit",
        "library",
        "linalg",
        "masked",
        "monitor",
        "mps",
        "mtia",
        "multiprocessing",
        "nested",
        "nn",
        "onnx",
        "optim",
        "overrides",
        "profiler",
        "quantization",
        "quasirandom",
        "random",
        "return_types",
        "serialization",
        "shim",
        "signal",
        "sparse",
        "special",
        "storage",
        "testing",
        "torch_version",
        "types",
        "utils",
        "version",
        "vision",
        "xpu",
    )
)
_ELSEWHERE = {
    "unregistered": "nn.modules._unregistered",
    "why_error": "diagnostics",
    "why_nan_grad": "autograd.why",
    "why_no_grad": "autograd.why",
    "compile": "compiler",
    "Tag": "library.tags",
    "PyTorchFileReader": "serialization.records",
    "load": "serialization",
    "save": "serialization",
    "vmap": "func",
    "AcceleratorError": "accelerator",
    "ScriptFunction": "jit",
    "ScriptModule": "jit",
    "fork": "jit",
    "set_anomaly_enabled": "autograd.modes",
    "to_dlpack": "utils.dlpack",
    "wait": "jit",
    **dict.fromkeys(
        (
            "SymBool",
            "SymFloat",
            "SymInt",
            "cond",
            "sym_float",
            "sym_int",
            "sym_ite",
            "sym_max",
            "sym_min",
            "sym_not",
            "sym_sqrt",
            "sym_sum",
            "while_loop",
        ),
        "symbolic",
    ),
    **dict.fromkeys(
        (
            "BFloat16Storage",
            "BoolStorage",
            "ByteStorage",
            "CharStorage",
            "ComplexDoubleStorage",
            "ComplexFloatStorage",
            "DoubleStorage",
            "FloatStorage",
            "HalfStorage",
            "IntStorage",
            "LongStorage",
            "ShortStorage",
            "Storage",
            "from_file",
        ),
        "storage",
    ),
    "TensorType": "jit.marks",
    "_assert": "symbolic",
    "_assert_async": "symbolic",
    **dict.fromkeys(
        (
            "_empty_affine_quantized",
            "_empty_per_channel_affine_quantized",
            "_make_per_channel_quantized_tensor",
            "_make_per_tensor_quantized_tensor",
            "dequantize",
            "int_repr",
            "q_per_channel_axis",
            "q_per_channel_scales",
            "q_per_channel_zero_points",
            "q_scale",
            "q_zero_point",
        ),
        "ao.quantization.functions",
    ),
    **dict.fromkeys(
        ("quantize_per_channel", "quantize_per_tensor", "quantize_per_tensor_dynamic"),
        "ao.quantization.tensor",
    ),
    **dict.fromkeys(
        (
            "per_channel_affine",
            "per_channel_affine_float_qparams",
            "per_channel_symmetric",
            "per_tensor_affine",
            "per_tensor_symmetric",
            "qint32",
            "qint8",
            "qscheme",
            "quint2x4",
            "quint4x2",
            "quint8",
        ),
        "ao.quantization.schemes",
    ),
    **dict.fromkeys(
        (
            "fake_quantize_per_channel_affine",
            "fake_quantize_per_tensor_affine",
            "fused_moving_avg_obs_fake_quant",
        ),
        "ao.quantization.fake",
    ),
    **dict.fromkeys(
        (
            "addmv_",
            "as_strided_",
            "ccol_indices_copy",
            "col_indices_copy",
            "crow_indices_copy",
            "indices_copy",
            "row_indices_copy",
            "values_copy",
        ),
        "copies",
    ),
    "jagged": "nested",
    "autocast": "amp",
    "GradScaler": "amp",
    "is_autocast_enabled": "amp",
    "set_autocast_enabled": "amp",
    "get_autocast_dtype": "amp",
    "Future": "futures",
    "DisableTorchFunctionSubclass": "overrides",
    "thread_safe_generator": "random",
    "Event": "cpu",
    "Stream": "cpu",
    "is_anomaly_enabled": "autograd",
    "is_anomaly_check_nan_enabled": "autograd",
    "set_autocast_dtype": "amp",
    "ops": "library",
    **dict.fromkeys(
        (
            "autocast_decrement_nesting",
            "autocast_increment_nesting",
            "clear_autocast_cache",
            "get_autocast_cpu_dtype",
            "get_autocast_gpu_dtype",
            "is_autocast_cache_enabled",
            "is_autocast_cpu_enabled",
            "set_autocast_cache_enabled",
            "set_autocast_cpu_dtype",
            "set_autocast_cpu_enabled",
            "set_autocast_gpu_dtype",
        ),
        "amp",
    ),
}


def __getattr__(name: str) -> _Any:
    """Sub-packages, names that stand in one, and late operations load at first use.

    Raises:
        AttributeError: no such name; the nearest one is suggested.
    """
    if name in _late.FUNCTIONS:
        _late.load(_late.FUNCTIONS[name])
        function = globals()[name] = _declare.FUNCTIONS[name]
        return function
    room = name if name in _LAZY else _ELSEWHERE.get(name)
    if name.startswith("_foreach_"):
        room = "foreach"
    if room is not None:
        try:
            module = _import_module(f"flambeau.{room}")
        except ModuleNotFoundError as error:
            if error.name != f"flambeau.{room}":
                raise
            raise AttributeError(
                f"module 'torch' has no attribute '{name}': flambeau, which stands in for "
                f"PyTorch, has no torch.{room} yet."
            ) from None
        if name in _LAZY:
            return module
        if hasattr(module, name):
            value = globals()[name] = getattr(module, name)
            return value
    if name.startswith("__"):
        raise AttributeError(f"module 'flambeau' has no attribute '{name}'")
    from flambeau.shim.suggest import missing

    raise missing("torch", name, __dir__())


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *_ELSEWHERE, *_late.FUNCTIONS})


_resume()
