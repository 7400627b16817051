"""Convolutional networks: MNIST's usual one, ResNet-20 on 32x32, ResNet-18 on one photograph."""

from __future__ import annotations

from typing import Any

from bench.workloads.workload import Workload, labels, tensor, training, weigh


def mnist(torch: Any) -> Any:
    """conv 32, conv 64, pool, two linear layers."""
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(),
        nn.Conv2d(32, 64, 3), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(9216, 128), nn.ReLU(),
        nn.Linear(128, 10),
    )  # fmt: skip


def residual(torch: Any, base: int, blocks: tuple[int, ...], stem: str, classes: int) -> Any:
    """A residual network of basic blocks (He et al. 2015); `stem` "small" is that for 32x32."""
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self, inputs: int, outputs: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(outputs)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(outputs)
            self.relu = nn.ReLU(inplace=True)
            self.down = (
                nn.Sequential(
                    nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
                )
                if stride != 1 or inputs != outputs
                else nn.Identity()
            )

        def forward(self, x: Any) -> Any:
            out = self.relu(self.bn1(self.conv1(x)))
            out = self.bn2(self.conv2(out))
            out += self.down(x)
            return self.relu(out)

    small = stem == "small"
    layers: list[Any] = [
        nn.Conv2d(3, base, 3 if small else 7, 1 if small else 2, 1 if small else 3, bias=False),
        nn.BatchNorm2d(base),
        nn.ReLU(inplace=True),
    ]
    if not small:
        layers.append(nn.MaxPool2d(3, 2, 1))
    width = base
    for stage, count in enumerate(blocks):
        for block in range(count):
            outputs = base * 2**stage
            layers.append(Block(width, outputs, 2 if stage and not block else 1))
            width = outputs
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes)]
    return weigh(torch, nn.Sequential(*layers))


def mnist_step(torch: Any) -> Any:
    """Batch 64, SGD."""
    model = weigh(torch, mnist(torch))
    x, y = tensor(torch, 64, 1, 28, 28), labels(torch, 64, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    cross_entropy = torch.nn.functional.cross_entropy
    return training(torch, model, optimizer, lambda: cross_entropy(model(x), y))


def resnet20_step(torch: Any) -> Any:
    """Batch 32, SGD with momentum."""
    model = residual(torch, 16, (3, 3, 3), "small", 10)
    x, y = tensor(torch, 32, 3, 32, 32), labels(torch, 32, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    cross_entropy = torch.nn.functional.cross_entropy
    return training(torch, model, optimizer, lambda: cross_entropy(model(x), y))


def resnet18_inference(torch: Any) -> Any:
    """One photograph of 224x224."""
    model = residual(torch, 64, (2, 2, 2, 2), "large", 1000).eval()
    x = tensor(torch, 1, 3, 224, 224)

    def once() -> Any:
        with torch.no_grad():
            return model(x)[0, :20]

    return once


def table() -> list[Workload]:
    """The lines of this file."""
    mnist_forward = 64 * 2 * (26 * 26 * 9 * 32 + 24 * 24 * 9 * 32 * 64 + 9216 * 128 + 1280)
    return [
        Workload("convnet", "MNIST, batch 64, SGD", mnist_step, 0.9, flops=3 * mnist_forward),
        Workload(
            "convnet", "ResNet-20, 32x32, batch 32, SGD momentum", resnet20_step, 0.95,
            flops=3 * 32 * 2 * 40.8e6, tolerance=1e-3,
        ),
        Workload(
            "convnet", "ResNet-18, 224x224, batch 1, inference", resnet18_inference, 0.95,
            flops=2 * 1.814e9, tolerance=1e-3,
        ),
    ]  # fmt: skip
