"""Writes through `.data`, which PyTorch does not notice."""

import numpy as np
import pytest

import flambeau as torch


def squared():
    x = torch.ones(2, requires_grad=True)
    h = x * 1
    y = (h * h).sum()
    h.data.fill_(0)
    return x, h, y


def test_a_silent_write_is_an_error(monkeypatch):
    monkeypatch.setenv("FLAMBEAU_ALIAS", "error")
    _, h, y = squared()
    assert h._version == 0
    with pytest.raises(
        RuntimeError,
        match=r"overwritten through .data at test_alias.py:\d+ \(`h.data.fill_\(0\)`\)",
    ):
        y.backward()


def test_it_warns_or_passes(monkeypatch):
    monkeypatch.setenv("FLAMBEAU_ALIAS", "warn")
    _, _, y = squared()
    with pytest.warns(UserWarning, match="without a word"):
        y.backward()
    monkeypatch.setenv("FLAMBEAU_ALIAS", "off")
    x, _, y = squared()
    y.backward()
    assert x.grad.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("write", "wrong"),
    [
        ("k.data[..., 1] = 5", False),
        ("k.data[..., 0] = 5", True),
        ("k.data[0] = 5", True),
        ("k.data[..., 1:].fill_(5)", None),
        ("k.data.select(1, 1).copy_(torch.ones(3))", None),
        ("k.data[torch.tensor([0])] = 5", True),
        ("k.data.mul_(2)", True),
    ],
)
def test_only_elements_that_were_saved_count(oracle, monkeypatch, write, wrong):
    """A buffer filled column by column, as solvers of differential equations do."""
    monkeypatch.setenv("FLAMBEAU_ALIAS", "error")
    grads = []
    for engine in (torch, oracle):
        w = engine.ones(3, 1, requires_grad=True)
        k = engine.arange(6.0).view(3, 2).requires_grad_()
        y = (k[..., :1] * w).sum()
        exec(write, {"k": k, "torch": engine})
        if engine is torch and wrong is not False:  # None: right either way, and told
            if wrong:
                with pytest.raises(RuntimeError, match=r"overwritten through \.data"):
                    y.backward()
            return
        y.backward()
        grads.append(w.grad.tolist())
    assert grads[0] == grads[1]


def test_many_writes_beside_stay_bounded():
    k = torch.zeros(200, 2)
    for i in range(200):
        k.data[i, 1] = 5
    assert len(k._storage.places) <= 64


def through_an_export_after_the_save():
    x = torch.ones(2, requires_grad=True)
    h = x * 1
    y = (h * h).sum()
    h.detach().numpy()[:] = 0
    return x, y


def through_the_array_it_was_made_from():
    buffer = np.ones((3, 2), np.float32)
    x = torch.ones(2, requires_grad=True)
    y = (torch.from_numpy(buffer)[1:] * x).sum()
    buffer[:] = 0
    return x, y


WRITES = [through_an_export_after_the_save, through_the_array_it_was_made_from]


@pytest.mark.parametrize("write", WRITES)
def test_a_write_through_numpy_is_an_error(write, monkeypatch):
    monkeypatch.setenv("FLAMBEAU_ALIAS", "error")
    _, y = write()
    with pytest.raises(RuntimeError, match=r"saved by Mul at test_alias.py.* a NumPy array"):
        y.backward()


@pytest.mark.parametrize("write", WRITES)
def test_pytorchs_silence_can_be_had(write, monkeypatch):
    monkeypatch.setenv("FLAMBEAU_ALIAS", "off")
    x, y = write()
    y.backward()
    assert x.grad.tolist() == [0, 0]
    monkeypatch.setenv("FLAMBEAU_ALIAS", "error")
    x, y = write()
    with torch.compat.strict():
        y.backward()
    assert x.grad.tolist() == [0, 0]


def test_a_buffer_that_is_used_again_after_backward_is_no_error():
    buffer = np.zeros((64, 200), np.float32)
    data = torch.from_numpy(buffer)
    x = torch.ones(200, requires_grad=True)
    for k in range(40):
        buffer[:] = k
        x.grad = None
        (data * x).sum().backward()
        assert x.grad.tolist() == [64.0 * k] * 200


def test_a_write_beside_the_saved_value_is_no_error():
    buffer = np.ones((4, 2), np.float32)
    x = torch.ones(2, requires_grad=True)
    y = (torch.from_numpy(buffer)[1] * x).sum()
    buffer[0] = 5
    y.backward()
    assert x.grad.tolist() == [1, 1]


def test_a_write_through_torch_is_still_told_by_its_line():
    h = torch.ones(2, requires_grad=True) * 1
    y = (h * h).sum()
    h.detach().numpy()
    h.mul_(2)
    with pytest.raises(RuntimeError, match=r"inplace operation.*`h.mul_\(2\)`"):
        y.backward()


def test_values_on_foreign_memory_are_freed_all_the_same():
    x = torch.ones(2, requires_grad=True)
    y = (torch.from_numpy(np.ones(2, np.float32)) * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="a second time"):
        y.backward()


def test_a_write_that_is_taken_back_is_no_error():
    x = torch.ones(3, requires_grad=True)
    y = (x * x).sum()
    view = x.detach().numpy()
    for _ in range(40):
        view[0] = 2
        assert (x * x).sum().item() == 6
        view[0] = 1
    y.backward()
    assert x.grad.tolist() == [2, 2, 2]


@pytest.mark.parametrize("name", ["exp_", "sigmoid_", "relu_", "sqrt_", "tanh_"])
def test_an_operation_in_place_saves_what_it_wrote(name):
    def gradient(export):
        x = torch.full((2,), 0.5, requires_grad=True)
        h = x * 1
        if export:
            h.detach().numpy()
        getattr(h, name)()
        h.sum().backward()
        return x.grad.tolist()

    assert gradient(True) == gradient(False)


def test_a_training_step_on_exported_parameters():
    layer = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(layer.parameters())
    data = torch.from_numpy(np.ones((4, 3), np.float32))
    for _ in range(3):
        seen = [p.detach().numpy().copy() for p in layer.parameters()]
        optimizer.zero_grad()
        layer(data).sum().backward()
        optimizer.step()
        assert all(np.any(a != p.detach().numpy()) for a, p in zip(seen, layer.parameters()))


def test_layers_whose_rules_tell_arrays_from_tensors_work_on_exported_weights():
    layer = torch.nn.LSTM(2, 3)
    x = torch.rand(4, 1, 2)
    wanted = torch.autograd.grad(layer(x)[0].sum(), layer.parameters())
    for parameter in layer.parameters():
        parameter.detach().numpy()
    found = torch.autograd.grad(layer(x)[0].sum(), layer.parameters())
    assert all(torch.equal(a, b) for a, b in zip(wanted, found, strict=True))


def test_turned_arrays_have_their_own_span():
    x = torch.rand(4, 4, requires_grad=True)
    x.detach().numpy()
    y = (x * x).flip(0)
    y.numpy(force=True)
    (y * y).sum().backward()
    assert torch.allclose(x.grad, 4 * x.detach() ** 3)


def test_looking_at_lent_memory_takes_no_fingerprint(monkeypatch):
    monkeypatch.setenv("FLAMBEAU_ALIAS", "error")
    x = torch.from_numpy(np.ones(4, "f4"))
    y = torch.ones(4)
    y.numpy()
    for t in (x, y):
        t[0], t.detach(), t.view(2, 2)
        t.numpy()
        assert "marks" not in t._storage.__dict__
        w = torch.ones(4, requires_grad=True)
        loss = (w * t).sum()
        assert len(t._storage.__dict__["marks"]) == 1
        t.detach().numpy()[1] = 5.0
        with pytest.raises(RuntimeError):
            loss.backward()
