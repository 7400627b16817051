"""RAFT: optical flow by recurrent look-ups in the correlations of all pairs of pixels.

Reference: Z. Teed and J. Deng, "RAFT: Recurrent All-Pairs Field Transforms for Optical Flow",
2020, arXiv:2003.12039.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.vision.models.registry import register_model
from flambeau.vision.ops.misc import Conv2dNormActivation

__all__ = ["RAFT", "raft_large", "raft_small"]

Norm = Callable[..., nn.Module]


def _conv(
    before: int, after: int, kernel: int, norm: Norm | None, stride: int = 1, **options: Any
) -> nn.Module:
    return Conv2dNormActivation(
        before, after, kernel, stride, norm_layer=norm, bias=True, **options
    )


class _Residual(nn.Module):
    """What both blocks share: convolutions, and a way around that fits."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        norm_layer: Norm | None,
        stride: int,
        plan: list[tuple[int, int, int, int]],
        always_project: bool = False,
    ) -> None:
        super().__init__()
        for i, (before, after, kernel, step) in enumerate(plan):
            layer = _conv(before, after, kernel, norm_layer, step)
            self.add_module(f"convnormrelu{i + 1}", layer)
        self.relu = nn.ReLU(inplace=True)
        if stride == 1 and not always_project:
            self.downsample: nn.Module = nn.Identity()
        else:
            self.downsample = _conv(
                in_channels, out_channels, 1, norm_layer, stride, activation_layer=None
            )
        self.depth = len(plan)

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for i in range(self.depth):
            y = getattr(self, f"convnormrelu{i + 1}")(y)
        return self.relu(self.downsample(x) + y)


class ResidualBlock(_Residual):
    """Two 3x3 convolutions and the way around them."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        norm_layer: Norm | None,
        stride: int = 1,
        always_project: bool = False,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            norm_layer=norm_layer,
            stride=stride,
            plan=[(in_channels, out_channels, 3, stride), (out_channels, out_channels, 3, 1)],
            always_project=always_project,
        )


class BottleneckBlock(_Residual):
    """1x1, 3x3 and 1x1 convolutions, narrow in the middle, and the way around them."""

    def __init__(
        self, in_channels: int, out_channels: int, *, norm_layer: Norm | None, stride: int = 1
    ) -> None:
        narrow = out_channels // 4
        super().__init__(
            in_channels,
            out_channels,
            norm_layer=norm_layer,
            stride=stride,
            plan=[
                (in_channels, narrow, 1, 1),
                (narrow, narrow, 3, stride),
                (narrow, out_channels, 1, 1),
            ],
        )


class FeatureEncoder(nn.Module):
    """Images to features of an eighth of their size."""

    def __init__(
        self,
        *,
        block: Any = ResidualBlock,
        layers: tuple[int, ...] = (64, 64, 96, 128, 256),
        strides: tuple[int, ...] = (2, 1, 2, 2),
        norm_layer: Norm | None = nn.BatchNorm2d,
    ) -> None:
        super().__init__()
        if len(layers) != 5:
            raise ValueError(f"The expected number of layers is 5, instead got {len(layers)}")
        self.convnormrelu = _conv(3, layers[0], 7, norm_layer, strides[0])
        for i in (1, 2, 3):
            first = block(layers[i - 1], layers[i], norm_layer=norm_layer, stride=strides[i])
            second = block(layers[i], layers[i], norm_layer=norm_layer, stride=1)
            self.add_module(f"layer{i}", nn.Sequential(first, second))
        self.conv = nn.Conv2d(layers[3], layers[4], kernel_size=1)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(m, (nn.BatchNorm2d, nn.InstanceNorm2d)) and m.weight is not None:
                nn.init.constant_(m.weight, 1)
                nn.init.constant_(m.bias, 0)
        self.output_dim = layers[-1]
        self.downsample_factor = 2 ** strides.count(2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.convnormrelu(x)
        for i in (1, 2, 3):
            x = getattr(self, f"layer{i}")(x)
        return self.conv(x)


class MotionEncoder(nn.Module):
    """Correlations and flow to features; the flow itself comes last."""

    def __init__(
        self,
        *,
        in_channels_corr: int,
        corr_layers: tuple[int, ...] = (256, 192),
        flow_layers: tuple[int, ...] = (128, 64),
        out_channels: int = 128,
    ) -> None:
        super().__init__()
        if len(flow_layers) != 2 or len(corr_layers) not in (1, 2):
            raise ValueError(
                "MotionEncoder: expected two flow_layers and one or two corr_layers, got "
                f"{flow_layers} and {corr_layers}."
            )
        self.convcorr1 = _conv(in_channels_corr, corr_layers[0], 1, None)
        self.convcorr2 = (
            _conv(corr_layers[0], corr_layers[1], 3, None)
            if len(corr_layers) == 2
            else nn.Identity()
        )
        self.convflow1 = _conv(2, flow_layers[0], 7, None)
        self.convflow2 = _conv(flow_layers[0], flow_layers[1], 3, None)
        self.conv = _conv(corr_layers[-1] + flow_layers[-1], out_channels - 2, 3, None)
        self.out_channels = out_channels

    def forward(self, flow: Tensor, corr_features: Tensor) -> Tensor:
        corr = self.convcorr2(self.convcorr1(corr_features))
        moved = self.convflow2(self.convflow1(flow))
        return torch.cat([self.conv(torch.cat([corr, moved], dim=1)), flow], dim=1)


class ConvGRU(nn.Module):
    """A gated recurrent unit of convolutions."""

    def __init__(
        self, *, input_size: int, hidden_size: int, kernel_size: Any, padding: Any
    ) -> None:
        super().__init__()
        for name in ("convz", "convr", "convq"):
            layer = nn.Conv2d(
                hidden_size + input_size, hidden_size, kernel_size=kernel_size, padding=padding
            )
            self.add_module(name, layer)

    def forward(self, h: Tensor, x: Tensor) -> Tensor:
        both = torch.cat([h, x], dim=1)
        update, reset = torch.sigmoid(self.convz(both)), torch.sigmoid(self.convr(both))
        fresh = torch.tanh(self.convq(torch.cat([reset * h, x], dim=1)))
        return (1 - update) * h + update * fresh


class RecurrentBlock(nn.Module):
    """One unit, or two one after the other."""

    def __init__(
        self,
        *,
        input_size: int,
        hidden_size: int,
        kernel_size: Any = ((1, 5), (5, 1)),
        padding: Any = ((0, 2), (2, 0)),
    ) -> None:
        super().__init__()
        if len(kernel_size) != len(padding) or len(kernel_size) not in (1, 2):
            raise ValueError(
                "kernel_size should have one or two entries and padding as many, instead got "
                f"{kernel_size} and {padding}"
            )
        for i, (kernel, pad) in enumerate(zip(kernel_size, padding)):
            unit = ConvGRU(
                input_size=input_size, hidden_size=hidden_size, kernel_size=kernel, padding=pad
            )
            self.add_module(f"convgru{i + 1}", unit)
        self.units = len(kernel_size)
        self.hidden_size = hidden_size

    def forward(self, h: Tensor, x: Tensor) -> Tensor:
        for i in range(self.units):
            h = getattr(self, f"convgru{i + 1}")(h, x)
        return h


class FlowHead(nn.Module):
    """A hidden state to a change of the flow."""

    def __init__(self, *, in_channels: int, hidden_size: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, hidden_size, 3, padding=1)
        self.conv2 = nn.Conv2d(hidden_size, 2, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(self.relu(self.conv1(x)))


class UpdateBlock(nn.Module):
    """One step: a new hidden state, and a change of the flow."""

    def __init__(
        self, *, motion_encoder: nn.Module, recurrent_block: Any, flow_head: nn.Module
    ) -> None:
        super().__init__()
        self.motion_encoder = motion_encoder
        self.recurrent_block = recurrent_block
        self.flow_head = flow_head
        self.hidden_state_size: int = recurrent_block.hidden_size

    def forward(
        self, hidden_state: Tensor, context: Tensor, corr_features: Tensor, flow: Tensor
    ) -> tuple[Tensor, Tensor]:
        motion = self.motion_encoder(flow, corr_features)
        hidden_state = self.recurrent_block(hidden_state, torch.cat([context, motion], dim=1))
        return hidden_state, self.flow_head(hidden_state)


class MaskPredictor(nn.Module):
    """Of each fine pixel the weights of the nine coarse ones around it."""

    def __init__(self, *, in_channels: int, hidden_size: int, multiplier: float = 0.25) -> None:
        super().__init__()
        self.convrelu = _conv(in_channels, hidden_size, 3, None)
        self.conv = nn.Conv2d(hidden_size, 8 * 8 * 9, 1, padding=0)
        self.multiplier = multiplier

    def forward(self, x: Tensor) -> Tensor:
        return self.multiplier * self.conv(self.convrelu(x))


class CorrBlock(nn.Module):
    """Correlations of all pairs of pixels, at several sizes, read around given places."""

    def __init__(self, *, num_levels: int = 4, radius: int = 4) -> None:
        super().__init__()
        self.num_levels = num_levels
        self.radius = radius
        self.corr_pyramid: list[Tensor] = []
        self.out_channels = num_levels * (2 * radius + 1) ** 2

    def build_pyramid(self, fmap1: Tensor, fmap2: Tensor) -> None:
        """Of two feature maps."""
        if fmap1.shape != fmap2.shape:
            raise ValueError(
                f"Input feature maps should have the same shape, instead got {fmap1.shape} "
                f"(fmap1.shape) != {fmap2.shape} (fmap2.shape)"
            )
        least = 2 * (2 ** (self.num_levels - 1))
        if any(size < least for size in fmap1.shape[-2:]):
            raise ValueError(
                "Feature maps are too small to be down-sampled by the correlation pyramid. H and W "
                f"of feature maps should be at least {least}; got: {fmap1.shape[-2:]}. Remember "
                "that input images to the model are downsampled by 8, so that means their "
                f"dimensions should be at least 8 * {least} = {8 * least}."
            )
        n, channels, height, width = fmap1.shape
        first, second = (each.view(n, channels, -1) for each in (fmap1, fmap2))
        volume = torch.matmul(first.transpose(1, 2), second) / math.sqrt(channels)
        volume = volume.view(n * height * width, 1, height, width)
        self.corr_pyramid = [volume]
        for _ in range(self.num_levels - 1):
            volume = F.avg_pool2d(volume, kernel_size=2, stride=2)
            self.corr_pyramid.append(volume)

    def index_pyramid(self, centroids_coords: Tensor) -> Tensor:
        """The correlations within ``radius`` of each place (x, y), (N, out_channels, H, W)."""
        side = 2 * self.radius + 1
        steps = torch.linspace(-self.radius, self.radius, side)
        around = torch.stack(torch.meshgrid(steps, steps, indexing="ij"), dim=-1)
        n, _, height, width = centroids_coords.shape
        middle = centroids_coords.permute(0, 2, 3, 1).reshape(n * height * width, 1, 1, 2)
        found = []
        for volume in self.corr_pyramid:
            edges = torch.tensor([volume.shape[-1] - 1, volume.shape[-2] - 1])
            places = 2 * (middle + around.view(1, side, side, 2)) / edges - 1
            read = F.grid_sample(volume, places, mode="bilinear", align_corners=True)
            found.append(read.view(n, height, width, -1))
            middle = middle / 2
        return torch.cat(found, dim=-1).permute(0, 3, 1, 2).contiguous()


def _coordinates(n: int, height: int, width: int) -> Tensor:
    """(x, y) of every pixel, (N, 2, H, W)."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack((x, y)).float()[None].repeat(n, 1, 1, 1)


def upsample_flow(flow: Tensor, up_mask: Tensor | None = None, factor: int = 8) -> Tensor:
    """The flow at ``factor`` times the size: bilinear, or weighed by ``up_mask``."""
    n, channels, height, width = flow.shape
    size = (height * factor, width * factor)
    if up_mask is None:
        return factor * F.interpolate(flow, size=size, mode="bilinear", align_corners=True)
    weights = torch.softmax(up_mask.view(n, 1, 9, factor, factor, height, width), dim=2)
    around = F.unfold(factor * flow, kernel_size=3, padding=1).view(
        n, channels, 9, 1, 1, height, width
    )
    fine = (weights * around).sum(dim=2)  # N, 2, factor, factor, H, W
    return fine.permute(0, 1, 4, 2, 5, 3).reshape(n, channels, *size)


class RAFT(nn.Module):
    """Two images to a list of flows, each better than the one before.

    Shape: (N, 3, H, W) both, H and W multiples of 8 and at least 128, to a list of (N, 2, H, W).
    """

    def __init__(
        self,
        *,
        feature_encoder: Any,
        context_encoder: nn.Module,
        corr_block: nn.Module,
        update_block: nn.Module,
        mask_predictor: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.feature_encoder = feature_encoder
        self.context_encoder = context_encoder
        self.corr_block: Any = corr_block
        self.update_block: Any = update_block
        self.mask_predictor = mask_predictor

    def forward(self, image1: Tensor, image2: Tensor, num_flow_updates: int = 12) -> list[Tensor]:
        n, _, height, width = image1.shape
        if (height, width) != tuple(image2.shape[-2:]):
            raise ValueError(
                f"input images should have the same shape, instead got ({height}, {width}) != "
                f"{tuple(image2.shape[-2:])}"
            )
        if height % 8 or width % 8:
            raise ValueError(
                f"input image H and W should be divisible by 8, instead got {height} (h) and "
                f"{width} (w)"
            )
        first, second = self.feature_encoder(torch.cat([image1, image2], dim=0)).chunk(2, dim=0)
        self.corr_block.build_pyramid(first, second)
        out = self.context_encoder(image1)
        size = self.update_block.hidden_state_size
        hidden, context = out.split([size, out.shape[1] - size], dim=1)
        hidden, context = torch.tanh(hidden), F.relu(context)
        start = _coordinates(n, height // 8, width // 8)
        places = start
        flows = []
        for _ in range(num_flow_updates):
            places = places.detach()  # no gradient through earlier steps' places
            correlations = self.corr_block.index_pyramid(places)
            hidden, change = self.update_block(hidden, context, correlations, places - start)
            places = places + change
            mask = None if self.mask_predictor is None else self.mask_predictor(hidden)
            flows.append(upsample_flow(places - start, mask))
        return flows


def _raft(
    block: Any,
    widths: tuple[tuple[int, ...], tuple[int, ...]],
    norms: tuple[Norm | None, Norm | None],
    radius: int,
    motion: dict[str, Any],
    recurrent: dict[str, Any],
    flow_hidden: int,
    masked: bool,
    kwargs: dict[str, Any],
) -> RAFT:
    features = kwargs.pop("feature_encoder", None) or FeatureEncoder(
        block=block, layers=widths[0], norm_layer=norms[0]
    )
    context = kwargs.pop("context_encoder", None) or FeatureEncoder(
        block=block, layers=widths[1], norm_layer=norms[1]
    )
    corr = kwargs.pop("corr_block", None) or CorrBlock(num_levels=4, radius=radius)
    update = kwargs.pop("update_block", None)
    size = recurrent["hidden_size"]
    if update is None:
        encoder = MotionEncoder(in_channels_corr=corr.out_channels, **motion)
        unit = RecurrentBlock(input_size=encoder.out_channels + widths[1][-1] - size, **recurrent)
        update = UpdateBlock(
            motion_encoder=encoder,
            recurrent_block=unit,
            flow_head=FlowHead(in_channels=size, hidden_size=flow_hidden),
        )
    mask = kwargs.pop("mask_predictor", None)
    if mask is None and masked:
        mask = MaskPredictor(in_channels=size, hidden_size=256, multiplier=0.25)
    return RAFT(
        feature_encoder=features,
        context_encoder=context,
        corr_block=corr,
        update_block=update,
        mask_predictor=mask,
        **kwargs,
    )


@register_model()
def raft_large(**kwargs: Any) -> RAFT:
    """RAFT as published."""
    widths = (64, 64, 96, 128, 256)
    return _raft(
        ResidualBlock,
        (widths, widths),
        (nn.InstanceNorm2d, nn.BatchNorm2d),
        4,
        {"corr_layers": (256, 192), "flow_layers": (128, 64), "out_channels": 128},
        {"hidden_size": 128, "kernel_size": ((1, 5), (5, 1)), "padding": ((0, 2), (2, 0))},
        256,
        True,
        kwargs,
    )


@register_model()
def raft_small(**kwargs: Any) -> RAFT:
    """RAFT with fewer channels, bilinear enlargement."""
    return _raft(
        BottleneckBlock,
        ((32, 32, 64, 96, 128), (32, 32, 64, 96, 160)),
        (nn.InstanceNorm2d, None),
        3,
        {"corr_layers": (96,), "flow_layers": (64, 32), "out_channels": 82},
        {"hidden_size": 96, "kernel_size": (3,), "padding": (1,)},
        128,
        False,
        kwargs,
    )
