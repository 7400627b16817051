"""``torch.library``: operations of the user's own, with gradient, meta behaviour and a name under
`torch.ops`.

`custom_op` is `autograd.Function` with a schema. Stands on autograd.
"""

from __future__ import annotations

from flambeau.library.checking import opcheck
from flambeau.library.custom import (
    CustomOpDef,
    custom_op,
    impl_abstract,
    register_autocast,
    register_autograd,
    register_fake,
    register_kernel,
    register_vmap,
    triton_op,
)
from flambeau.library.kernels import get_kernel
from flambeau.library.registry import Library, define, fallthrough_kernel, get_ctx, impl, ops
from flambeau.library.schema import infer_schema

__all__ = [
    "CustomOpDef",
    "Library",
    "custom_op",
    "define",
    "fallthrough_kernel",
    "get_ctx",
    "get_kernel",
    "impl",
    "impl_abstract",
    "infer_schema",
    "opcheck",
    "register_autocast",
    "register_autograd",
    "register_fake",
    "register_kernel",
    "register_vmap",
    "triton_op",
]
