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


@pytest.mark.parametrize(
    "code",
    [
        "a * a", "a.exp()", "g * 2", "a[0]", "g[0]", "g.view(-1)", "g.t()", "torch.zeros(3)",
        "torch.cat([a, a])", "torch.stack([g, g])", "a.sum()", "g.max(1).values", "a.clone()",
        "a.t().reshape(-1)", "torch.where(a > 1, a, g)", "a.unbind()[1]", "torch.tensor([1.0])",
        "torch.rand(2)", "a.detach()", "torch.unsafe_split(a, 2)[0]", "g.T.contiguous()",
        "torch.addcmul(a, a, a)", "2 - a", "torch.nn.functional.linear(a, g)", "a.add_(1)",
        "(a * 2).add_(1)", "(a * 2)[0].zero_()",
    ],
)  # fmt: skip
def test_what_inference_mode_makes(code, oracle):
    found = []
    for engine in (torch, oracle):
        names = {"torch": engine, "a": engine.ones(4, 4)}
        names["g"] = engine.ones(4, 4, requires_grad=True)
        with engine.inference_mode():
            made = eval(code, names)
        found.append((made.is_inference(), made.requires_grad, made.is_leaf, made.shape))
        for use in (lambda t, g=names["g"]: t * g, lambda t: t.add_(1), lambda t: t.view(-1)):
            try:
                result = use(made)
                found[-1] += (result.is_inference(), result.requires_grad)
            except Exception as error:
                found[-1] += (type(error),)
    assert found[0] == found[1]


def test_enable_grad_records_nothing_in_inference_mode(oracle):
    found = []
    for t in (torch, oracle):
        leaf = t.ones(2, requires_grad=True)
        with t.inference_mode(), t.enable_grad():
            made = [leaf * 2, leaf @ leaf, t.stack([leaf, leaf]), leaf.max(0).values, leaf.exp()]
            plain = t.ones(2, requires_grad=True)
        found.append([(x.is_inference(), x.requires_grad) for x in (*made, plain)])
    assert found[0] == found[1]
