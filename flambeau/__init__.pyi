"""flambeau: PyTorch's programming model in Python, down to the kernels.

Written by scripts/stubs.py; change what it was made from."""

import builtins
from collections.abc import Sequence
from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi
from typing import Any, NoReturn

import numpy as np

from flambeau import accelerator as accelerator
from flambeau import amp as amp
from flambeau import ao as ao
from flambeau import autograd as autograd
from flambeau import backends as backends
from flambeau import compat as compat
from flambeau import compiler as compiler
from flambeau import cpu as cpu
from flambeau import cuda as cuda
from flambeau import diagnostics as diagnostics
from flambeau import distributed as distributed
from flambeau import distributions as distributions
from flambeau import export as export
from flambeau import fft as fft
from flambeau import func as func
from flambeau import functional as functional
from flambeau import futures as futures
from flambeau import fx as fx
from flambeau import hub as hub
from flambeau import jit as jit
from flambeau import library as library
from flambeau import linalg as linalg
from flambeau import masked as masked
from flambeau import monitor as monitor
from flambeau import mps as mps
from flambeau import mtia as mtia
from flambeau import multiprocessing as multiprocessing
from flambeau import nested as nested
from flambeau import nn as nn
from flambeau import onnx as onnx
from flambeau import optim as optim
from flambeau import overrides as overrides
from flambeau import profiler as profiler
from flambeau import quantization as quantization
from flambeau import quasirandom as quasirandom
from flambeau import random as random
from flambeau import return_types as return_types
from flambeau import serialization as serialization
from flambeau import shim as shim
from flambeau import signal as signal
from flambeau import sparse as sparse
from flambeau import special as special
from flambeau import storage as storage
from flambeau import testing as testing
from flambeau import torch_version as torch_version
from flambeau import types as types
from flambeau import utils as utils
from flambeau import version as version
from flambeau import vision as vision
from flambeau import xpu as xpu
from flambeau.accelerator import AcceleratorError as AcceleratorError
from flambeau.amp import GradScaler as GradScaler
from flambeau.amp import autocast as autocast
from flambeau.amp import autocast_decrement_nesting as autocast_decrement_nesting
from flambeau.amp import autocast_increment_nesting as autocast_increment_nesting
from flambeau.amp import clear_autocast_cache as clear_autocast_cache
from flambeau.amp import get_autocast_cpu_dtype as get_autocast_cpu_dtype
from flambeau.amp import get_autocast_dtype as get_autocast_dtype
from flambeau.amp import get_autocast_gpu_dtype as get_autocast_gpu_dtype
from flambeau.amp import is_autocast_cache_enabled as is_autocast_cache_enabled
from flambeau.amp import is_autocast_cpu_enabled as is_autocast_cpu_enabled
from flambeau.amp import is_autocast_enabled as is_autocast_enabled
from flambeau.amp import set_autocast_cache_enabled as set_autocast_cache_enabled
from flambeau.amp import set_autocast_cpu_dtype as set_autocast_cpu_dtype
from flambeau.amp import set_autocast_cpu_enabled as set_autocast_cpu_enabled
from flambeau.amp import set_autocast_dtype as set_autocast_dtype
from flambeau.amp import set_autocast_enabled as set_autocast_enabled
from flambeau.amp import set_autocast_gpu_dtype as set_autocast_gpu_dtype
from flambeau.ao.quantization.fake import (
    fake_quantize_per_channel_affine as fake_quantize_per_channel_affine,
)
from flambeau.ao.quantization.fake import (
    fake_quantize_per_tensor_affine as fake_quantize_per_tensor_affine,
)
from flambeau.ao.quantization.fake import (
    fused_moving_avg_obs_fake_quant as fused_moving_avg_obs_fake_quant,
)
from flambeau.ao.quantization.functions import dequantize as dequantize
from flambeau.ao.quantization.functions import int_repr as int_repr
from flambeau.ao.quantization.functions import q_per_channel_axis as q_per_channel_axis
from flambeau.ao.quantization.functions import q_per_channel_scales as q_per_channel_scales
from flambeau.ao.quantization.functions import (
    q_per_channel_zero_points as q_per_channel_zero_points,
)
from flambeau.ao.quantization.functions import q_scale as q_scale
from flambeau.ao.quantization.functions import q_zero_point as q_zero_point
from flambeau.ao.quantization.schemes import per_channel_affine as per_channel_affine
from flambeau.ao.quantization.schemes import (
    per_channel_affine_float_qparams as per_channel_affine_float_qparams,
)
from flambeau.ao.quantization.schemes import per_channel_symmetric as per_channel_symmetric
from flambeau.ao.quantization.schemes import per_tensor_affine as per_tensor_affine
from flambeau.ao.quantization.schemes import per_tensor_symmetric as per_tensor_symmetric
from flambeau.ao.quantization.schemes import qint8 as qint8
from flambeau.ao.quantization.schemes import qint32 as qint32
from flambeau.ao.quantization.schemes import qscheme as qscheme
from flambeau.ao.quantization.schemes import quint2x4 as quint2x4
from flambeau.ao.quantization.schemes import quint4x2 as quint4x2
from flambeau.ao.quantization.schemes import quint8 as quint8
from flambeau.ao.quantization.tensor import quantize_per_channel as quantize_per_channel
from flambeau.ao.quantization.tensor import quantize_per_tensor as quantize_per_tensor
from flambeau.ao.quantization.tensor import (
    quantize_per_tensor_dynamic as quantize_per_tensor_dynamic,
)
from flambeau.autograd import is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled
from flambeau.autograd import is_anomaly_enabled as is_anomaly_enabled
from flambeau.autograd.modes import enable_grad as enable_grad
from flambeau.autograd.modes import inference_mode as inference_mode
from flambeau.autograd.modes import is_grad_enabled as is_grad_enabled
from flambeau.autograd.modes import is_inference_mode_enabled as is_inference_mode_enabled
from flambeau.autograd.modes import no_grad as no_grad
from flambeau.autograd.modes import set_anomaly_enabled as set_anomaly_enabled
from flambeau.autograd.modes import set_grad_enabled as set_grad_enabled
from flambeau.autograd.why import why_nan_grad as why_nan_grad
from flambeau.autograd.why import why_no_grad as why_no_grad
from flambeau.compiler import compile as compile
from flambeau.copies import addmv_ as addmv_
from flambeau.copies import as_strided_ as as_strided_
from flambeau.copies import ccol_indices_copy as ccol_indices_copy
from flambeau.copies import col_indices_copy as col_indices_copy
from flambeau.copies import crow_indices_copy as crow_indices_copy
from flambeau.copies import indices_copy as indices_copy
from flambeau.copies import row_indices_copy as row_indices_copy
from flambeau.copies import values_copy as values_copy
from flambeau.core.device import device as device
from flambeau.core.device import set_default_device as set_default_device
from flambeau.core.dtypes import dtype as _dtype
from flambeau.core.dtypes import dtype as dtype
from flambeau.core.dtypes import finfo as finfo
from flambeau.core.dtypes import get_default_dtype as get_default_dtype
from flambeau.core.dtypes import iinfo as iinfo
from flambeau.core.dtypes import set_default_dtype as set_default_dtype
from flambeau.core.errors import OutOfMemoryError as OutOfMemoryError
from flambeau.core.layout import layout as _layout
from flambeau.core.layout import layout as layout
from flambeau.core.layout import memory_format as _memory_format
from flambeau.core.layout import memory_format as memory_format
from flambeau.core.ops.windowing import Ints
from flambeau.core.promotion import can_cast as can_cast
from flambeau.core.promotion import promote_types as promote_types
from flambeau.core.random.generator import Generator as _Generator
from flambeau.core.repr import get_printoptions as get_printoptions
from flambeau.core.repr import set_printoptions as set_printoptions
from flambeau.core.size import Size as Size
from flambeau.core.size import Size as _Size
from flambeau.core.tensor import Tensor as Tensor
from flambeau.core.tensor import Tensor as _Tensor
from flambeau.core.untyped import StorageBase as StorageBase
from flambeau.core.untyped import TypedStorage as TypedStorage
from flambeau.core.untyped import UntypedStorage as UntypedStorage
from flambeau.cpu import Event as Event
from flambeau.cpu import Stream as Stream
from flambeau.diagnostics import why_error as why_error
from flambeau.func import vmap as vmap
from flambeau.futures import Future as Future
from flambeau.jit import ScriptFunction as ScriptFunction
from flambeau.jit import ScriptModule as ScriptModule
from flambeau.jit import fork as fork
from flambeau.jit import wait as wait
from flambeau.jit.marks import TensorType as TensorType
from flambeau.library import ops as ops
from flambeau.library.tags import Tag as Tag
from flambeau.nested import jagged as jagged
from flambeau.nn.modules._unregistered import unregistered as unregistered
from flambeau.overrides import DisableTorchFunctionSubclass as DisableTorchFunctionSubclass
from flambeau.random import Generator as Generator
from flambeau.random import default_generator as default_generator
from flambeau.random import get_rng_state as get_rng_state
from flambeau.random import initial_seed as initial_seed
from flambeau.random import manual_seed as manual_seed
from flambeau.random import seed as seed
from flambeau.random import set_rng_state as set_rng_state
from flambeau.random import thread_safe_generator as thread_safe_generator
from flambeau.serialization import load as load
from flambeau.serialization import save as save
from flambeau.serialization.records import PyTorchFileReader as PyTorchFileReader
from flambeau.settings import *
from flambeau.storage import BFloat16Storage as BFloat16Storage
from flambeau.storage import BoolStorage as BoolStorage
from flambeau.storage import ByteStorage as ByteStorage
from flambeau.storage import CharStorage as CharStorage
from flambeau.storage import ComplexDoubleStorage as ComplexDoubleStorage
from flambeau.storage import ComplexFloatStorage as ComplexFloatStorage
from flambeau.storage import DoubleStorage as DoubleStorage
from flambeau.storage import FloatStorage as FloatStorage
from flambeau.storage import HalfStorage as HalfStorage
from flambeau.storage import IntStorage as IntStorage
from flambeau.storage import LongStorage as LongStorage
from flambeau.storage import ShortStorage as ShortStorage
from flambeau.storage import Storage as Storage
from flambeau.storage import from_file as from_file
from flambeau.symbolic import SymBool as SymBool
from flambeau.symbolic import SymFloat as SymFloat
from flambeau.symbolic import SymInt as SymInt
from flambeau.symbolic import cond as cond
from flambeau.symbolic import sym_float as sym_float
from flambeau.symbolic import sym_int as sym_int
from flambeau.symbolic import sym_ite as sym_ite
from flambeau.symbolic import sym_max as sym_max
from flambeau.symbolic import sym_min as sym_min
from flambeau.symbolic import sym_not as sym_not
from flambeau.symbolic import sym_sqrt as sym_sqrt
from flambeau.symbolic import sym_sum as sym_sum
from flambeau.symbolic import while_loop as while_loop
from flambeau.utils.dlpack import to_dlpack as to_dlpack

BFloat16Tensor: Any
BoolTensor: Any
ByteTensor: Any
CharTensor: Any
DoubleTensor: Any
FloatTensor: Any
HalfTensor: Any
IntTensor: Any
LongTensor: Any
ShortTensor: Any
bfloat16: _dtype
bool: _dtype
cdouble: _dtype
cfloat: _dtype
chalf: _dtype
channels_last: _memory_format
channels_last_3d: _memory_format
complex128: _dtype
complex32: _dtype
complex64: _dtype
contiguous_format: _memory_format
double: _dtype
float: _dtype
float16: _dtype
float32: _dtype
float64: _dtype
float8_e4m3fn: _dtype
float8_e4m3fnuz: _dtype
float8_e5m2: _dtype
float8_e5m2fnuz: _dtype
float8_e8m0fnu: _dtype
half: _dtype
int: _dtype
int16: _dtype
int32: _dtype
int64: _dtype
int8: _dtype
legacy_contiguous_format: _memory_format
long: _dtype
newaxis: None
preserve_format: _memory_format
short: _dtype
sparse_bsc: _layout
sparse_bsr: _layout
sparse_coo: _layout
sparse_csc: _layout
sparse_csr: _layout
strided: _layout
uint16: _dtype
uint32: _dtype
uint64: _dtype
uint8: _dtype

def abs(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The absolute value; the modulus of complex numbers. Its gradient at 0 is 0."""

def abs_(input: _Tensor) -> _Tensor:
    """`abs` in place."""

def absolute(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The absolute value; the modulus of complex numbers. Its gradient at 0 is 0."""

def absolute_(input: _Tensor) -> _Tensor:
    """`abs` in place."""

def acos(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The angle whose cosine is input; NaN outside [-1, 1]."""

def acos_(input: _Tensor) -> _Tensor:
    """`acos` written into the tensor itself. The angle whose cosine is input; NaN ..."""

def acosh(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The inverse of cosh; NaN below 1."""

def acosh_(input: _Tensor) -> _Tensor:
    """`acosh` written into the tensor itself. The inverse of cosh; NaN below 1."""

def adaptive_avg_pool1d(*args: Any, **kwargs: Any) -> Any:
    """Adaptive average pooling in one dimension."""

def adaptive_max_pool1d(*args: Any, **kwargs: Any) -> Any:
    """Adaptive max pooling: (values, indices)."""

def add(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    alpha: Any = 1,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input + alpha * other``, with promotion and broadcasting."""

def addbmm(
    input: _Tensor,
    batch1: _Tensor,
    batch2: _Tensor,
    *,
    beta: Any = 1,
    alpha: Any = 1,
    out: _Tensor | None = None,
) -> _Tensor:
    """``beta * input + alpha * sum over i of (batch1[i] @ batch2[i])``."""

def addcdiv(
    input: _Tensor,
    tensor1: _Tensor | builtins.complex,
    tensor2: _Tensor | builtins.complex,
    *,
    value: Any = 1,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input + value * tensor1 / tensor2``."""

def addcmul(
    input: _Tensor,
    tensor1: _Tensor | builtins.complex,
    tensor2: _Tensor | builtins.complex,
    *,
    value: Any = 1,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input + value * tensor1 * tensor2``."""

def addmm(
    input: _Tensor,
    mat1: _Tensor,
    mat2: _Tensor,
    *,
    beta: Any = 1,
    alpha: Any = 1,
    out: _Tensor | None = None,
) -> _Tensor:
    """``beta * input + alpha * (mat1 @ mat2)``."""

def addmv(
    input: _Tensor,
    mat: _Tensor,
    vec: _Tensor,
    *,
    beta: Any = 1,
    alpha: Any = 1,
    out: _Tensor | None = None,
) -> _Tensor:
    """``beta * input + alpha * (mat @ vec)``."""

def addr(
    input: _Tensor,
    vec1: _Tensor,
    vec2: _Tensor,
    *,
    beta: Any = 1,
    alpha: Any = 1,
    out: _Tensor | None = None,
) -> _Tensor:
    """``beta * input + alpha * outer(vec1, vec2)``; for bools ``or`` and ``and``."""

def adjoint(input: _Tensor) -> _Tensor:
    """The conjugate transpose of the last two dimensions; of a 0-d tensor its conjugate."""

def affine_grid_generator(theta: _Tensor, size: Any, align_corners: builtins.bool) -> _Tensor:
    """The sampling grid (N, *S, d) of affine maps ``theta`` (N, d, d + 1) over ..."""

def alias_copy(input: _Tensor, *args: Any, out: _Tensor | None = None, **kwargs: Any) -> _Tensor:
    """`alias`, copied."""

def all(
    input: _Tensor,
    dim: Any = None,
    keepdim: builtins.bool = False,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """Whether all elements are true, over dimensions `dim` (all of them by default)."""

def allclose(
    input: _Tensor,
    other: _Tensor,
    rtol: builtins.float = 1e-05,
    atol: builtins.float = 1e-08,
    equal_nan: builtins.bool = False,
) -> builtins.bool:
    """Whether `isclose` holds everywhere."""

def alpha_dropout(input: _Tensor, p: builtins.float, train: builtins.bool) -> _Tensor:
    """Dropout that keeps mean 0 and variance 1: dropped units become SELU's negative ..."""

def alpha_dropout_(input: _Tensor, p: builtins.float, train: builtins.bool) -> _Tensor:
    """In-place :func:`alpha_dropout`."""

def amax(
    input: _Tensor,
    dim: Any = (),
    keepdim: builtins.bool = False,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The largest elements over `dim` (all by default); ties share the gradient evenly."""

def amin(
    input: _Tensor,
    dim: Any = (),
    keepdim: builtins.bool = False,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The smallest elements over `dim` (all by default); ties share the gradient evenly."""

def aminmax(
    input: _Tensor,
    *,
    dim: Any = None,
    keepdim: builtins.bool = False,
    out: Any = None,
    **numpy: Any,
) -> Any:
    """The smallest and the largest elements, of all or along `dim`."""

def angle(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The angle of a complex number; 0 or pi for real ones, NaN for NaN."""

def any(
    input: _Tensor,
    dim: Any = None,
    keepdim: builtins.bool = False,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """Whether any element is true, over dimensions `dim` (all of them by default)."""

def arange(
    start: Any = None,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    **opts: Any,
) -> _Tensor:
    """The numbers start, start + step, ... below `end`: ``ceil((end - start) / step)`` ..."""

def arccos(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The angle whose cosine is input; NaN outside [-1, 1]."""

def arccos_(input: _Tensor) -> _Tensor:
    """`acos` written into the tensor itself. The angle whose cosine is input; NaN ..."""

def arccosh(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The inverse of cosh; NaN below 1."""

def arccosh_(input: _Tensor) -> _Tensor:
    """`acosh` written into the tensor itself. The inverse of cosh; NaN below 1."""

def arcsin(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The angle whose sine is input; NaN outside [-1, 1]."""

def arcsin_(input: _Tensor) -> _Tensor:
    """`asin` written into the tensor itself. The angle whose sine is input; NaN ..."""

def arcsinh(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The inverse of sinh."""

def arcsinh_(input: _Tensor) -> _Tensor:
    """`asinh` written into the tensor itself. The inverse of sinh."""

def arctan(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The angle in (-pi/2, pi/2) whose tangent is input."""

def arctan2(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The angle of the point (other, input), in (-pi, pi]."""

def arctan_(input: _Tensor) -> _Tensor:
    """`atan` written into the tensor itself. The angle in (-pi/2, pi/2) whose tangent ..."""

def arctanh(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The inverse of tanh; NaN outside [-1, 1]."""

def arctanh_(input: _Tensor) -> _Tensor:
    """`atanh` written into the tensor itself. The inverse of tanh; NaN outside [-1, 1]."""

def argmax(
    input: _Tensor,
    dim: Any = None,
    keepdim: builtins.bool = False,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The index of the largest element along `dim`, or of all; the first of equal ones."""

def argmin(
    input: _Tensor,
    dim: Any = None,
    keepdim: builtins.bool = False,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The index of the smallest element along `dim`, or of all; the first of equal ones."""

def argsort(
    input: _Tensor,
    dim: builtins.int = -1,
    descending: builtins.bool = False,
    *,
    stable: builtins.bool = False,
    axis: builtins.int | None = None,
) -> _Tensor:
    """The indices that put the tensor in order along `dim`."""

def argwhere(input: _Tensor) -> _Tensor:
    """The index of each nonzero element, a row each."""

def as_strided(
    input: _Tensor,
    size: Any,
    stride: Any,
    storage_offset: builtins.int | None = None,
) -> _Tensor:
    """A view of the storage with the given sizes, strides and offset (in elements)."""

def as_strided_copy(
    input: _Tensor,
    *args: Any,
    out: _Tensor | None = None,
    **kwargs: Any,
) -> _Tensor:
    """`as_strided`, copied."""

def as_strided_scatter(
    input: _Tensor,
    src: _Tensor,
    size: Any,
    stride: Any,
    storage_offset: builtins.int | None = None,
    *,
    out: Any = None,
) -> _Tensor:
    """A copy of the input's geometry with `src` in a strided view of it."""

def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> _Tensor:
    """A tensor of `data`, sharing its memory and history where dtype and device allow."""

def asarray(
    obj: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    copy: builtins.bool | None = None,
    requires_grad: builtins.bool | None = None,
) -> _Tensor:
    """A tensor of `obj` (array, tensor, DLPack object, buffer, storage, sequence)."""

def asin(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The angle whose sine is input; NaN outside [-1, 1]."""

def asin_(input: _Tensor) -> _Tensor:
    """`asin` written into the tensor itself. The angle whose sine is input; NaN ..."""

def asinh(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The inverse of sinh."""

def asinh_(input: _Tensor) -> _Tensor:
    """`asinh` written into the tensor itself. The inverse of sinh."""

def atan(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The angle in (-pi/2, pi/2) whose tangent is input."""

def atan2(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The angle of the point (other, input), in (-pi, pi]."""

def atan_(input: _Tensor) -> _Tensor:
    """`atan` written into the tensor itself. The angle in (-pi/2, pi/2) whose tangent ..."""

def atanh(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The inverse of tanh; NaN outside [-1, 1]."""

def atanh_(input: _Tensor) -> _Tensor:
    """`atanh` written into the tensor itself. The inverse of tanh; NaN outside [-1, 1]."""

def atleast_1d(*tensors: Any) -> Any:
    """Each tensor with at least 1 dimension."""

def atleast_2d(*tensors: Any) -> Any:
    """Each tensor with at least 2 dimensions; new ones in front."""

def atleast_3d(*tensors: Any) -> Any:
    """Each tensor with at least 3 dimensions:"""

def avg_pool1d(*args: Any, **kwargs: Any) -> Any:
    """Average pooling in one dimension."""

def baddbmm(
    input: _Tensor,
    batch1: _Tensor,
    batch2: _Tensor,
    *,
    beta: Any = 1,
    alpha: Any = 1,
    out: _Tensor | None = None,
) -> _Tensor:
    """``beta * input[i] + alpha * (batch1[i] @ batch2[i])`` for every i."""

def bartlett_window(
    window_length: builtins.int,
    periodic: builtins.bool = True,
    **options: Any,
) -> _Tensor:
    """A triangle: ``1 - abs(2 n / N - 1)``; N is the length, less one where not ..."""

def batch_norm(
    input: _Tensor,
    weight: _Tensor | None,
    bias: _Tensor | None,
    running_mean: _Tensor | None,
    running_var: _Tensor | None,
    training: builtins.bool,
    momentum: builtins.float,
    eps: builtins.float,
    cudnn_enabled: builtins.bool = True,
) -> _Tensor:
    """``(input - mean) / sqrt(var + eps) * weight + bias`` over (N, C, *), by channel."""

def bernoulli(
    input: _Tensor,
    p: Any = None,
    *,
    generator: Any = None,
    out: _Tensor | None = None,
) -> _Tensor:
    """Ones and zeros: one with the probability that stands in ``input`` (or ``p`` ..."""

def bilinear(
    input1: _Tensor,
    input2: _Tensor,
    weight: _Tensor,
    bias: _Tensor | None = None,
) -> _Tensor:
    """``out[*, k] = input1[*, i] weight[k, i, j] input2[*, j] + bias[k]``."""

def binary_cross_entropy_with_logits(
    input: _Tensor,
    target: _Tensor,
    weight: _Tensor | None = None,
    pos_weight: _Tensor | None = None,
    reduction: builtins.int = 0,
) -> _Tensor:
    """Binary cross entropy of ``sigmoid(input)``, computed without overflow; of the ..."""

def bincount(
    input: _Tensor,
    weights: _Tensor | None = None,
    minlength: builtins.int = 0,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """How often each number 0, 1, 2, ... stands in a vector, or the sum of its `weights`."""

def binomial(
    count: _Tensor,
    prob: _Tensor,
    generator: Any = None,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """Numbers of successes in ``count`` trials of probability ``prob``, elementwise ..."""

def bitwise_and(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input & other``, bit by bit; logical for bool."""

def bitwise_left_shift(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input << other``; 0 where `other` is negative or as large as the width."""

def bitwise_not(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``~input``: every bit turned; logical for bool."""

def bitwise_or(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input | other``, bit by bit; logical for bool."""

def bitwise_right_shift(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input >> other`` with the sign kept; all sign where `other` is negative or as ..."""

def bitwise_xor(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input ^ other``, bit by bit; logical for bool."""

def blackman_window(
    window_length: builtins.int,
    periodic: builtins.bool = True,
    **options: Any,
) -> _Tensor:
    """``0.42 - 0.5 cos(2 pi n / N) + 0.08 cos(4 pi n / N)``; N is the length, less one ..."""

def block_diag(*tensors: Any) -> _Tensor:
    """The block-diagonal matrix of the given matrices (vectors and scalars are rows)."""

def bmm(input: _Tensor, mat2: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``input[i] @ mat2[i]`` for every i."""

def broadcast_shapes(*shapes: Any) -> _Size:
    """The shape that tensors of the given shapes broadcast to (an int is a shape of ..."""

def broadcast_tensors(*tensors: Any) -> tuple[_Tensor, ...]:
    """The tensors at their common shape: views, or the tensor itself where it has that ..."""

def broadcast_to(input: _Tensor, size: Any, *sizes: builtins.int) -> _Tensor:
    """The view broadcast to `size`, which may also be given as separate numbers."""

def bucketize(
    input: Any,
    boundaries: _Tensor,
    *,
    out_int32: builtins.bool = False,
    right: builtins.bool = False,
    out: Any = None,
) -> _Tensor:
    """The bucket between ordered `boundaries` of each element: `searchsorted`, turned ..."""

def cartesian_prod(*tensors: Any) -> _Tensor:
    """Every choice of one element from each vector, a row each; of a single vector, ..."""

def cat(
    tensors: Any,
    dim: builtins.int = 0,
    *,
    out: _Tensor | None = None,
    axis: builtins.int | None = None,
) -> _Tensor:
    """The tensors one after another along dimension `dim`; other sizes must agree, ..."""

def cdist(
    x1: _Tensor,
    x2: _Tensor,
    p: builtins.float = 2.0,
    compute_mode: str | None = "use_mm_for_euclid_dist_if_necessary",
) -> _Tensor:
    """The p-norm distance of every row of x1 to every row of x2."""

def ceil(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The smallest whole number not below input."""

def ceil_(input: _Tensor) -> _Tensor:
    """`ceil` written into the tensor itself. The smallest whole number not below input."""

def celu(input: _Tensor, alpha: builtins.float = 1.0) -> _Tensor:
    """``max(input, 0) + min(0, alpha * (exp(input / alpha) - 1))``."""

def celu_(input: _Tensor, alpha: builtins.float = 1.0) -> _Tensor:
    """In-place :func:`celu`."""

def chain_matmul(*matrices: _Tensor, out: Any = None) -> _Tensor:
    """The product of a chain of matrices in the cheapest order."""

def channel_shuffle(input: _Tensor, groups: builtins.int, *, out: _Tensor | None = None) -> _Tensor:
    """(N, C, *S) with the channels of ``groups`` interleaved."""

def cholesky(input: _Tensor, upper: builtins.bool = False, *, out: Any = None) -> _Tensor:
    """`torch.linalg.cholesky`."""

def cholesky_inverse(
    L: _Tensor,
    upper: builtins.bool = False,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The inverse of A from its Cholesky factor."""

def cholesky_solve(
    input: _Tensor,
    L: _Tensor,
    upper: builtins.bool = False,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """X of ``A @ X = input`` from A's Cholesky factor."""

def chunk(
    input: _Tensor,
    chunks: builtins.int,
    dim: builtins.int = 0,
    *,
    axis: builtins.int | None = None,
) -> tuple[_Tensor, ...]:
    """At most `chunks` views of equal size along `dim` (the last may be smaller)."""

def clamp(
    input: _Tensor,
    min: Any = None,
    max: Any = None,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``min(max(input, min), max)``, elementwise; the bounds are numbers or tensors, ..."""

def clamp_(input: _Tensor, min: Any = None, max: Any = None) -> _Tensor:
    """`clamp` in place."""

def clamp_max(input: _Tensor, max: Any, *, out: _Tensor | None = None) -> _Tensor:
    """``min(input, max)``; the gradient passes at the bound."""

def clamp_max_(input: _Tensor, max: Any) -> _Tensor:
    """`clamp_max` in place."""

def clamp_min(input: _Tensor, min: Any, *, out: _Tensor | None = None) -> _Tensor:
    """``max(input, min)``; the gradient passes at the bound."""

def clamp_min_(input: _Tensor, min: Any) -> _Tensor:
    """`clamp_min` in place."""

def clip(
    input: _Tensor,
    min: Any = None,
    max: Any = None,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``min(max(input, min), max)``, elementwise; the bounds are numbers or tensors, ..."""

def clip_(input: _Tensor, min: Any = None, max: Any = None) -> _Tensor:
    """`clamp` in place."""

def clone(input: _Tensor, *, memory_format: Any = ...) -> _Tensor:
    """A copy with memory of its own that stays in the graph."""

def column_stack(tensors: Any, *, out: _Tensor | None = None) -> _Tensor:
    """Tensors as columns: vectors become columns, then all are joined along dimension 1."""

def combinations(
    input: _Tensor,
    r: builtins.int = 2,
    with_replacement: builtins.bool = False,
) -> _Tensor:
    """Every choice of `r` elements of a vector in order, a row each."""

def complex(real: _Tensor, imag: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``real + i * imag``."""

def concat(
    tensors: Any,
    dim: builtins.int = 0,
    *,
    out: _Tensor | None = None,
    axis: builtins.int | None = None,
) -> _Tensor:
    """The tensors one after another along dimension `dim`; other sizes must agree, ..."""

def concatenate(
    tensors: Any,
    dim: builtins.int = 0,
    *,
    out: _Tensor | None = None,
    axis: builtins.int | None = None,
) -> _Tensor:
    """The tensors one after another along dimension `dim`; other sizes must agree, ..."""

def conj(input: _Tensor) -> _Tensor:
    """The complex conjugate; a real tensor itself."""

def conj_physical(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The complex conjugate, computed at once; a real tensor itself."""

def conj_physical_(input: _Tensor) -> _Tensor:
    """The complex conjugate in place."""

def constant_pad_nd(
    input: _Tensor,
    pad: Ints,
    value: Any = 0,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input`` with ``value`` around it:"""

def conv1d(
    input: _Tensor,
    weight: _Tensor,
    bias: _Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: builtins.int = 1,
) -> _Tensor:
    """1-D convolution:"""

def conv2d(
    input: _Tensor,
    weight: _Tensor,
    bias: _Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: builtins.int = 1,
) -> _Tensor:
    """2-D convolution of (N, C, H, W) or (C, H, W) with weight (K, C / groups, kh, ..."""

def conv3d(
    input: _Tensor,
    weight: _Tensor,
    bias: _Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: builtins.int = 1,
) -> _Tensor:
    """3-D convolution of (N, C, D, H, W) or (C, D, H, W); see :func:`conv1d`."""

def conv_tbc(input: _Tensor, weight: _Tensor, bias: _Tensor, pad: builtins.int = 0) -> _Tensor:
    """1-D convolution of (time, batch, C) with weight (kernel, C, K) to (time, batch, K)."""

def conv_transpose1d(
    input: _Tensor,
    weight: _Tensor,
    bias: _Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: builtins.int = 1,
    dilation: Any = 1,
) -> _Tensor:
    """The transpose of :func:`conv1d`: every input element spreads the weight over the ..."""

def conv_transpose2d(
    input: _Tensor,
    weight: _Tensor,
    bias: _Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: builtins.int = 1,
    dilation: Any = 1,
) -> _Tensor:
    """The transpose of :func:`conv2d` on (N, C, H, W) or (C, H, W); see ..."""

def conv_transpose3d(
    input: _Tensor,
    weight: _Tensor,
    bias: _Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: builtins.int = 1,
    dilation: Any = 1,
) -> _Tensor:
    """The transpose of :func:`conv3d` on (N, C, D, H, W) or (C, D, H, W); see ..."""

def convolution(
    input: _Tensor,
    weight: _Tensor,
    bias: _Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: builtins.bool,
    output_padding: Any,
    groups: builtins.int,
    *flags: builtins.bool,
) -> _Tensor:
    """:func:`convolved` with sizes in any form; PyTorch's back end ``flags`` mean ..."""

def convolution_backward(
    grad_output: _Tensor,
    input: _Tensor,
    weight: _Tensor,
    bias_sizes: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: builtins.bool,
    output_padding: Any,
    groups: builtins.int,
    output_mask: Any,
) -> tuple[_Tensor | None, _Tensor | None, _Tensor | None]:
    """The gradients of :func:`convolution` in input, weight and bias, those that ..."""

def copysign(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The magnitude of `input` with the sign of `other`; the sign of -0 counts."""

def corrcoef(input: _Tensor) -> _Tensor:
    """The correlation coefficients of the rows: the covariance, scaled to a diagonal of 1."""

def cos(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The cosine of an angle in radians."""

def cos_(input: _Tensor) -> _Tensor:
    """`cos` written into the tensor itself. The cosine of an angle in radians."""

def cosh(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The hyperbolic cosine."""

def cosh_(input: _Tensor) -> _Tensor:
    """`cosh` written into the tensor itself. The hyperbolic cosine."""

def cosine_embedding_loss(
    input1: _Tensor,
    input2: _Tensor,
    target: _Tensor,
    margin: builtins.float = 0.0,
    reduction: builtins.int = 0,
) -> _Tensor:
    """``1 - cos`` where target is 1, ``max(0, cos - margin)`` where it is -1."""

def cosine_similarity(
    x1: _Tensor,
    x2: _Tensor,
    dim: builtins.int = 1,
    eps: builtins.float = 1e-08,
) -> _Tensor:
    """``x1 . x2 / (max(|x1|, eps) max(|x2|, eps))`` along `dim`."""

def count_nonzero(input: _Tensor, dim: Any = None, *, out: _Tensor | None = None) -> _Tensor:
    """How many elements are not zero."""

def cov(
    input: _Tensor,
    *,
    correction: builtins.int = 1,
    fweights: _Tensor | None = None,
    aweights: _Tensor | None = None,
) -> _Tensor:
    """The covariance matrix of the rows of `input`; its columns are observations."""

def cross(
    input: _Tensor,
    other: _Tensor,
    dim: builtins.int | None = None,
    *,
    out: Any = None,
) -> _Tensor:
    """The vector product along `dim`; by default the first dimension of size 3."""

def ctc_loss(
    log_probs: _Tensor,
    targets: _Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: builtins.int = 0,
    reduction: builtins.int = 0,
    zero_infinity: builtins.bool = False,
) -> _Tensor:
    """``-log p(targets | log_probs)``, summed over all alignments."""

def cummax(input: _Tensor, dim: builtins.int, *, out: Any = None) -> Any:
    """The running maximum along `dim` and where it was met last."""

def cummin(input: _Tensor, dim: builtins.int, *, out: Any = None) -> Any:
    """The running minimum along `dim` and where it was met last."""

def cumprod(
    input: _Tensor,
    dim: builtins.int,
    *,
    dtype: Any = None,
    out: _Tensor | None = None,
) -> _Tensor:
    """The running product along `dim`. Integers are multiplied in int64."""

def cumsum(
    input: _Tensor,
    dim: builtins.int,
    *,
    dtype: Any = None,
    out: _Tensor | None = None,
) -> _Tensor:
    """The running sum along `dim`: ``input[0] + ... + input[i]``. Integers are summed ..."""

def cumulative_trapezoid(
    y: _Tensor,
    x: Any = None,
    *,
    dx: Any = None,
    dim: builtins.int = -1,
) -> _Tensor:
    """The running integral of samples along `dim` by the trapezoidal rule."""

def deg2rad(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """Degrees to radians."""

def deg2rad_(input: _Tensor) -> _Tensor:
    """`deg2rad` written into the tensor itself. Degrees to radians."""

def det(input: _Tensor) -> _Tensor:
    """`torch.linalg.det`."""

def detach_copy(input: _Tensor) -> _Tensor:
    """A detached copy."""

def diag(input: _Tensor, diagonal: builtins.int = 0, *, out: _Tensor | None = None) -> _Tensor:
    """The square matrix with a vector on a diagonal, or a copy of a matrix's diagonal."""

def diag_embed(
    input: _Tensor,
    offset: builtins.int = 0,
    dim1: builtins.int = -2,
    dim2: builtins.int = -1,
) -> _Tensor:
    """Matrices (in `dim1`, `dim2`) with the last dimension on the diagonal `offset`, ..."""

def diagflat(input: _Tensor, offset: builtins.int = 0) -> _Tensor:
    """The square matrix with the flattened tensor on a diagonal."""

def diagonal(
    input: _Tensor,
    offset: builtins.int = 0,
    dim1: builtins.int = 0,
    dim2: builtins.int = 1,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The view of a diagonal of two dimensions; it becomes the last dimension."""

def diagonal_copy(input: _Tensor, *args: Any, out: _Tensor | None = None, **kwargs: Any) -> _Tensor:
    """`diagonal`, copied."""

def diagonal_scatter(
    input: _Tensor,
    src: _Tensor,
    offset: builtins.int = 0,
    dim1: builtins.int = 0,
    dim2: builtins.int = 1,
    *,
    out: Any = None,
) -> _Tensor:
    """A copy of the input with `src` on a diagonal."""

def diff(
    input: _Tensor,
    n: builtins.int = 1,
    dim: builtins.int = -1,
    prepend: _Tensor | None = None,
    append: _Tensor | None = None,
    *,
    out: Any = None,
) -> _Tensor:
    """The `n`-th differences of neighbours along `dim`; of bools, whether they differ."""

def digamma(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The derivative of lgamma."""

def dist(input: _Tensor, other: _Tensor, p: builtins.float = 2) -> _Tensor:
    """The `p`-norm of ``input - other``."""

def div(input: Any, other: Any, *, rounding_mode: str | None = None, out: Any = None) -> _Tensor:
    """``input / other``; `rounding_mode` "trunc" rounds to zero, "floor" down."""

def divide(input: Any, other: Any, *, rounding_mode: str | None = None, out: Any = None) -> _Tensor:
    """``input / other``; `rounding_mode` "trunc" rounds to zero, "floor" down."""

def dot(input: _Tensor, tensor: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``sum(input * tensor)`` of two vectors of one length and dtype."""

def dropout(input: _Tensor, p: builtins.float, train: builtins.bool) -> _Tensor:
    """Zeroes each element with probability ``p`` and divides the others by ``1 - p``, ..."""

def dropout_(input: _Tensor, p: builtins.float, train: builtins.bool) -> _Tensor:
    """In-place :func:`dropout`."""

def dsmm(input: _Tensor, mat2: _Tensor) -> _Tensor:
    """`torch.mm` under the name of dense times sparse."""

def dsplit(
    input: _Tensor,
    indices_or_sections: Any = None,
    *,
    sections: Any = None,
    indices: Any = None,
) -> tuple[_Tensor, ...]:
    """`tensor_split` along the depth (dimension 2); a number of sections must divide it."""

def dstack(tensors: Any, *, out: _Tensor | None = None) -> _Tensor:
    """Tensors joined along the depth (dimension 2)."""

def eig(*args: Any, **kwargs: Any) -> NoReturn:
    """Removed: use torch.linalg.eig, whose results are complex."""

def einsum(*args: Any) -> _Tensor:
    """The sum of products that Einstein's convention describes."""

def embedding(
    weight: _Tensor,
    indices: _Tensor,
    padding_idx: builtins.int = -1,
    scale_grad_by_freq: builtins.bool = False,
    sparse: builtins.bool = False,
) -> _Tensor:
    """The rows of `weight` (V, D) that `indices` (*) names: (*, D)."""

def embedding_bag(
    weight: _Tensor,
    indices: _Tensor,
    offsets: _Tensor,
    scale_grad_by_freq: builtins.bool = False,
    mode: builtins.int = 0,
    sparse: builtins.bool = False,
    per_sample_weights: _Tensor | None = None,
    include_last_offset: builtins.bool = False,
    padding_idx: builtins.int | None = None,
) -> Any:
    """Sums (mode 0), means (1) or maxima (2) of bags of rows:"""

def embedding_renorm_(
    input: _Tensor,
    indices: _Tensor,
    max_norm: builtins.float,
    norm_type: builtins.float,
) -> _Tensor:
    """Scale the rows named by `indices` whose norm exceeds `max_norm` down to it, in ..."""

def empty(*size: Any, dtype: Any = None, memory_format: Any = None, **opts: Any) -> _Tensor:
    """A tensor of the given size whose values are whatever the memory held."""

def empty_like(
    input: _Tensor,
    *,
    dtype: Any = None,
    device: Any = None,
    memory_format: Any = ...,
    **opts: Any,
) -> _Tensor:
    """`empty` with the size, dtype, device and (where dense) strides of `input`."""

def empty_permuted(size: Any, physical_layout: Any, *, dtype: Any = None, **opts: Any) -> _Tensor:
    """An unset tensor whose dimensions lie in memory in the given order, outermost first."""

def empty_strided(size: Any, stride: Any, *, dtype: Any = None, **opts: Any) -> _Tensor:
    """An uninitialised tensor with the given strides (in elements)."""

def eq(input: _Tensor, other: _Tensor | builtins.complex, *, out: _Tensor | None = None) -> _Tensor:
    """``input == other``, elementwise."""

def equal(input: _Tensor, other: _Tensor) -> builtins.bool:
    """Whether shapes and all elements are equal. NaN equals nothing."""

def erf(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The error function, ``2 / sqrt(pi)`` times the integral of ``exp(-t^2)`` from 0 ..."""

def erf_(input: _Tensor) -> _Tensor:
    """`erf` written into the tensor itself. The error function, ``2 / sqrt(pi)`` times ..."""

def erfc(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``1 - erf(input)``, accurate in the tail."""

def erfc_(input: _Tensor) -> _Tensor:
    """`erfc` written into the tensor itself. ``1 - erf(input)``, accurate in the tail."""

def erfinv(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The inverse of erf on (-1, 1)."""

def exp(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``e ** input``."""

def exp2(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``2 ** input``."""

def exp2_(input: _Tensor) -> _Tensor:
    """`exp2` written into the tensor itself. ``2 ** input``."""

def exp_(input: _Tensor) -> _Tensor:
    """`exp` written into the tensor itself. ``e ** input``."""

def expand_copy(input: _Tensor, *args: Any, out: _Tensor | None = None, **kwargs: Any) -> _Tensor:
    """`expand`, copied."""

def expm1(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``e ** input - 1``, exact for small input."""

def expm1_(input: _Tensor) -> _Tensor:
    """`expm1` written into the tensor itself. ``e ** input - 1``, exact for small input."""

def eye(
    n: builtins.int,
    m: builtins.int | None = None,
    *,
    dtype: Any = None,
    **opts: Any,
) -> _Tensor:
    """The identity matrix of n rows and m (default n) columns."""

def feature_alpha_dropout(input: _Tensor, p: builtins.float, train: builtins.bool) -> _Tensor:
    """:func:`alpha_dropout` of whole channels."""

def feature_alpha_dropout_(input: _Tensor, p: builtins.float, train: builtins.bool) -> _Tensor:
    """In-place :func:`feature_alpha_dropout`."""

def feature_dropout(input: _Tensor, p: builtins.float, train: builtins.bool) -> _Tensor:
    """Zeroes whole channels: one draw per (N, C), whatever dimensions follow."""

def feature_dropout_(input: _Tensor, p: builtins.float, train: builtins.bool) -> _Tensor:
    """In-place :func:`feature_dropout`."""

def fill(input: _Tensor, value: Any) -> _Tensor:
    """A tensor like `input`, every element `value` (a number or a 0-d tensor)."""

def fill_(input: _Tensor, value: Any) -> _Tensor:
    """Set every element to `value` (a number or a 0-d tensor), in place."""

def fill_diagonal_(input: _Tensor, fill_value: Any, wrap: builtins.bool = False) -> _Tensor:
    """Set the main diagonal to a number, in place; `wrap` starts it anew below a tall ..."""

def fix(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The whole number next to input towards 0."""

def fix_(input: _Tensor) -> _Tensor:
    """`trunc` written into the tensor itself. The whole number next to input towards 0."""

def flatten(input: _Tensor, start_dim: builtins.int = 0, end_dim: builtins.int = -1) -> _Tensor:
    """Dimensions `start_dim` to `end_dim` laid into one."""

def flip(input: _Tensor, *order: Any, dims: Any = None) -> _Tensor:
    """A copy with the order of elements along `dims` reversed."""

def fliplr(input: _Tensor) -> _Tensor:
    """`flip` of dimension 1. Raises RuntimeError for fewer than 2 dimensions."""

def flipud(input: _Tensor) -> _Tensor:
    """`flip` of dimension 0. Raises RuntimeError for a 0-d tensor."""

def float_power(input: Any, exponent: Any, *, out: _Tensor | None = None) -> _Tensor:
    """``input ** exponent`` in float64 (complex128 where either is complex)."""

def floor(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The largest whole number not above input."""

def floor_(input: _Tensor) -> _Tensor:
    """`floor` written into the tensor itself. The largest whole number not above input."""

def floor_divide(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``floor(input / other)``. Raises RuntimeError for integers divided by zero."""

def fmax(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The larger of two; a NaN loses against a number."""

def fmin(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The smaller of two; a NaN loses against a number."""

def fmod(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input - trunc(input / other) * other``: C's fmod, with the sign of `input`."""

def frac(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``input - trunc(input)``: what follows the point, with input's sign."""

def frac_(input: _Tensor) -> _Tensor:
    """`frac` written into the tensor itself. ``input - trunc(input)``: what follows ..."""

def frexp(input: _Tensor, *, out: Any = None) -> Any:
    """The mantissa in [0.5, 1) and the integer exponent with ``input = mantissa * 2 ** ..."""

def frobenius_norm(
    input: _Tensor,
    dim: Any,
    keepdim: builtins.bool = False,
    *,
    out: Any = None,
) -> _Tensor:
    """The root of the sum of squares over one or two dimensions: `torch.linalg.norm`."""

def from_dlpack(
    ext_tensor: Any,
    *,
    device: Any = None,
    copy: builtins.bool | None = None,
) -> _Tensor:
    """A tensor on the memory of an object that speaks DLPack (another engine's, an array)."""

def from_numpy(ndarray: np.ndarray[Any, Any]) -> _Tensor:
    """A tensor on the array's memory: a write to either is seen by both."""

def from_scipy(matrix: Any) -> _Tensor:
    """Loads the sparse room. See `flambeau.sparse.exchange.from_scipy`."""

def frombuffer(
    buffer: Any,
    *,
    dtype: Any,
    count: builtins.int = -1,
    offset: builtins.int = 0,
    requires_grad: builtins.bool = False,
) -> _Tensor:
    """A 1-D tensor on the memory of an object with the buffer protocol."""

def full(size: Any, fill_value: Any, *, dtype: Any = None, **opts: Any) -> _Tensor:
    """A tensor filled with one value; the dtype is the value's (int64, bool, the ..."""

def full_like(
    input: _Tensor,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    memory_format: Any = ...,
    **opts: Any,
) -> _Tensor:
    """`full` with the size, dtype, device and strides of `input`."""

def gather(
    input: _Tensor,
    dim: builtins.int,
    index: _Tensor,
    *,
    sparse_grad: builtins.bool = False,
    out: _Tensor | None = None,
) -> _Tensor:
    """Elements along `dim` picked by `index`: ``out[i][j] = input[index[i][j]][j]`` ..."""

def gcd(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The greatest common divisor, never negative; gcd(0, 0) = 0."""

def gcd_(input: _Tensor, other: _Tensor | builtins.complex) -> _Tensor:
    """`gcd` written into the tensor itself. The greatest common divisor, never ..."""

def ge(input: _Tensor, other: _Tensor | builtins.complex, *, out: _Tensor | None = None) -> _Tensor:
    """``input >= other``, elementwise."""

def geqrf(input: _Tensor, *, out: Any = None) -> Any:
    """LAPACK's QR: R above the diagonal, the reflectors below, and their factors tau."""

def ger(input: _Tensor, vec2: _Tensor, *, out: Any = None) -> _Tensor:
    """``input[:, None] * vec2`` of two vectors."""

def gradient(
    input: _Tensor,
    *,
    spacing: Any = None,
    dim: Any = None,
    edge_order: builtins.int = 1,
) -> tuple[_Tensor, ...]:
    """The derivatives of a sampled function along each dimension in `dim` (all by ..."""

def greater(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input > other``, elementwise."""

def greater_equal(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input >= other``, elementwise."""

def grid_sampler(
    input: _Tensor,
    grid: _Tensor,
    interpolation_mode: builtins.int,
    padding_mode: builtins.int,
    align_corners: builtins.bool,
) -> _Tensor:
    """:func:`grid_sample` with its modes by number, as PyTorch's native function takes ..."""

def grid_sampler_2d(
    input: _Tensor,
    grid: _Tensor,
    interpolation_mode: builtins.int,
    padding_mode: builtins.int,
    align_corners: builtins.bool,
) -> _Tensor:
    """:func:`grid_sample` with its modes by number, as PyTorch's native function takes ..."""

def grid_sampler_3d(
    input: _Tensor,
    grid: _Tensor,
    interpolation_mode: builtins.int,
    padding_mode: builtins.int,
    align_corners: builtins.bool,
) -> _Tensor:
    """:func:`grid_sample` with its modes by number, as PyTorch's native function takes ..."""

def group_norm(
    input: _Tensor,
    num_groups: builtins.int,
    weight: _Tensor | None = None,
    bias: _Tensor | None = None,
    eps: builtins.float = 1e-05,
    cudnn_enabled: builtins.bool = True,
) -> _Tensor:
    """Normalisation of every sample's groups of channels."""

def gru(input: _Tensor, *args: Any) -> tuple[_Tensor, _Tensor]:
    """Gated recurrent units over a sequence:"""

def gru_cell(
    input: _Tensor,
    hx: _Tensor,
    w_ih: _Tensor,
    w_hh: _Tensor,
    b_ih: _Tensor | None = None,
    b_hh: _Tensor | None = None,
) -> _Tensor:
    """One step of :func:`gru`."""

def gt(input: _Tensor, other: _Tensor | builtins.complex, *, out: _Tensor | None = None) -> _Tensor:
    """``input > other``, elementwise."""

def hamming_window(
    window_length: builtins.int,
    periodic: builtins.bool = True,
    alpha: builtins.float = 0.54,
    beta: builtins.float = 0.46,
    **options: Any,
) -> _Tensor:
    """``alpha - beta cos(2 pi n / N)``; N is the length, less one where not `periodic`."""

def hann_window(
    window_length: builtins.int,
    periodic: builtins.bool = True,
    **options: Any,
) -> _Tensor:
    """``(1 - cos(2 pi n / N)) / 2``; N is the length, less one where not `periodic`."""

def hardshrink(
    input: _Tensor,
    lambd: builtins.float = 0.5,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input`` where ``|input| > lambd``, else 0."""

def hash_tensor(
    input: _Tensor,
    dim: Any = None,
    *,
    keepdim: builtins.bool = False,
    mode: builtins.int = 0,
    out: Any = None,
) -> _Tensor:
    """A checksum: the elements' 64-bit patterns (float64 or int64), joined by ..."""

def heaviside(input: _Tensor, values: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """0 where input is below 0, 1 where above, `values` where it is 0."""

def hinge_embedding_loss(
    input: _Tensor,
    target: _Tensor,
    margin: builtins.float = 1.0,
    reduction: builtins.int = 0,
) -> _Tensor:
    """``input`` where target is 1, ``max(0, margin - input)`` where it is -1."""

def histc(
    input: _Tensor,
    bins: builtins.int = 100,
    min: Any = 0,
    max: Any = 0,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """How many elements fall into each of `bins` equal bins from `min` to `max`."""

def histogram(
    input: _Tensor,
    bins: Any = 100,
    *,
    range: Any = None,
    weight: _Tensor | None = None,
    density: builtins.bool = False,
    out: Any = None,
) -> Any:
    """Counts in bins, and the bins' edges."""

def histogramdd(
    input: _Tensor,
    bins: Any,
    range: Sequence[builtins.float] | None = None,
    weight: _Tensor | None = None,
    density: builtins.bool = False,
) -> Any:
    """Counts of points (the last dimension) in the cells of a grid, and the grid's edges."""

def hsmm(input: _Tensor, mat2: _Tensor) -> _Tensor:
    """`torch.hspmm` under its other name: a sparse matrix times a dense one, sparse by ..."""

def hsplit(
    input: _Tensor,
    indices_or_sections: Any = None,
    *,
    sections: Any = None,
    indices: Any = None,
) -> tuple[_Tensor, ...]:
    """`tensor_split` along the columns (dimension 1; 0 for vectors); a number of ..."""

def hspmm(mat1: _Tensor, mat2: _Tensor) -> _Tensor:
    """Loads the sparse room. See `flambeau.sparse.products.hspmm`."""

def hstack(tensors: Any, *, out: _Tensor | None = None) -> _Tensor:
    """Tensors joined along the columns (dimension 1; 0 for vectors)."""

def hypot(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``sqrt(input ** 2 + other ** 2)`` without overflow in between."""

def i0(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The modified Bessel function of the first kind and order 0."""

def i0_(input: _Tensor) -> _Tensor:
    """`i0` written into the tensor itself. The modified Bessel function of the first ..."""

def igamma(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The regularised lower incomplete gamma function P(input, other)."""

def igammac(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The regularised upper incomplete gamma function ``1 - igamma(input, other)``."""

def imag(input: _Tensor) -> _Tensor:
    """The imaginary part, a view."""

def index_add(
    input: _Tensor,
    dim: builtins.int,
    index: _Tensor,
    source: _Tensor,
    *,
    alpha: Any = 1,
    out: _Tensor | None = None,
) -> _Tensor:
    """The input with ``alpha * source`` added to the slices of `dim` that `index` ..."""

def index_copy(
    input: _Tensor,
    dim: builtins.int,
    index: _Tensor,
    source: _Tensor,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The input with the slices of `dim` that `index` names replaced by those of `source`."""

def index_fill(input: _Tensor, dim: builtins.int, index: _Tensor, value: Any) -> _Tensor:
    """The input with `value` (a number or a 0-d tensor) in the slices of `dim` that ..."""

def index_put(
    input: _Tensor,
    indices: Any,
    values: _Tensor,
    accumulate: builtins.bool = False,
) -> _Tensor:
    """The tensor with `values` written where the indices point (summed there, with ..."""

def index_put_(
    input: _Tensor,
    indices: Any,
    values: _Tensor,
    accumulate: builtins.bool = False,
) -> _Tensor:
    """`index_put` written into the tensor itself."""

def index_reduce(
    input: _Tensor,
    dim: builtins.int,
    index: _Tensor,
    source: _Tensor,
    reduce: str,
    *,
    include_self: builtins.bool = True,
    out: Any = None,
) -> _Tensor:
    """The input with the slices of `source` combined into those of `dim` that `index` ..."""

def index_select(
    input: _Tensor,
    dim: builtins.int,
    index: _Tensor,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """A copy of the slices of `dim` that the vector `index` names."""

def inner(input: _Tensor, other: _Tensor, *, out: Any = None) -> _Tensor:
    """The sum of products over the last dimension of both; with a 0-d factor the ..."""

def instance_norm(
    input: _Tensor,
    weight: _Tensor | None,
    bias: _Tensor | None,
    running_mean: _Tensor | None,
    running_var: _Tensor | None,
    use_input_stats: builtins.bool,
    momentum: builtins.float,
    eps: builtins.float,
    cudnn_enabled: builtins.bool = True,
) -> _Tensor:
    """Batch normalisation of every sample of (N, C, *) by itself: N C channels of one ..."""

def inverse(input: _Tensor, *, out: Any = None) -> _Tensor:
    """`torch.linalg.inv`."""

def is_nonzero(input: _Tensor) -> builtins.bool:
    """Whether a one-element tensor is not 0."""

def isclose(
    input: _Tensor,
    other: _Tensor,
    rtol: builtins.float = 1e-05,
    atol: builtins.float = 1e-08,
    equal_nan: builtins.bool = False,
) -> _Tensor:
    """``|input - other| <= atol + rtol * |other|``, elementwise; infinities only equal ..."""

def isfinite(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """Whether it is neither infinite nor NaN."""

def isin(
    elements: Any = None,
    test_elements: Any = None,
    *,
    assume_unique: builtins.bool = False,
    invert: builtins.bool = False,
    out: Any = None,
    element: Any = None,
    test_element: Any = None,
) -> _Tensor:
    """Which `elements` are among `test_elements` (which are not, with `invert`)."""

def isinf(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """Whether it is infinite (either part, for complex)."""

def isnan(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """Whether it is NaN (either part, for complex)."""

def isneginf(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """Whether it is negative infinity."""

def isposinf(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """Whether it is positive infinity."""

def isreal(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """Whether the imaginary part is 0."""

def istft(
    input: _Tensor,
    n_fft: builtins.int,
    hop_length: builtins.int | None = None,
    win_length: builtins.int | None = None,
    window: _Tensor | None = None,
    center: builtins.bool = True,
    normalized: builtins.bool = False,
    onesided: builtins.bool | None = None,
    length: builtins.int | None = None,
    return_complex: builtins.bool = False,
) -> _Tensor:
    """The signal whose short-time transform is nearest to `input`:"""

def kaiser_window(
    window_length: builtins.int,
    periodic: builtins.bool = True,
    beta: builtins.float = 12.0,
    **options: Any,
) -> _Tensor:
    """``I0(beta sqrt(1 - (2 n / N - 1)^2)) / I0(beta)``; N is the length, less one ..."""

def kl_div(
    input: _Tensor,
    target: _Tensor,
    reduction: builtins.int = 0,
    *,
    log_target: builtins.bool = False,
) -> _Tensor:
    """``target (log(target) - input)``; with `log_target` target is its logarithm already."""

def kron(input: _Tensor, other: _Tensor, *, out: Any = None) -> _Tensor:
    """The Kronecker product: every element of `input` times the whole of `other`."""

def kthvalue(
    input: _Tensor,
    k: builtins.int,
    dim: builtins.int = -1,
    keepdim: builtins.bool = False,
    *,
    out: Any = None,
) -> Any:
    """The `k`-th smallest element (counted from 1) along `dim`, and where it is."""

def layer_norm(
    input: _Tensor,
    normalized_shape: Any,
    weight: _Tensor | None = None,
    bias: _Tensor | None = None,
    eps: builtins.float = 1e-05,
    cudnn_enable: builtins.bool = True,
) -> _Tensor:
    """``(input - mean) / sqrt(var + eps) * weight + bias`` over the trailing dimensions."""

def lcm(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The least common multiple, never negative; 0 where either is 0."""

def lcm_(input: _Tensor, other: _Tensor | builtins.complex) -> _Tensor:
    """`lcm` written into the tensor itself. The least common multiple, never negative; ..."""

def ldexp(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input * 2 ** other``."""

def ldexp_(input: _Tensor, other: _Tensor | builtins.complex) -> _Tensor:
    """`ldexp` written into the tensor itself. ``input * 2 ** other``."""

def le(input: _Tensor, other: _Tensor | builtins.complex, *, out: _Tensor | None = None) -> _Tensor:
    """``input <= other``, elementwise."""

def lerp(input: _Tensor, end: _Tensor, weight: Any, *, out: _Tensor | None = None) -> _Tensor:
    """``input + weight * (end - input)``: the way from `input` to `end`."""

def less(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input < other``, elementwise."""

def less_equal(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input <= other``, elementwise."""

def lgamma(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``log |gamma(input)|``."""

def linalg_matrix_power(input: _Tensor, n: builtins.int, *, out: Any = None) -> _Tensor:
    """The n-th power of a square matrix by repeated squaring; of its inverse where n ..."""

def linspace(
    start: Any,
    end: Any,
    steps: builtins.int,
    *,
    dtype: Any = None,
    **opts: Any,
) -> _Tensor:
    """`steps` numbers from `start` to `end`, both included, evenly spaced."""

def lobpcg(
    A: _Tensor,
    k: builtins.int | None = None,
    B: _Tensor | None = None,
    X: _Tensor | None = None,
    n: builtins.int | None = None,
    iK: _Tensor | None = None,
    niter: builtins.int | None = None,
    tol: builtins.float | None = None,
    largest: builtins.bool | None = None,
    method: str | None = None,
    tracker: Any = None,
    ortho_iparams: Any = None,
    ortho_fparams: Any = None,
    ortho_bparams: Any = None,
) -> Any:
    """The k extreme eigenvalues and eigenvectors of ``A x = lambda B x`` for symmetric ..."""

def log(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The natural logarithm; -inf at 0, NaN below."""

def log10(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The logarithm to base 10."""

def log10_(input: _Tensor) -> _Tensor:
    """`log10` written into the tensor itself. The logarithm to base 10."""

def log1p(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``log(1 + input)``, exact for small input."""

def log1p_(input: _Tensor) -> _Tensor:
    """`log1p` written into the tensor itself. ``log(1 + input)``, exact for small input."""

def log2(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The logarithm to base 2."""

def log2_(input: _Tensor) -> _Tensor:
    """`log2` written into the tensor itself. The logarithm to base 2."""

def log_(input: _Tensor) -> _Tensor:
    """`log` written into the tensor itself. The natural logarithm; -inf at 0, NaN below."""

def log_softmax(
    input: _Tensor,
    dim: Any = None,
    dtype: Any = None,
    *,
    out: Any = None,
    axis: Any = None,
) -> _Tensor:
    """``input - log(sum(exp(input)))`` along `dim`; `dtype` converts the input first."""

def logaddexp(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``log(exp(input) + exp(other))`` without overflow."""

def logaddexp2(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``log2(2 ** input + 2 ** other)`` without overflow."""

def logcumsumexp(input: _Tensor, dim: builtins.int, *, out: _Tensor | None = None) -> _Tensor:
    """``log(cumsum(exp(input)))`` along `dim`, without overflow."""

def logdet(input: _Tensor) -> _Tensor:
    """The logarithm of the determinant; nan where it is negative, -inf where it is 0."""

def logical_and(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """Whether both are not zero."""

def logical_not(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """Whether it is zero."""

def logical_or(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """Whether either is not zero."""

def logical_xor(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """Whether exactly one is not zero."""

def logit(
    input: _Tensor,
    eps: builtins.float | None = None,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``log(input / (1 - input))``, the inverse of sigmoid; with `eps` the input is ..."""

def logit_(input: _Tensor, eps: builtins.float | None = None) -> _Tensor:
    """`logit` written into the tensor itself."""

def logspace(
    start: Any,
    end: Any,
    steps: builtins.int,
    base: builtins.float = 10.0,
    *,
    dtype: Any = None,
    **opts: Any,
) -> _Tensor:
    """`steps` numbers from base**start to base**end, evenly spaced on a logarithmic scale."""

def logsumexp(
    input: _Tensor,
    dim: Any,
    keepdim: builtins.bool = False,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``log(sum(exp(input)))`` over `dim`; the largest is taken out first: nothing ..."""

def lstm(input: _Tensor, *args: Any) -> tuple[_Tensor, _Tensor, _Tensor]:
    """Long short-term memory over a sequence: outputs, last states, last cells."""

def lstm_cell(
    input: _Tensor,
    hx: Any,
    w_ih: _Tensor,
    w_hh: _Tensor,
    b_ih: _Tensor | None = None,
    b_hh: _Tensor | None = None,
) -> tuple[_Tensor, _Tensor]:
    """One step of :func:`lstm`: the new (h, c)."""

def lstsq(*args: Any, **kwargs: Any) -> NoReturn:
    """Removed: use torch.linalg.lstsq, with the arguments in the other order."""

def lt(input: _Tensor, other: _Tensor | builtins.complex, *, out: _Tensor | None = None) -> _Tensor:
    """``input < other``, elementwise."""

def lu(
    input: _Tensor,
    pivot: builtins.bool = True,
    get_infos: builtins.bool = False,
    out: Any = None,
) -> Any:
    """The packed LU factorization and its pivots (and, with `get_infos`, whether it ..."""

def lu_solve(input: _Tensor, LU_data: _Tensor, LU_pivots: _Tensor, *, out: Any = None) -> _Tensor:
    """`torch.linalg.lu_solve` with its arguments in the older order."""

def lu_unpack(
    LU_data: _Tensor,
    LU_pivots: _Tensor,
    unpack_data: builtins.bool = True,
    unpack_pivots: builtins.bool = True,
    *,
    out: Any = None,
) -> Any:
    """P, L, U from what `lu_factor` packed; empty tensors for what is not asked."""

def margin_ranking_loss(
    input1: _Tensor,
    input2: _Tensor,
    target: _Tensor,
    margin: builtins.float = 0.0,
    reduction: builtins.int = 0,
) -> _Tensor:
    """``max(0, -target (input1 - input2) + margin)``."""

def masked_fill(input: _Tensor, mask: _Tensor, value: Any) -> _Tensor:
    """``value`` where the mask holds, else the tensor's elements; mask and tensor ..."""

def masked_scatter(input: _Tensor, mask: _Tensor, source: _Tensor) -> _Tensor:
    """The tensor with the elements of `source`, one after another, where the mask holds."""

def masked_select(input: _Tensor, mask: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The elements where the mask holds (both broadcast), in order, as a vector."""

def matmul(input: Any, other: Any = None, *, out: Any = None, **names: Any) -> Any:
    """``input @ other``: vectors, matrices and broadcast batches of matrices."""

def matrix_exp(input: _Tensor) -> _Tensor:
    """`torch.linalg.matrix_exp`."""

def matrix_power(input: _Tensor, n: builtins.int, *, out: Any = None) -> _Tensor:
    """The n-th power of a square matrix by repeated squaring; of its inverse where n ..."""

def matrix_rank(*args: Any, **kwargs: Any) -> NoReturn:
    """Removed: use torch.linalg.matrix_rank, where symmetric is called hermitian."""

def max(
    input: _Tensor,
    dim: Any = ...,
    keepdim: Any = ...,
    *,
    other: Any = ...,
    out: Any = None,
    **numpy: Any,
) -> Any:
    """The largest: of all elements, along `dim` (with indices), or elementwise with ..."""

def max_pool1d(*args: Any, **kwargs: Any) -> Any:
    """Max pooling in 1 dimensions."""

def max_pool1d_with_indices(*args: Any, **kwargs: Any) -> Any:
    """Max pooling: (values, indices)."""

def max_pool2d(*args: Any, **kwargs: Any) -> Any:
    """Max pooling in 2 dimensions."""

def max_pool3d(*args: Any, **kwargs: Any) -> Any:
    """Max pooling in 3 dimensions."""

def maximum(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The larger of two; NaN where either is. The gradient is halved at a tie."""

def mean(
    input: _Tensor,
    dim: Any = None,
    keepdim: builtins.bool = False,
    *,
    dtype: Any = None,
    out: _Tensor | None = None,
) -> _Tensor:
    """The mean over `dim` (all dimensions by default): ``sum / count``. NaN for no ..."""

def median(
    input: _Tensor,
    dim: Any = ...,
    keepdim: builtins.bool = False,
    *,
    out: Any = None,
    **numpy: Any,
) -> Any:
    """The median, NaN where one is among them: of all, or along `dim` (with indices)."""

def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[_Tensor, ...]:
    """The coordinates of a grid: each vector expanded along its own dimension."""

def min(
    input: _Tensor,
    dim: Any = ...,
    keepdim: Any = ...,
    *,
    other: Any = ...,
    out: Any = None,
    **numpy: Any,
) -> Any:
    """The smallest: of all elements, along `dim` (with indices), or elementwise with ..."""

def minimum(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The smaller of two; NaN where either is. The gradient is halved at a tie."""

def mm(input: _Tensor, mat2: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``input @ mat2`` of two matrices."""

def mode(
    input: _Tensor,
    dim: builtins.int = -1,
    keepdim: builtins.bool = False,
    *,
    out: Any = None,
) -> Any:
    """The most frequent element along `dim` (the smallest of those), and its last place."""

def moveaxis(input: _Tensor, source: Any, destination: Any) -> _Tensor:
    """The view with the dimensions `source` moved to the places `destination`."""

def movedim(input: _Tensor, source: Any, destination: Any) -> _Tensor:
    """The view with the dimensions `source` moved to the places `destination`."""

def msort(input: _Tensor, *, out: Any = None) -> _Tensor:
    """The values in order along the first dimension."""

def mul(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input * other``, with promotion and broadcasting."""

def multinomial(
    input: _Tensor,
    num_samples: builtins.int,
    replacement: builtins.bool = False,
    *,
    generator: Any = None,
    out: _Tensor | None = None,
) -> _Tensor:
    """Category numbers drawn by the weights in ``input``, a vector or one per row, as ..."""

def multiply(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input * other``, with promotion and broadcasting."""

def mv(input: _Tensor, vec: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``input @ vec`` of a matrix and a vector."""

def mvlgamma(input: _Tensor, p: builtins.int, *, out: _Tensor | None = None) -> _Tensor:
    """``log gamma_p(input)``: the multivariate gamma function's logarithm, of ..."""

def nan_to_num(
    input: _Tensor,
    nan: builtins.float | None = 0.0,
    posinf: builtins.float | None = None,
    neginf: builtins.float | None = None,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """NaN replaced by `nan`, infinities by `posinf` and `neginf` (the dtype's largest ..."""

def nan_to_num_(
    input: _Tensor,
    nan: builtins.float | None = 0.0,
    posinf: builtins.float | None = None,
    neginf: builtins.float | None = None,
) -> _Tensor:
    """`nan_to_num` written into the tensor itself."""

def nanmean(
    input: _Tensor,
    dim: Any = None,
    keepdim: builtins.bool = False,
    *,
    dtype: Any = None,
    out: Any = None,
    **numpy: Any,
) -> _Tensor:
    """The mean of the elements that are not NaN."""

def nanmedian(
    input: _Tensor,
    dim: Any = ...,
    keepdim: builtins.bool = False,
    *,
    out: Any = None,
    **numpy: Any,
) -> Any:
    """The median, NaN left out: of all, or along `dim` (with indices)."""

def nanquantile(
    input: _Tensor,
    q: Any,
    dim: Any = None,
    keepdim: builtins.bool = False,
    *,
    interpolation: str = "linear",
    out: Any = None,
) -> _Tensor:
    """`quantile` with NaN left out; NaN where nothing else is."""

def nansum(
    input: _Tensor,
    dim: Any = None,
    keepdim: builtins.bool = False,
    *,
    dtype: Any = None,
    out: _Tensor | None = None,
) -> _Tensor:
    """The sum with NaN counted as zero."""

def narrow(input: _Tensor, dim: builtins.int, start: Any, length: builtins.int) -> _Tensor:
    """The view of `length` indices of dimension `dim` from `start`."""

def narrow_copy(
    input: _Tensor,
    dim: builtins.int,
    start: builtins.int,
    length: builtins.int,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """`narrow`, copied."""

def native_batch_norm(
    input: _Tensor,
    weight: _Tensor | None,
    bias: _Tensor | None,
    running_mean: _Tensor | None,
    running_var: _Tensor | None,
    training: builtins.bool,
    momentum: builtins.float,
    eps: builtins.float,
    *,
    out: Any = None,
) -> Any:
    """:func:`batch_norm` with the batch's mean and 1 / deviation beside the result; in ..."""

def native_channel_shuffle(
    input: _Tensor,
    groups: builtins.int,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """(N, C, *S) with the channels of ``groups`` interleaved."""

def native_dropout(
    input: _Tensor,
    p: builtins.float,
    train: builtins.bool | None,
) -> tuple[_Tensor, _Tensor]:
    """Dropout that also returns the bool mask of what was kept (all of it when not ..."""

def native_group_norm(
    input: _Tensor,
    weight: _Tensor | None,
    bias: _Tensor | None,
    N: builtins.int,
    C: builtins.int,
    HxW: builtins.int,
    group: builtins.int,
    eps: builtins.float,
) -> Any:
    """:func:`group_norm` with the mean and 1 / deviation of every group beside the result."""

def native_layer_norm(
    input: _Tensor,
    normalized_shape: Any,
    weight: _Tensor | None,
    bias: _Tensor | None,
    eps: builtins.float,
    *,
    out: Any = None,
) -> Any:
    """:func:`layer_norm` with the mean and 1 / deviation of every row beside the result."""

def ne(input: _Tensor, other: _Tensor | builtins.complex, *, out: _Tensor | None = None) -> _Tensor:
    """``input != other``, elementwise."""

def neg(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``-input``. Raises RuntimeError for bool: use ``~``."""

def negative(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``-input``. Raises RuntimeError for bool: use ``~``."""

def nextafter(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The next representable number after `input` towards `other`."""

def nonzero(input: _Tensor, *, out: _Tensor | None = None, as_tuple: builtins.bool = False) -> Any:
    """The indices of nonzero elements, a row each; with `as_tuple` a vector for each ..."""

def nonzero_static(
    input: _Tensor,
    *,
    size: builtins.int,
    fill_value: builtins.int = -1,
    out: _Tensor | None = None,
) -> _Tensor:
    """The first `size` rows of `nonzero`, filled up with `fill_value`."""

def norm(
    input: _Tensor,
    p: Any = "fro",
    dim: Any = None,
    keepdim: builtins.bool = False,
    out: Any = None,
    dtype: Any = None,
    **numpy: Any,
) -> _Tensor:
    """The `p`-norm over `dim` (all by default), of the vector of elements."""

def norm_except_dim(v: _Tensor, pow: builtins.int = 2, dim: builtins.int = 0) -> _Tensor:
    """The norm over all dimensions but one, which are kept with size 1; dim=-1 is over ..."""

def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: _Generator | None = None,
    out: _Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: Any = False,
    requires_grad: Any = False,
) -> _Tensor:
    """Normal numbers of tensors ``mean`` and ``std``, or of two numbers in shape ``size``."""

def not_equal(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input != other``, elementwise."""

def nuclear_norm(
    input: _Tensor,
    dim: Any = None,
    keepdim: builtins.bool = False,
    *,
    out: Any = None,
) -> _Tensor:
    """The sum of singular values of matrices: `torch.linalg.matrix_norm(ord="nuc")`."""

def ones(*size: Any, dtype: Any = None, **opts: Any) -> _Tensor:
    """A tensor of ones of the given size (varargs or a sequence)."""

def ones_like(
    input: _Tensor,
    *,
    dtype: Any = None,
    device: Any = None,
    memory_format: Any = ...,
    **opts: Any,
) -> _Tensor:
    """`ones` with the size, dtype, device and (where dense) strides of `input`."""

def orgqr(input: _Tensor, input2: _Tensor, *, out: Any = None) -> _Tensor:
    """`torch.linalg.householder_product`."""

def ormqr(
    input: _Tensor,
    input2: _Tensor,
    input3: _Tensor,
    left: builtins.bool = True,
    transpose: builtins.bool = False,
    *,
    out: Any = None,
) -> _Tensor:
    """``Q @ input3`` (``input3 @ Q`` without `left`; Q.mH with `transpose`), Q the ..."""

def outer(input: _Tensor, vec2: _Tensor, *, out: Any = None) -> _Tensor:
    """``input[:, None] * vec2`` of two vectors."""

def pairwise_distance(
    x1: _Tensor,
    x2: _Tensor,
    p: builtins.float = 2.0,
    eps: builtins.float = 1e-06,
    keepdim: builtins.bool = False,
) -> _Tensor:
    """``norm_p(x1 - x2 + eps)`` over the last dimension."""

def pca_lowrank(
    A: _Tensor,
    q: builtins.int | None = None,
    center: builtins.bool = True,
    niter: builtins.int = 2,
) -> Any:
    """The q principal components:"""

def pdist(input: _Tensor, p: builtins.float = 2.0) -> _Tensor:
    """The p-norm distances of all pairs of rows of (N, M): (N (N - 1) / 2)."""

def permute(input: _Tensor, *order: Any, dims: Any = None) -> _Tensor:
    """The view with its dimensions in the order `dims`."""

def permute_copy(input: _Tensor, *args: Any, out: _Tensor | None = None, **kwargs: Any) -> _Tensor:
    """`permute`, copied."""

def pinverse(input: _Tensor, rcond: builtins.float = 1e-15) -> _Tensor:
    """`torch.linalg.pinv` with `rcond` for the relative tolerance."""

def pixel_shuffle(
    input: _Tensor,
    upscale_factor: builtins.int,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """(*, C r^2, H, W) to (*, C, H r, W r): channels become finer pixels."""

def pixel_unshuffle(
    input: _Tensor,
    downscale_factor: builtins.int,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """(*, C, H r, W r) to (*, C r^2, H, W): the inverse of :func:`pixel_shuffle`."""

def poisson(input: _Tensor, generator: Any = None, *, out: _Tensor | None = None) -> _Tensor:
    """Poisson counts of the rates in ``input``, in its dtype."""

def poisson_nll_loss(
    input: _Tensor,
    target: _Tensor,
    log_input: builtins.bool,
    full: builtins.bool,
    eps: builtins.float,
    reduction: builtins.int,
) -> _Tensor:
    """``exp(input) - target input`` (`log_input`) or ``input - target log(input + ..."""

def polar(abs: _Tensor, angle: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``abs * (cos(angle) + i sin(angle))``."""

def polygamma(n: builtins.int, input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The n-th derivative of digamma at `input`."""

def positive(input: _Tensor) -> _Tensor:
    """The tensor itself. Raises RuntimeError for bool."""

def pow(input: Any, exponent: Any, *, out: _Tensor | None = None) -> _Tensor:
    """``input ** exponent``, elementwise; either may be a number."""

def prelu(input: _Tensor, weight: _Tensor) -> _Tensor:
    """``input`` where positive, else ``weight * input``:"""

def prod(
    input: _Tensor,
    dim: Any = None,
    keepdim: builtins.bool = False,
    *,
    dtype: Any = None,
    out: _Tensor | None = None,
) -> _Tensor:
    """The product over one dimension, or of all elements."""

def put(
    input: _Tensor,
    index: _Tensor,
    source: _Tensor,
    accumulate: builtins.bool = False,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The input with elements of `source` written (or added) at flat positions."""

def qr(input: _Tensor, some: builtins.bool = True, *, out: Any = None) -> Any:
    """`torch.linalg.qr`, reduced (`some`) or complete."""

def quantile(
    input: _Tensor,
    q: Any,
    dim: Any = None,
    keepdim: builtins.bool = False,
    *,
    interpolation: str = "linear",
    out: Any = None,
) -> _Tensor:
    """The `q`-th quantiles along `dim` (of all elements by default); NaN where one is ..."""

def rad2deg(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """Radians to degrees."""

def rad2deg_(input: _Tensor) -> _Tensor:
    """`rad2deg` written into the tensor itself. Radians to degrees."""

def rand(
    *size: Any,
    generator: _Generator | None = None,
    out: _Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: Any = False,
    requires_grad: Any = False,
    **named: Any,
) -> _Tensor:
    """Uniform random numbers in [0, 1), in a new tensor of shape ``size``."""

def rand_like(input: _Tensor, **named: Any) -> _Tensor:
    """Uniform random numbers in [0, 1) in the shape, dtype and memory order of ``input``."""

def randint(
    *args: Any,
    generator: _Generator | None = None,
    out: _Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: Any = False,
    requires_grad: Any = False,
    **named: Any,
) -> _Tensor:
    """Random integers in [low, high): ``randint(high, size)`` or ``randint(low, high, ..."""

def randint_like(input: _Tensor, *args: Any, **named: Any) -> _Tensor:
    """Random integers in [low, high): ``randint_like(input, [low,] high)``."""

def randn(
    *size: Any,
    generator: _Generator | None = None,
    out: _Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: Any = False,
    requires_grad: Any = False,
    **named: Any,
) -> _Tensor:
    """Standard normal random numbers (mean 0, variance 1), in a new tensor of shape ..."""

def randn_like(input: _Tensor, **named: Any) -> _Tensor:
    """Standard normal random numbers in the shape, dtype and memory order of ``input``."""

def randperm(
    n: builtins.int,
    *,
    generator: _Generator | None = None,
    out: _Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: Any = False,
    requires_grad: Any = False,
) -> _Tensor:
    """A random permutation of the integers 0 to n - 1 (int64 unless ``dtype`` says ..."""

def range(
    start: Any = 0,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    **opts: Any,
) -> _Tensor:
    """Deprecated: like `arange` with `end` included."""

def ravel(input: _Tensor) -> _Tensor:
    """The elements in one dimension."""

def real(input: _Tensor) -> _Tensor:
    """The real part, a view; a real tensor itself."""

def reciprocal(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``1 / input``."""

def reciprocal_(input: _Tensor) -> _Tensor:
    """`reciprocal` written into the tensor itself. ``1 / input``."""

def relu(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``max(input, 0)``; NaN stays NaN."""

def relu_(input: _Tensor) -> _Tensor:
    """`relu` written into the tensor itself. ``max(input, 0)``; NaN stays NaN."""

def remainder(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input - floor(input / other) * other``: Python's ``%``, with the sign of `other`."""

def renorm(
    input: _Tensor,
    p: builtins.float,
    dim: builtins.int,
    maxnorm: builtins.float,
    *,
    out: Any = None,
) -> _Tensor:
    """Every slice along `dim` whose `p`-norm exceeds `maxnorm`, scaled down to it."""

def repeat_interleave(
    input: _Tensor,
    repeats: Any = None,
    dim: builtins.int | None = None,
    *,
    output_size: builtins.int | None = None,
) -> _Tensor:
    """Each element (or slice along `dim`) repeated `repeats` times in its place."""

def reshape(input: _Tensor, shape: Any = None, *sizes: Any) -> _Tensor:
    """The tensor in another shape: a view where strides allow it, else a copy."""

def resize_as_(input: _Tensor, the_template: _Tensor, memory_format: Any = None) -> _Tensor:
    """`resize_` to another tensor's shape."""

def resize_as_sparse_(input: _Tensor, other: _Tensor) -> _Tensor:
    """Take the size and layout of another sparse tensor. See ..."""

def resolve_conj(input: _Tensor) -> _Tensor:
    """The tensor itself: conjugation is computed at once."""

def resolve_neg(input: _Tensor) -> _Tensor:
    """The tensor itself: negation is computed at once."""

def rms_norm(
    input: _Tensor,
    normalized_shape: Any,
    weight: _Tensor | None = None,
    eps: builtins.float | None = None,
) -> _Tensor:
    """``input / sqrt(mean(input^2) + eps) * weight`` over the trailing dimensions; eps ..."""

def rnn_relu(input: _Tensor, *args: Any) -> tuple[_Tensor, _Tensor]:
    """``h = relu(W_ih x + b_ih + W_hh h + b_hh)`` over a sequence. Arguments as ..."""

def rnn_relu_cell(
    input: _Tensor,
    hx: _Tensor,
    w_ih: _Tensor,
    w_hh: _Tensor,
    b_ih: _Tensor | None = None,
    b_hh: _Tensor | None = None,
) -> _Tensor:
    """``relu(w_ih input + b_ih + w_hh hx + b_hh)``."""

def rnn_tanh(input: _Tensor, *args: Any) -> tuple[_Tensor, _Tensor]:
    """``h = tanh(W_ih x + b_ih + W_hh h + b_hh)`` over a sequence. Arguments as ..."""

def rnn_tanh_cell(
    input: _Tensor,
    hx: _Tensor,
    w_ih: _Tensor,
    w_hh: _Tensor,
    b_ih: _Tensor | None = None,
    b_hh: _Tensor | None = None,
) -> _Tensor:
    """``tanh(w_ih input + b_ih + w_hh hx + b_hh)``."""

def roll(input: _Tensor, shifts: Any, dims: Any = ()) -> _Tensor:
    """The elements shifted along `dims` (without `dims`: of the flattened tensor), ..."""

def rot90(input: _Tensor, k: builtins.int = 1, dims: Any = ...) -> _Tensor:
    """The tensor turned by `k` right angles in the plane of two dimensions, from the ..."""

def round(
    input: _Tensor,
    *,
    decimals: builtins.int | None = None,
    out: _Tensor | None = None,
) -> _Tensor:
    """The nearest whole number, halves to even; to `decimals` places (of tens, where ..."""

def round_(input: _Tensor, *, decimals: builtins.int | None = None) -> _Tensor:
    """`round` in place."""

def row_stack(tensors: Any, *, out: _Tensor | None = None) -> _Tensor:
    """Tensors joined along the rows (dimension 0); vectors become rows."""

def rrelu(
    input: _Tensor,
    lower: builtins.float = 0.125,
    upper: builtins.float = 0.3333333333333333,
    training: builtins.bool = False,
    generator: _Generator | None = None,
) -> _Tensor:
    """``x`` where positive, else ``x`` times a slope: random in training, else the ..."""

def rrelu_(
    input: _Tensor,
    lower: builtins.float = 0.125,
    upper: builtins.float = 0.3333333333333333,
    training: builtins.bool = False,
    generator: _Generator | None = None,
) -> _Tensor:
    """In-place :func:`rrelu`."""

def rsqrt(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``1 / sqrt(input)``."""

def rsqrt_(input: _Tensor) -> _Tensor:
    """`rsqrt` written into the tensor itself. ``1 / sqrt(input)``."""

def rsub(input: _Tensor, other: Any, alpha: Any = 1) -> _Tensor:
    """``other - alpha * input``."""

def saddmm(
    input: _Tensor,
    mat1: _Tensor,
    mat2: _Tensor,
    *,
    beta: Any = 1,
    alpha: Any = 1,
) -> _Tensor:
    """`torch.sspaddmm` under its other name: all but `mat2` sparse."""

def scalar_tensor(s: Any, *, dtype: Any = None, **opts: Any) -> _Tensor:
    """A 0-d tensor of a number, of the default dtype."""

def scatter(
    input: _Tensor,
    dim: builtins.int,
    index: _Tensor,
    src: Any = None,
    *,
    value: Any = None,
    reduce: str | None = None,
    out: Any = None,
) -> _Tensor:
    """The input with `src` (a tensor or a number) written along `dim` where `index` ..."""

def scatter_add(
    input: _Tensor,
    dim: builtins.int,
    index: _Tensor,
    src: _Tensor,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The input with elements of `src` added along `dim` where `index` points; ..."""

def scatter_reduce(
    input: _Tensor,
    dim: builtins.int,
    index: _Tensor,
    src: _Tensor,
    reduce: str,
    *,
    include_self: builtins.bool = True,
    out: Any = None,
) -> _Tensor:
    """The input with elements of `src` combined along `dim` where `index` points."""

def searchsorted(
    sorted_sequence: _Tensor,
    input: Any,
    *,
    out_int32: builtins.bool = False,
    right: builtins.bool = False,
    side: str | None = None,
    sorter: _Tensor | None = None,
    out: Any = None,
) -> _Tensor:
    """Where `input` would stand in `sorted_sequence` (ordered along its last dimension)."""

def segment_reduce(
    data: _Tensor,
    reduce: str,
    *,
    lengths: _Tensor | None = None,
    indices: _Tensor | None = None,
    offsets: _Tensor | None = None,
    axis: builtins.int = 0,
    unsafe: builtins.bool = False,
    initial: Any = None,
) -> _Tensor:
    """Reduce runs of `data` along `axis`."""

def select(input: _Tensor, dim: builtins.int, index: Any) -> _Tensor:
    """The view at `index` of dimension `dim`, without that dimension."""

def select_copy(input: _Tensor, *args: Any, out: _Tensor | None = None, **kwargs: Any) -> _Tensor:
    """`select`, copied."""

def select_scatter(
    input: _Tensor,
    src: _Tensor,
    dim: builtins.int,
    index: builtins.int,
    *,
    out: Any = None,
) -> _Tensor:
    """A copy of the input with `src` at `index` of dimension `dim`."""

def selu(input: _Tensor) -> _Tensor:
    """The self-normalising unit. Reference: Klambauer et al., 2017, arXiv:1706.02515."""

def selu_(input: _Tensor) -> _Tensor:
    """In-place :func:`selu`."""

def sgn(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """`sign` for real numbers, ``input / |input|`` for complex ones (0 at 0)."""

def sigmoid(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``1 / (1 + exp(-input))``."""

def sigmoid_(input: _Tensor) -> _Tensor:
    """`sigmoid` written into the tensor itself. ``1 / (1 + exp(-input))``."""

def sign(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """1, 0 or -1 with the sign of input; 0 for NaN."""

def signbit(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """Whether the sign bit is set: True for -0."""

def sin(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The sine of an angle in radians."""

def sin_(input: _Tensor) -> _Tensor:
    """`sin` written into the tensor itself. The sine of an angle in radians."""

def sinc(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``sin(pi input) / (pi input)``, 1 at 0."""

def sinc_(input: _Tensor) -> _Tensor:
    """`sinc` written into the tensor itself. ``sin(pi input) / (pi input)``, 1 at 0."""

def sinh(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The hyperbolic sine."""

def sinh_(input: _Tensor) -> _Tensor:
    """`sinh` written into the tensor itself. The hyperbolic sine."""

def slice_copy(input: _Tensor, *args: Any, out: _Tensor | None = None, **kwargs: Any) -> _Tensor:
    """`slice`, copied."""

def slice_scatter(
    input: _Tensor,
    src: _Tensor,
    dim: builtins.int = 0,
    start: builtins.int | None = None,
    end: builtins.int | None = None,
    step: builtins.int = 1,
    *,
    out: Any = None,
) -> _Tensor:
    """A copy of the input with `src` in a range of dimension `dim`."""

def slogdet(input: _Tensor, *, out: Any = None) -> Any:
    """`torch.linalg.slogdet`."""

def smm(input: _Tensor, mat: _Tensor) -> _Tensor:
    """Loads the sparse room. See `flambeau.sparse.products.smm`."""

def softmax(
    input: _Tensor,
    dim: Any = None,
    dtype: Any = None,
    *,
    out: Any = None,
    axis: Any = None,
) -> _Tensor:
    """``exp(input) / sum(exp(input))`` along `dim`; `dtype` converts the input first."""

def solve(*args: Any, **kwargs: Any) -> NoReturn:
    """Removed: use torch.linalg.solve, with the arguments in the other order; ..."""

def sort(
    input: _Tensor,
    dim: builtins.int = -1,
    descending: builtins.bool = False,
    *,
    stable: builtins.bool | None = None,
    axis: builtins.int | None = None,
    out: Any = None,
) -> Any:
    """The values in order along `dim`, and where each came from. NaN is the largest."""

def sparse_bsc_tensor(*args: Any, **kwargs: Any) -> _Tensor:
    """Loads the sparse room. See `flambeau.sparse.build.sparse_bsc_tensor`."""

def sparse_bsr_tensor(*args: Any, **kwargs: Any) -> _Tensor:
    """Loads the sparse room. See `flambeau.sparse.build.sparse_bsr_tensor`."""

def sparse_compressed_tensor(
    compressed_indices: Any,
    plain_indices: Any,
    values: Any,
    size: Any = None,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: builtins.bool = False,
    requires_grad: builtins.bool = False,
    check_invariants: builtins.bool | None = None,
) -> _Tensor:
    """Loads the sparse room. See `flambeau.sparse.build.sparse_compressed_tensor`."""

def sparse_coo_tensor(*args: Any, **kwargs: Any) -> _Tensor:
    """Loads the sparse room. See `flambeau.sparse.build.sparse_coo_tensor`."""

def sparse_csc_tensor(*args: Any, **kwargs: Any) -> _Tensor:
    """Loads the sparse room. See `flambeau.sparse.build.sparse_csc_tensor`."""

def sparse_csr_tensor(*args: Any, **kwargs: Any) -> _Tensor:
    """Loads the sparse room. See `flambeau.sparse.build.sparse_csr_tensor`."""

def special_logsumexp(
    input: _Tensor,
    dim: Any,
    keepdim: builtins.bool = False,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``log(sum(exp(input)))`` over `dim`; the largest is taken out first: nothing ..."""

def split(
    tensor: _Tensor,
    split_size_or_sections: Any = None,
    dim: builtins.int = 0,
    *,
    split_size: Any = None,
) -> tuple[_Tensor, ...]:
    """Views of `split_size` indices each along `dim` (the last may be smaller), or of ..."""

def split_copy(input: _Tensor, split_size: Any, dim: builtins.int = 0, *, out: Any = None) -> Any:
    """`split`, copied."""

def split_with_sizes(
    input: _Tensor,
    split_sizes: Any,
    dim: builtins.int = 0,
) -> tuple[_Tensor, ...]:
    """Views of the given sizes along `dim`."""

def split_with_sizes_copy(
    input: _Tensor,
    split_sizes: Any,
    dim: builtins.int = 0,
    *,
    out: Any = None,
) -> Any:
    """`split_with_sizes`, copied."""

def spmm(input: _Tensor, mat2: _Tensor) -> _Tensor:
    """Loads the sparse room. See `flambeau.sparse.products.spmm`."""

def sqrt(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The square root; NaN for negative numbers."""

def sqrt_(input: _Tensor) -> _Tensor:
    """`sqrt` written into the tensor itself. The square root; NaN for negative numbers."""

def square(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``input ** 2``."""

def square_(input: _Tensor) -> _Tensor:
    """``input ** 2``, in place."""

def squeeze(input: _Tensor, dim: Any = None, *, out: _Tensor | None = None) -> _Tensor:
    """The view without the dimensions of size 1 (all of them, or those in `dim` that are)."""

def squeeze_copy(input: _Tensor, *args: Any, out: _Tensor | None = None, **kwargs: Any) -> _Tensor:
    """`squeeze`, copied."""

def sspaddmm(
    input: _Tensor,
    mat1: _Tensor,
    mat2: _Tensor,
    *,
    beta: Any = 1,
    alpha: Any = 1,
) -> _Tensor:
    """Loads the sparse room. See `flambeau.sparse.products.sspaddmm`."""

def stack(
    tensors: Any,
    dim: builtins.int = 0,
    *,
    out: _Tensor | None = None,
    axis: builtins.int | None = None,
) -> _Tensor:
    """The tensors, all of one shape, side by side along a new dimension `dim`."""

def std(
    input: _Tensor,
    dim: Any = None,
    unbiased: Any = ...,
    keepdim: builtins.bool = False,
    *,
    correction: Any = ...,
    out: Any = None,
    **numpy: Any,
) -> _Tensor:
    """The standard deviation over `dim`, the root of `var`. Its gradient at 0 is 0."""

def std_mean(
    input: _Tensor,
    dim: Any = None,
    unbiased: Any = ...,
    keepdim: builtins.bool = False,
    *,
    correction: Any = ...,
    **numpy: Any,
) -> tuple[_Tensor, _Tensor]:
    """Standard deviation and mean over `dim`, in one reading."""

def stft(
    input: _Tensor,
    n_fft: builtins.int,
    hop_length: builtins.int | None = None,
    win_length: builtins.int | None = None,
    window: _Tensor | None = None,
    center: builtins.bool = True,
    pad_mode: str = "reflect",
    normalized: builtins.bool = False,
    onesided: builtins.bool | None = None,
    return_complex: builtins.bool | None = None,
    align_to_window: builtins.bool | None = None,
) -> _Tensor:
    """The Fourier transforms of overlapping frames."""

def sub(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    alpha: Any = 1,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input - alpha * other``, with promotion and broadcasting."""

def subtract(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    alpha: Any = 1,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input - alpha * other``, with promotion and broadcasting."""

def sum(
    input: _Tensor,
    dim: Any = None,
    keepdim: builtins.bool = False,
    *,
    dtype: Any = None,
    out: _Tensor | None = None,
) -> _Tensor:
    """The sum over dimensions `dim` (all of them by default). Integers are summed in ..."""

def svd(
    input: _Tensor,
    some: builtins.bool = True,
    compute_uv: builtins.bool = True,
    *,
    out: Any = None,
) -> Any:
    """U, S, V of ``input = U @ diag(S) @ V.mH``; zeros for U and V without `compute_uv`."""

def svd_lowrank(
    A: _Tensor,
    q: builtins.int | None = 6,
    niter: builtins.int | None = 2,
    M: _Tensor | None = None,
) -> Any:
    """U, S, V of an approximation of A (of ``A - M``) of rank q, from q random directions."""

def swapaxes(
    input: _Tensor,
    dim0: builtins.int,
    dim1: builtins.int,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The view with two dimensions swapped."""

def swapdims(
    input: _Tensor,
    dim0: builtins.int,
    dim1: builtins.int,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The view with two dimensions swapped."""

def symeig(*args: Any, **kwargs: Any) -> NoReturn:
    """Removed: use torch.linalg.eigh, which reads the lower triangle unless UPLO='U'."""

def t(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The transposed matrix; vectors and scalars as they are."""

def t_copy(input: _Tensor, *args: Any, out: _Tensor | None = None, **kwargs: Any) -> _Tensor:
    """`t`, copied."""

def take(input: _Tensor, index: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The elements at flat positions, in the shape of `index`."""

def take_along_dim(
    input: _Tensor,
    indices: _Tensor,
    dim: builtins.int | None = None,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """Elements along `dim` picked by `indices`, both broadcast in the other ..."""

def tan(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The tangent of an angle in radians."""

def tan_(input: _Tensor) -> _Tensor:
    """`tan` written into the tensor itself. The tangent of an angle in radians."""

def tanh(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The hyperbolic tangent."""

def tanh_(input: _Tensor) -> _Tensor:
    """`tanh` written into the tensor itself. The hyperbolic tangent."""

def tensor(
    data: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: builtins.bool = False,
    pin_memory: builtins.bool = False,
) -> _Tensor:
    """A new leaf tensor with a copy of `data` (numbers, nested sequences, an array, a ..."""

def tensor_split(
    input: _Tensor,
    indices_or_sections: Any = None,
    dim: builtins.int = 0,
    *,
    sections: Any = None,
    indices: Any = None,
    tensor_indices_or_sections: Any = None,
) -> tuple[_Tensor, ...]:
    """Views cut along `dim`: into a number of nearly equal sections, or before the ..."""

def tensordot(a: _Tensor, b: _Tensor, dims: Any = 2, out: Any = None) -> _Tensor:
    """The product summed over pairs of dimensions."""

def threshold(
    input: _Tensor,
    threshold: builtins.float,
    value: builtins.float,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input`` where above `threshold`, else `value`."""

def threshold_(input: _Tensor, threshold: builtins.float, value: builtins.float) -> _Tensor:
    """`threshold` written into the tensor itself. ``input`` where above `threshold`, ..."""

def tile(input: _Tensor, *times: Any, dims: Any = None) -> _Tensor:
    """`repeat`, with missing numbers in front taken as 1."""

def topk(
    input: _Tensor,
    k: builtins.int,
    dim: builtins.int = -1,
    largest: builtins.bool = True,
    sorted: builtins.bool = True,
    *,
    out: Any = None,
) -> Any:
    """The `k` largest (or smallest) elements along `dim`, in order, and where they are."""

def trace(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The sum of a matrix's diagonal. Raises RuntimeError for other than 2 dimensions."""

def transpose(
    input: _Tensor,
    dim0: builtins.int,
    dim1: builtins.int,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The view with two dimensions swapped."""

def transpose_copy(
    input: _Tensor,
    *args: Any,
    out: _Tensor | None = None,
    **kwargs: Any,
) -> _Tensor:
    """`transpose`, copied."""

def trapezoid(y: _Tensor, x: Any = None, *, dx: Any = None, dim: builtins.int = -1) -> _Tensor:
    """The integral of samples along `dim` by the trapezoidal rule."""

def trapz(y: _Tensor, x: Any = None, *, dx: Any = None, dim: builtins.int = -1) -> _Tensor:
    """The integral of samples along `dim` by the trapezoidal rule."""

def triangular_solve(
    input: _Tensor,
    A: _Tensor,
    upper: builtins.bool = True,
    transpose: builtins.bool = False,
    unitriangular: builtins.bool = False,
    *,
    out: Any = None,
) -> Any:
    """X of ``A @ X = input`` for triangular A (its transpose with `transpose`), and a ..."""

def tril(input: _Tensor, diagonal: Any = 0, *, out: _Tensor | None = None) -> _Tensor:
    """The lower triangle of the last two dimensions, to `diagonal`; else zeros."""

def tril_indices(
    row: builtins.int,
    col: builtins.int,
    offset: builtins.int = 0,
    *,
    dtype: Any = None,
    **opts: Any,
) -> _Tensor:
    """The indices (2, n) of the lower triangle of a row x col matrix."""

def triplet_margin_loss(
    anchor: _Tensor,
    positive: _Tensor,
    negative: _Tensor,
    margin: builtins.float = 1.0,
    p: builtins.float = 2.0,
    eps: builtins.float = 1e-06,
    swap: builtins.bool = False,
    reduction: builtins.int = 0,
) -> _Tensor:
    """``max(0, d(anchor, positive) - d(anchor, negative) + margin)``."""

def triu(input: _Tensor, diagonal: Any = 0, *, out: _Tensor | None = None) -> _Tensor:
    """The upper triangle of the last two dimensions, to `diagonal`; else zeros."""

def triu_indices(
    row: builtins.int,
    col: builtins.int,
    offset: builtins.int = 0,
    *,
    dtype: Any = None,
    **opts: Any,
) -> _Tensor:
    """The indices (2, n) of the upper triangle of a row x col matrix."""

def true_divide(input: Any, other: Any, *, out: Any = None) -> _Tensor:
    """``input / other``."""

def trunc(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The whole number next to input towards 0."""

def trunc_(input: _Tensor) -> _Tensor:
    """`trunc` written into the tensor itself. The whole number next to input towards 0."""

def unbind(
    input: _Tensor,
    dim: builtins.int = 0,
    *,
    axis: builtins.int | None = None,
) -> tuple[_Tensor, ...]:
    """The views at every index of `dim`."""

def unbind_copy(input: _Tensor, dim: builtins.int = 0, *, out: Any = None) -> Any:
    """`unbind`, copied."""

def unflatten(input: _Tensor, dim: builtins.int, sizes: Any) -> _Tensor:
    """Dimension `dim` split into `sizes` (one may be -1)."""

def unfold_copy(input: _Tensor, *args: Any, out: _Tensor | None = None, **kwargs: Any) -> _Tensor:
    """`unfold`, copied."""

def unique(
    input: _Tensor,
    sorted: builtins.bool = True,
    return_inverse: builtins.bool = False,
    return_counts: builtins.bool = False,
    dim: builtins.int | None = None,
) -> Any:
    """The distinct elements (or slices along `dim`), in order."""

def unique_consecutive(
    input: _Tensor,
    return_inverse: builtins.bool = False,
    return_counts: builtins.bool = False,
    dim: builtins.int | None = None,
) -> Any:
    """The elements (or slices along `dim`) with repetitions of the one before left out."""

def unravel_index(indices: _Tensor, shape: Any) -> tuple[_Tensor, ...]:
    """The coordinates, one tensor per dimension of `shape`, of positions in a ..."""

def unsafe_chunk(
    input: _Tensor,
    chunks: builtins.int,
    dim: builtins.int = 0,
) -> tuple[_Tensor, ...]:
    """`chunk`, whose parts may be written in place: the input is not to be used any ..."""

def unsafe_split(
    input: _Tensor,
    split_size: builtins.int,
    dim: builtins.int = 0,
) -> tuple[_Tensor, ...]:
    """`split`, whose parts may be written in place: the input is not to be used any ..."""

def unsafe_split_with_sizes(
    input: _Tensor,
    split_sizes: Any,
    dim: builtins.int = 0,
) -> tuple[_Tensor, ...]:
    """`split_with_sizes`, whose parts may be written in place:"""

def unsqueeze(input: _Tensor, dim: builtins.int, *, out: _Tensor | None = None) -> _Tensor:
    """The view with a dimension of size 1 inserted at `dim`."""

def unsqueeze_copy(
    input: _Tensor,
    *args: Any,
    out: _Tensor | None = None,
    **kwargs: Any,
) -> _Tensor:
    """`unsqueeze`, copied."""

def vander(x: _Tensor, N: builtins.int | None = None, increasing: builtins.bool = False) -> _Tensor:
    """The Vandermonde matrix:"""

def var(
    input: _Tensor,
    dim: Any = None,
    unbiased: Any = ...,
    keepdim: builtins.bool = False,
    *,
    correction: Any = ...,
    out: Any = None,
    **numpy: Any,
) -> _Tensor:
    """The variance over `dim`: ``sum((input - mean)**2) / (count - correction)``."""

def var_mean(
    input: _Tensor,
    dim: Any = None,
    unbiased: Any = ...,
    keepdim: builtins.bool = False,
    *,
    correction: Any = ...,
    **numpy: Any,
) -> tuple[_Tensor, _Tensor]:
    """Variance and mean over `dim`, in one reading."""

def vdot(input: _Tensor, other: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``sum(conj(input) * other)`` of two vectors of one length and dtype."""

def view_as_complex(input: _Tensor) -> _Tensor:
    """Real pairs ``(..., 2)`` seen as a complex tensor ``(...)``."""

def view_as_complex_copy(
    input: _Tensor,
    *args: Any,
    out: _Tensor | None = None,
    **kwargs: Any,
) -> _Tensor:
    """`view_as_complex`, copied."""

def view_as_real(input: _Tensor) -> _Tensor:
    """A complex tensor seen as real pairs ``(..., 2)``."""

def view_as_real_copy(
    input: _Tensor,
    *args: Any,
    out: _Tensor | None = None,
    **kwargs: Any,
) -> _Tensor:
    """`view_as_real`, copied."""

def view_copy(input: _Tensor, *args: Any, out: _Tensor | None = None, **kwargs: Any) -> _Tensor:
    """`view`, copied."""

def vsplit(
    input: _Tensor,
    indices_or_sections: Any = None,
    *,
    sections: Any = None,
    indices: Any = None,
) -> tuple[_Tensor, ...]:
    """`tensor_split` along the rows (dimension 0); a number of sections must divide it."""

def vstack(tensors: Any, *, out: _Tensor | None = None) -> _Tensor:
    """Tensors joined along the rows (dimension 0); vectors become rows."""

def where(
    condition: _Tensor,
    input: Any = None,
    other: Any = None,
    *,
    out: _Tensor | None = None,
) -> Any:
    """Elementwise ``input if condition else other``, broadcast and promoted; alone, ..."""

def xlogy(
    input: _Tensor,
    other: _Tensor | builtins.complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``input * log(other)``, 0 where input is 0 and NaN where other is."""

def xlogy_(input: _Tensor, other: _Tensor | builtins.complex) -> _Tensor:
    """`xlogy` written into the tensor itself. ``input * log(other)``, 0 where input is ..."""

def zero_(input: _Tensor) -> _Tensor:
    """Set every element to 0, in place."""

def zeros(*size: Any, dtype: Any = None, **opts: Any) -> _Tensor:
    """A tensor of zeros of the given size (varargs or a sequence)."""

def zeros_like(
    input: _Tensor,
    *,
    dtype: Any = None,
    device: Any = None,
    memory_format: Any = ...,
    **opts: Any,
) -> _Tensor:
    """`zeros` with the size, dtype, device and (where dense) strides of `input`."""
