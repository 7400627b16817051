"""What models share: a part that hands back what flows between its children, and of the mobile nets
the first weights and how inverted residuals begin. Stands on ``nn`` and ``ops``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from flambeau import nn
from flambeau.core.tensor import Tensor
from flambeau.vision.ops.misc import Conv2dNormActivation

__all__ = ["IntermediateLayerGetter", "depthwise", "mobile_weights"]


class IntermediateLayerGetter(nn.ModuleDict):
    """The children of ``model`` up to the last one asked for, and the outputs asked for.

    Args:
        return_layers: names of children, and what their outputs are called.

    Raises:
        ValueError: a name that is no child's.
    """

    _version = 2

    def __init__(self, model: nn.Module, return_layers: dict[str, str]) -> None:
        wanted = {str(name): str(new) for name, new in return_layers.items()}
        children = OrderedDict(model.named_children())
        if absent := wanted.keys() - children.keys():
            raise ValueError(
                f"IntermediateLayerGetter: return_layers are not present in model: {absent}; its "
                f"children are {', '.join(children)}."
            )
        last = max(list(children).index(name) for name in wanted)
        super().__init__(OrderedDict(list(children.items())[: last + 1]))
        self.return_layers = wanted

    def forward(self, x: Tensor) -> dict[str, Tensor]:  # type: ignore[override]
        out = OrderedDict()
        for name, module in self.items():
            x = module(x)
            if name in self.return_layers:
                out[self.return_layers[name]] = x
        return out


def depthwise(
    channels: int, hidden: int, kernel: int = 3, stride: int = 1, dilation: int = 1, **common: Any
) -> list[nn.Module]:
    """How inverted residuals begin: widen by 1x1 where ``hidden`` is wider, convolve each channel.

    Args:
        common: the normalization and the activation of both.

    Raises:
        ValueError: another stride than 1 or 2.
    """
    if stride not in (1, 2):
        raise ValueError(f"An inverted residual has stride 1 or 2, got {stride}.")
    wide = [] if hidden == channels else [Conv2dNormActivation(channels, hidden, 1, **common)]
    step = 1 if dilation > 1 else stride  # dilation takes the stride's place
    each = Conv2dNormActivation(
        hidden, hidden, kernel, step, dilation=dilation, groups=hidden, **common
    )
    return [*wide, each]


def _narrow(weight: Tensor) -> None:
    nn.init.normal_(weight, 0, 0.01)


def mobile_weights(model: nn.Module, linear: Callable[[Tensor], object] = _narrow) -> None:
    """Draw a model's first weights as MobileNets do: convolutions by fan-out, norms at 1, `linear`
    for the weights of linear layers; biases at 0.
    """
    for m in model.modules():
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_normal_(m.weight, mode="fan_out")
            if m.bias is not None:
                nn.init.zeros_(m.bias)
        elif isinstance(m, (nn.BatchNorm2d, nn.GroupNorm)):
            nn.init.ones_(m.weight)
            nn.init.zeros_(m.bias)
        elif isinstance(m, nn.Linear):
            linear(m.weight)
            nn.init.zeros_(m.bias)
