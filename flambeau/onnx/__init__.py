"""``torch.onnx``: programs are not written in ONNX's format.

What libraries ask on their way is answered (no export is under way); `export` raises and says what
can be saved instead. Stands on core.errors.
"""

from __future__ import annotations

from typing import Any, NoReturn

from flambeau.core.errors import fail

__all__ = ["ONNXProgram", "OnnxExporterError", "export", "is_in_onnx_export"]


class OnnxExporterError(RuntimeError):
    """A program could not be written in ONNX's format."""


class ONNXProgram:
    """A program in ONNX's format: none is made here."""


def export(model: Any, args: Any = (), f: Any = None, **options: Any) -> NoReturn:
    """Raises OnnxExporterError: programs are not written in ONNX's format."""
    raise fail(
        OnnxExporterError,
        "onnx.export",
        "programs are not written in ONNX's format. Save the parameters, torch.save("
        "model.state_dict(), file), and export them where PyTorch is installed.",
    )


def is_in_onnx_export() -> bool:
    """Whether an export is under way: never."""
    return False
