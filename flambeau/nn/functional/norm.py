"""Normalisation under PyTorch's names and signatures. The operations are in ``core.ops.norm``."""

from __future__ import annotations

from math import prod
from typing import Any

from flambeau.core.declare import ops
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor

__all__ = [
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "local_response_norm",
    "normalize",
    "rms_norm",
]


def _check_batch(name: str, size: Any) -> None:
    """A batch's statistics need more than one number a channel.

    Raises:
        ValueError: there is only one.
    """
    if len(size) > 1 and size[1] and prod(size) // size[1] == 1:
        raise fail(
            ValueError,
            name,
            f"Expected more than 1 value per channel when training, got input size {tuple(size)}: "
            "batch more.",
        )


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> Tensor:
    """``(input - mean) / sqrt(var + eps) * weight + bias`` over (N, C, *), by channel.

    Training takes mean and variance of the batch and moves the running ones towards them by
    ``momentum``.

    Raises:
        ValueError: one number a channel in training, or an ``eps`` that leaves a variance of zero.

    Reference: Ioffe, Szegedy, Batch normalization, 2015, arXiv:1502.03167.
    """
    if training:
        _check_batch("batch_norm", input._array.shape)
    if eps <= 0 and (training or eps < 0):
        wanted = "positive during training" if training else "non-negative"
        message = f"batch_norm eps must be {wanted}, but got {eps}: the default is 1e-05."
        raise fail(ValueError, "batch_norm", message)
    return ops.batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> Tensor:
    """Batch normalisation of every sample by itself.

    Raises:
        ValueError: one spatial element.

    Reference: Ulyanov et al., Instance normalization, 2016, arXiv:1607.08022.
    """
    if use_input_stats:
        shape = input._array.shape
        if len(shape) > 2 and prod(shape[2:]) == 1:
            raise fail(
                ValueError,
                "instance_norm",
                f"Expected more than 1 spatial element when training, got input size {list(shape)}",
            )
    return ops.instance_norm(
        input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, False
    )


def layer_norm(
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
) -> Tensor:
    """``(input - mean) / sqrt(var + eps) * weight + bias`` over the trailing dimensions.

    Reference: Ba, Kiros, Hinton, Layer normalization, 2016, arXiv:1607.06450.
    """
    return ops.layer_norm(input, normalized_shape, weight, bias, eps)


def rms_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """``input / sqrt(mean(input^2) + eps) * weight`` over the trailing dimensions; eps is the
    dtype's by default.

    Reference: Zhang, Sennrich, Root mean square layer normalization, 2019, arXiv:1910.07467.
    """
    return ops.rms_norm(input, normalized_shape, weight, eps)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
) -> Tensor:
    """Normalisation of every sample's groups of channels.

    Raises:
        RuntimeError: fewer than 2 dimensions. ValueError: one number a group.

    Reference: Wu, He, Group normalization, 2018, arXiv:1803.08494.
    """
    shape = input._array.shape
    if len(shape) < 2:
        raise fail(
            RuntimeError,
            "group_norm",
            f"Expected at least 2 dimensions for input tensor but received {len(shape)}",
        )
    if num_groups > 0:
        _check_batch("group_norm", [shape[0] * shape[1] // num_groups, num_groups, *shape[2:]])
    return ops.group_norm(input, num_groups, weight, bias, eps)


def local_response_norm(
    input: Tensor, size: int, alpha: float = 0.0001, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """``input / (k + alpha mean(input^2))^beta``, the mean over ``size`` neighbouring channels.

    Raises:
        ValueError: fewer than 3 dimensions.

    Reference: Krizhevsky et al., ImageNet classification with deep convolutional neural networks,
    2012.
    """
    ndim = input.dim()
    if ndim < 3:
        raise fail(
            ValueError,
            "local_response_norm",
            f"Expected 3D or higher dimensionality input (got {ndim} dimensions)",
        )
    if input.numel() == 0:
        return input
    square = input.mul(input).unsqueeze(1)
    if ndim == 3:
        square = ops.pad(square, (0, 0, size // 2, (size - 1) // 2))
        mean = _pooling().avg_pool2d(square, (size, 1), stride=1).squeeze(1)
    else:
        shape = tuple(input.shape)
        square = square.reshape(shape[0], 1, shape[1], shape[2], -1)
        square = ops.pad(square, (0, 0, 0, 0, size // 2, (size - 1) // 2))
        mean = _pooling().avg_pool3d(square, (size, 1, 1), stride=1).squeeze(1).reshape(shape)
    return input / mean.mul(alpha).add(k).pow(beta)


def _pooling() -> Any:
    from flambeau.nn.functional import pooling

    return pooling


def normalize(
    input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None
) -> Tensor:
    """``input / max(norm_p(input), eps)`` along ``dim``."""
    denominator = input.norm(p, dim, keepdim=True)
    if out is not None:
        return ops.div(input, denominator.clamp_min_(eps).expand_as(input), out=out)
    return input / denominator.clamp_min(eps).expand_as(input)
