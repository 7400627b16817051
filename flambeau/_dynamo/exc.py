"""``torch._dynamo.exc``: the errors of PyTorch's compiler that programs catch."""

from __future__ import annotations

__all__ = ["InvalidBackend", "TorchDynamoException", "Unsupported"]


class TorchDynamoException(RuntimeError):
    """The base of these errors."""


class Unsupported(TorchDynamoException):
    """A program is no single graph, where `fullgraph` asks for one."""


class InvalidBackend(TorchDynamoException):
    """``torch.compile`` knows no backend of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"compile: Invalid backend: {name!r}, see `torch._dynamo.list_backends()` for those "
            "there are."
        )
