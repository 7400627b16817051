"""ONNX: what is asked on the way is answered; an export says what to do instead."""

from __future__ import annotations

import pytest

import flambeau as torch


def test_export_says_what_to_do_instead(tmp_path):
    assert not torch.onnx.is_in_onnx_export()
    with pytest.raises(torch.onnx.OnnxExporterError, match="state_dict"):
        torch.onnx.export(torch.nn.Linear(2, 2), (torch.ones(1, 2),), tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists() and issubclass(
        torch.onnx.OnnxExporterError, RuntimeError
    )
