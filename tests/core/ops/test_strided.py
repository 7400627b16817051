"""Views of other geometry on memory that is dense in an order of its own."""

import numpy as np
import pytest

import flambeau
import flambeau as torch


def test_offset_views_of_a_permuted_owner():
    image = torch.arange(48.0).reshape(2, 3, 4, 2).to(memory_format=torch.channels_last) * 1
    plain = image.clone(memory_format=torch.contiguous_format)
    assert not image.is_contiguous()
    for offset in (-1, 0, 1):
        assert torch.equal(image.diagonal(offset, 2, 3), plain.diagonal(offset, 2, 3))
    assert torch.equal(image[:, 1:, 2:].unfold(2, 2, 1), plain[:, 1:, 2:].unfold(2, 2, 1))
    assert torch.equal(image[:, :1, 1:].expand(2, 3, 3, 2), plain[:, :1, 1:].expand(2, 3, 3, 2))


def test_expand_of_a_view():
    base = torch.arange(12.0).reshape(3, 4).t()
    row = base[1:2]
    assert row.expand(5, 3).tolist() == [row[0].tolist()] * 5
    assert row.expand(2, 5, 3).stride() == (0, 0, 4)


def test_as_strided_counts_from_the_memorys_start(oracle):
    for engine in (flambeau, oracle):
        x = engine.arange(16.0).reshape(4, 4).requires_grad_()
        got = [x.as_strided((2, 2), (1, 2)), x[1:].as_strided((2, 3), (4, 1), 2)]
        got.append(x[1:].as_strided((2,), (2,)))
        sum((k + 1) * v.sum() for k, v in enumerate(got)).backward()
        values = [v.tolist() for v in got], [v.storage_offset() for v in got], x.grad.tolist()
        if engine is flambeau:
            ours = values
    assert ours == values


def test_reshaping_is_a_view_or_a_copy_where_pytorchs_is(oracle):
    for shape, order, size in [
        ((2, 3, 4), (2, 0, 1), (4, 6)), ((2, 3, 4), (1, 0, 2), (3, 2, 2, 2)), ((4, 5), (1, 0), (-1,)),
        ((1, 3, 1, 4), (2, 1, 0, 3), (3, 1, 4)), ((4, 1, 3), (1, 0, 2), (1, 12)), ((2, 6), (1, 0), (6, 1, 2)),
        ((2, 3, 4), (2, 1, 0), (4, 3, 2, 1)), ((2, 4), (1, 0), (2, 2, 2)),
    ]:  # fmt: skip
        found = []
        for engine in (flambeau, oracle):
            x = engine.arange(24.0)[: engine.zeros(shape).numel()].reshape(shape).requires_grad_()
            y = x.permute(order).reshape(size)
            (y * engine.arange(24.0)[: y.numel()].reshape(y.shape)).sum().backward()
            shared = y.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
            name = type(y.grad_fn).__name__
            found.append((y.tolist(), y.stride(), shared, name, x.grad.tolist()))
        assert found[0] == found[1]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "complex64", "complex128"])
def test_a_copy_in_other_sizes_keeps_its_history_in_every_dtype(dtype):
    x = torch.ones(2, 1, 3, dtype=getattr(torch, dtype), requires_grad=True)
    y = x.permute(2, 0, 1).reshape(-1)
    assert type(y.grad_fn).__name__ == "UnsafeViewBackward0"
    y.abs().sum().backward()
    assert x.grad.abs().sum().item() == 6.0


@pytest.mark.parametrize("size,step", [(1, 1), (4, 1), (5, 2), (6, 4), (5, 5), (5, 7)])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_windows_are_added_up_in_pytorchs_order(oracle, dim, size, step):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((8, 9, 10)).astype("f4")
    wanted = oracle.tensor(x, requires_grad=True)
    windows = wanted.unfold(dim, size, step)
    g = rng.standard_normal(windows.shape).astype("f4")
    windows.backward(oracle.tensor(g))
    found = torch.tensor(x, requires_grad=True)
    found.unfold(dim, size, step).backward(torch.tensor(g))
    np.testing.assert_array_equal(found.grad.numpy(), wanted.grad.numpy())


def test_larger_elements_must_start_where_they_would_in_the_storage(oracle):
    for engine in (torch, oracle):
        rows = engine.zeros(4, 8)
        assert rows[:, 2:6].view(engine.float64).shape == (4, 2)
        for wrong in (rows[:, 1:5], engine.zeros(4, 7)[:, :4], engine.zeros(5, 3)):
            with pytest.raises(RuntimeError):
                wrong.view(engine.float64)
