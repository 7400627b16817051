"""Anomaly mode's words; the modes' behaviour is compared with PyTorch in parity/test_autograd."""

import warnings

import pytest

import flambeau as torch


def test_anomaly_names_the_function_and_the_line():
    x = torch.zeros(2, requires_grad=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with (
            torch.autograd.detect_anomaly(),
            pytest.raises(
                RuntimeError, match="Function 'DivBackward0' returned nan values in its 1th output."
            ),
        ):
            y = x / x
            y.sum().backward()
    text = str(caught[-1].message)
    assert text.startswith(
        "Error detected in DivBackward0. Traceback of forward call that caused the error:"
    )
    assert "y = x / x" in text
    assert not torch.is_anomaly_enabled()


def test_anomaly_without_a_forward_says_so():
    x = torch.zeros(2, requires_grad=True)
    y = x / x
    with (
        torch.autograd.set_detect_anomaly(True),
        pytest.warns(UserWarning, match="No forward pass information"),
        pytest.raises(RuntimeError, match="nan"),
    ):
        y.sum().backward()


def test_what_a_factory_made_under_inference_mode_is_not_saved():
    with torch.inference_mode():
        x = torch.ones(3)
    weight = torch.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        (x * weight).sum().backward()
    (x.clone() * weight).sum().backward()
    assert weight.grad.tolist() == [1.0, 1.0, 1.0]
