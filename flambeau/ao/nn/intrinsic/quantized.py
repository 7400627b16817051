"""Fused layers of integers."""

from __future__ import annotations

from flambeau.ao.nn.quantized.conv import ConvReLU1d, ConvReLU2d, ConvReLU3d
from flambeau.ao.nn.quantized.linear import LinearReLU
from flambeau.ao.nn.quantized.pointwise import BNReLU2d, BNReLU3d

__all__ = ["BNReLU2d", "BNReLU3d", "ConvReLU1d", "ConvReLU2d", "ConvReLU3d", "LinearReLU"]
