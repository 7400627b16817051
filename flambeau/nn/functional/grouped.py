"""Products of groups of matrices and of scaled 8-bit matrices: grouped_mm, scaled_mm.

Composed of ordinary products; 8-bit operands are converted to float32 and their scales multiplied
in.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from flambeau.core.declare import ops
from flambeau.core.dtypes import bfloat16, float32
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor

__all__ = ["ScalingType", "SwizzleType", "grouped_mm", "scaled_grouped_mm", "scaled_mm"]


class ScalingType(Enum):
    """How many elements share a scale."""

    TensorWise = 0
    RowWise = 1
    BlockWise1x16 = 2
    BlockWise1x32 = 3
    BlockWise1x128 = 4
    BlockWise128x128 = 5


class SwizzleType(Enum):
    """How scales lie in memory on a GPU."""

    NO_SWIZZLE = 0
    SWIZZLE_32_4_4 = 1


def _spans(offs: Tensor) -> list[tuple[int, int]]:
    ends = [int(end) for end in offs.tolist()]
    return list(zip([0, *ends[:-1]], ends, strict=True))


def grouped_mm(
    mat_a: Tensor,
    mat_b: Tensor,
    *,
    offs: Tensor | None = None,
    bias: Tensor | None = None,
    out_dtype: Any = None,
) -> Tensor:
    """A product for each of G groups; ``offs`` (G) says where groups end.

    Shape:
        (G, M, K) and (G, K, N) give (G, M, N), without ``offs``; (M, K) and (G, K, N), rows
        grouped, give (M, N); (G, M, K) and (K, N), columns grouped, give (M, N); (M, K) and
        (K, N), the inner dimension grouped, give (G, M, N).

    Raises:
        RuntimeError: other numbers of dimensions, or ``offs`` missing or superfluous.
    """
    shape = (mat_a.dim(), mat_b.dim())
    if not set(shape) <= {2, 3}:
        raise fail(RuntimeError, "grouped_mm", f"mat_a and mat_b have to be 2D or 3D, not {shape}.")
    if bias is not None:
        raise fail(RuntimeError, "grouped_mm", "Bias not supported yet: add it to the result.")
    if (offs is None) != (shape == (3, 3)):
        raise fail(
            RuntimeError,
            "grouped_mm",
            "offs tells where groups end: give it exactly when an operand is 2D.",
        )
    if offs is None:
        found = ops.bmm(mat_a, mat_b)
    elif shape == (2, 3):
        spans = _spans(offs)
        found = ops.cat([mat_a[i:j] @ mat_b[k] for k, (i, j) in enumerate(spans)])
    elif shape == (3, 2):
        spans = _spans(offs)
        found = ops.cat([mat_a[k] @ mat_b[:, i:j] for k, (i, j) in enumerate(spans)], 1)
    else:
        found = ops.stack([mat_a[:, i:j] @ mat_b[i:j] for i, j in _spans(offs)])
    return found if out_dtype is None else found.to(out_dtype)


def _scale(name: str, scale: Any, recipe: Any) -> Tensor:
    """The one scale of an operand.

    Raises:
        NotImplementedError: scales by blocks, or several.
    """
    scales = list(scale) if isinstance(scale, (tuple, list)) else [scale]
    recipes = list(recipe) if isinstance(recipe, (tuple, list)) else [recipe]
    kinds = {ScalingType.TensorWise.name, ScalingType.RowWise.name}
    if len(scales) != 1 or {getattr(each, "name", each) for each in recipes} - kinds:
        raise fail(
            NotImplementedError,
            name,
            "scales by blocks are not built here. Use ScalingType.TensorWise or RowWise, or "
            "multiply the scales into float32 matrices.",
        )
    found: Tensor = scales[0]
    return found


def scaled_mm(
    mat_a: Tensor,
    mat_b: Tensor,
    scale_a: Any,
    scale_recipe_a: Any,
    scale_b: Any,
    scale_recipe_b: Any,
    swizzle_a: Any = None,
    swizzle_b: Any = None,
    bias: Tensor | None = None,
    output_dtype: Any = bfloat16,
    contraction_dim: Any = (),
    use_fast_accum: bool = False,
) -> Tensor:
    """``(mat_a * scale_a) @ (mat_b * scale_b) + bias`` of 8-bit matrices, summed in float32.

    Raises:
        NotImplementedError: scales by blocks.
    """
    left = mat_a.to(float32) * _scale("scaled_mm", scale_a, scale_recipe_a)
    right = mat_b.to(float32) * _scale("scaled_mm", scale_b, scale_recipe_b)
    found = left @ right
    if bias is not None:
        found = found + bias.to(float32)
    return found.to(float32 if output_dtype is None else output_dtype)


def scaled_grouped_mm(
    mat_a: Tensor,
    mat_b: Tensor,
    scale_a: Any,
    scale_recipe_a: Any,
    scale_b: Any,
    scale_recipe_b: Any,
    swizzle_a: Any = None,
    swizzle_b: Any = None,
    bias: Tensor | None = None,
    offs: Tensor | None = None,
    output_dtype: Any = bfloat16,
    contraction_dim: Any = (),
    use_fast_accum: bool = False,
) -> Tensor:
    """Not on a CPU, as in PyTorch.

    Raises:
        NotImplementedError: always.
    """
    raise fail(
        NotImplementedError,
        "scaled_grouped_mm",
        "there is no such operation for the CPU backend. Convert to float32, multiply the scales "
        "in, and use grouped_mm.",
    )
