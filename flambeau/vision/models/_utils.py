"""What models share: a part that hands back what flows between its children, and the first weights
of the mobile nets. Stands on ``nn``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from flambeau import nn
from flambeau.core.tensor import Tensor

__all__ = ["IntermediateLayerGetter", "mobile_weights"]


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
