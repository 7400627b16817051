"""Gradients of convolutions with respect to input and weight, as functions of their own."""

from __future__ import annotations

from typing import Any

import flambeau
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F

__all__ = [
    "conv1d_input",
    "conv1d_weight",
    "conv2d_input",
    "conv2d_weight",
    "conv3d_input",
    "conv3d_weight",
]


def _input(convolve: Any, size: Any, weight: Tensor, grad_output: Tensor, *settings: Any) -> Tensor:
    """The convolution is linear in its input: its gradient does not depend on the values."""
    with flambeau.enable_grad():
        input = grad_output.new_zeros(size).requires_grad_()
        output = convolve(input, weight, None, *settings)
    return flambeau.autograd.grad(output, input, grad_output)[0]


def _weight(convolve: Any, input: Tensor, size: Any, grad_output: Tensor, *settings: Any) -> Tensor:
    with flambeau.enable_grad():
        weight = grad_output.new_zeros(size).requires_grad_()
        output = convolve(input, weight, None, *settings)
    return flambeau.autograd.grad(output, weight, grad_output)[0]


def conv1d_input(
    input_size: Any,
    weight: Tensor,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of conv1d with respect to its input, of size ``input_size``."""
    return _input(F.conv1d, input_size, weight, grad_output, stride, padding, dilation, groups)


def conv1d_weight(
    input: Tensor,
    weight_size: Any,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of conv1d with respect to its weight, of size ``weight_size``."""
    return _weight(F.conv1d, input, weight_size, grad_output, stride, padding, dilation, groups)


def conv2d_input(
    input_size: Any,
    weight: Tensor,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of conv2d with respect to its input, of size ``input_size``."""
    return _input(F.conv2d, input_size, weight, grad_output, stride, padding, dilation, groups)


def conv2d_weight(
    input: Tensor,
    weight_size: Any,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of conv2d with respect to its weight, of size ``weight_size``."""
    return _weight(F.conv2d, input, weight_size, grad_output, stride, padding, dilation, groups)


def conv3d_input(
    input_size: Any,
    weight: Tensor,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of conv3d with respect to its input, of size ``input_size``."""
    return _input(F.conv3d, input_size, weight, grad_output, stride, padding, dilation, groups)


def conv3d_weight(
    input: Tensor,
    weight_size: Any,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of conv3d with respect to its weight, of size ``weight_size``."""
    return _weight(F.conv3d, input, weight_size, grad_output, stride, padding, dilation, groups)
