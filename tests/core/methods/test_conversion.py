"""`to` and the casts by name: which strides a conversion gives, and when it gives the tensor."""

from __future__ import annotations

from typing import Any

import pytest

import flambeau

FORMATS = ("preserve_format", "contiguous_format", "channels_last", "channels_last_3d")


def inputs(engine: Any) -> list[Any]:
    x = engine.arange(36.0).view(2, 3, 2, 3)
    return [
        x,
        x.permute(0, 2, 3, 1),
        x.contiguous(memory_format=engine.channels_last),
        engine.arange(6.0).view(1, 3, 2, 1).expand(2, 3, 2, 4),
        x[..., ::2],
        engine.arange(6.0).view(2, 3).t(),
        engine.arange(72.0).view(1, 2, 3, 3, 4),
    ]


def conversions(engine: Any, name: str) -> list[Any]:
    """What every way to convert gives: strides, dtype and values, or the exception's type."""
    format = getattr(engine, name)
    ways = (
        lambda x, kind: getattr(x, kind)(memory_format=format),
        lambda x, kind: x.to(getattr(engine, kind), memory_format=format),
        lambda x, kind: x.to(getattr(engine, kind), copy=True, memory_format=format),
        lambda x, kind: x.clone(memory_format=format),
    )
    found: list[Any] = []
    for x in inputs(engine):
        for kind in ("float", "double", "int"):
            for way in ways:
                try:
                    y = way(x, kind)
                except RuntimeError as error:
                    found.append(type(error).__name__)
                else:
                    found.append((y.stride(), y is x, str(y.dtype), y.tolist()))
    return found


@pytest.mark.parametrize("name", FORMATS)
def test_a_memory_format_gives_the_strides_of_pytorch(oracle: Any, name: str) -> None:
    assert conversions(flambeau, name) == conversions(oracle, name)


def test_a_conversion_to_a_format_is_one_step_of_the_graph() -> None:
    x = flambeau.rand(1, 2, 3, 4, requires_grad=True)
    y = x.double(memory_format=flambeau.channels_last)
    assert type(y.grad_fn).__name__ == "ToCopyBackward0"
    y.sum().backward()
    assert x.grad.tolist() == flambeau.ones(1, 2, 3, 4).tolist()


def test_a_copy_of_a_cut_is_taken_in_its_own_dtype(oracle):
    for engine in (flambeau, oracle):
        cut = engine.arange(24.0).view(2, 3, 4)[:, -1]
        for found in (cut.to(copy=True, dtype=engine.float32), cut.clone(memory_format=None)):
            assert found.tolist() == cut.tolist() and found.stride() == (4, 1)
            assert found.data_ptr() != cut.data_ptr()


FORMS = (
    "x.to(t.float64)", "x.to('cpu')", "x.to(t.device('cpu'))", "x.to(t.device('cpu'), t.int64)",
    "x.to('cpu', non_blocking=True)", "x.to(device='cpu', dtype=t.bool)", "x.to(dtype=t.int32)",
    "x.to(device=t.device('cpu'))", "x.to(x.double())", "x.to(t.float64, copy=True)",
    "x.to('cpu', None)",
    "x.long()", "x.bool()", "x.double()", "x.float()", "x.int()", "x.byte()", "x.t().double()",
    "x[:, ::2].long()", "x.half()", "x.type(t.float64)", "x.type_as(x.double())",
)  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("grad", [False, True])
def test_forms(form, grad, oracle):
    found = []
    for t in (flambeau, oracle):
        x = t.tensor([[1.5, 0.0, -2.0], [3.0, 4.5, 1.0]], requires_grad=grad)
        y = eval(form, {"x": x, "t": t})
        node = None if y.grad_fn is None else y.grad_fn.name()
        values = None if y.device.type == "meta" else y.tolist()
        found.append((str(y.dtype), y.stride(), y is x, y.requires_grad, node, values))
    assert found[0] == found[1]


def test_a_number_made_of_what_has_a_gradient_is_told_of_once(oracle):
    import warnings

    import flambeau

    for torch in (oracle, flambeau):
        x = torch.ones(2, requires_grad=True).sum()
        said = torch.is_warn_always_enabled()
        torch.set_warn_always(True)  # the oracle may have said it already
        try:
            for make, warned in (
                (float, True),
                (complex, True),
                ("%.1f".__mod__, True),
                ("{:.1f}".format, False),
                (int, False),
                (bool, False),
                (lambda t: t.item(), False),
                (lambda t: float(t.detach()), False),
                (torch.no_grad()(lambda t: float(t)), False),
            ):
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    assert make(x) in (2.0, "2.0", True)
                assert [
                    (w.category, "requires_grad=True to a scalar" in str(w.message)) for w in caught
                ] == [(UserWarning, True)] * warned
        finally:
            torch.set_warn_always(said)


def test_pythons_types_are_dtypes(oracle):
    def told(torch):
        x, found = torch.ones(2), []
        for kind in (int, float, bool, complex):
            found += [
                x.to(kind), x.to(dtype=kind), x.to("cpu", kind), x.to(torch.device("cpu"), kind),
                torch.as_tensor(x.numpy(), dtype=kind), torch.as_tensor(x, dtype=kind),
                torch.asarray(x.numpy(), dtype=kind), x.sum(dtype=kind), x.prod(dtype=kind),
                torch.zeros_like(x, dtype=kind),
            ]  # fmt: skip
        found += [
            x.cumsum(0, dtype=float), x.mean(dtype=float), x.softmax(0, dtype=float),
            x.view(int), torch.linalg.vector_norm(x, dtype=float), torch.norm(x, dtype=float),
        ]  # fmt: skip
        return [(str(each.dtype), each.tolist()) for each in found]

    assert told(flambeau) == told(oracle)
