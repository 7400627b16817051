"""torchvision's quantized models by name: there are none here, and each name says so."""

from __future__ import annotations

from typing import Any, NoReturn

_NAMES = frozenset((
    "GoogLeNet_QuantizedWeights", "Inception_V3_QuantizedWeights",
    "MobileNet_V2_QuantizedWeights", "MobileNet_V3_Large_QuantizedWeights",
    "QuantizableGoogLeNet", "QuantizableInception3", "QuantizableMobileNetV2",
    "QuantizableMobileNetV3", "QuantizableResNet", "QuantizableShuffleNetV2",
    "ResNeXt101_32X8D_QuantizedWeights", "ResNeXt101_64X4D_QuantizedWeights",
    "ResNet18_QuantizedWeights", "ResNet50_QuantizedWeights",
    "ShuffleNet_V2_X0_5_QuantizedWeights", "ShuffleNet_V2_X1_0_QuantizedWeights",
    "ShuffleNet_V2_X1_5_QuantizedWeights", "ShuffleNet_V2_X2_0_QuantizedWeights", "googlenet",
    "inception_v3", "mobilenet_v2", "mobilenet_v3_large", "resnet18", "resnet50",
    "resnext101_32x8d", "resnext101_64x4d", "shufflenet_v2_x0_5", "shufflenet_v2_x1_0",
    "shufflenet_v2_x1_5", "shufflenet_v2_x2_0",
))  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module 'torchvision.models.quantization' has no attribute {name!r}")

    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        usual = name.removeprefix("Quantizable").removesuffix("_QuantizedWeights")
        raise NotImplementedError(
            f"models.quantization.{name}: quantized models are not built; torchvision.models has "
            f"{usual} in floating point."
        )

    refuse.__name__ = refuse.__qualname__ = name
    return refuse


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES})
