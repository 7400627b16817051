"""What programs reach for in PyTorch's compiler."""

import flambeau as torch
from flambeau import _dynamo


def test_settings_are_taken(monkeypatch):
    monkeypatch.setattr(_dynamo.config, "suppress_errors", True)
    _dynamo.reset()
    assert not _dynamo.is_compiling()
    assert _dynamo.disable(torch.relu)(torch.tensor([-1.0])).item() == 0


def test_batched_indices_index():
    from flambeau._dynamo._trace_wrapped_higher_order_op import TransformGetItemToIndex

    table = torch.arange(12.0).view(3, 4)
    with TransformGetItemToIndex():
        found = torch.vmap(lambda i, j: table[i, j])(torch.tensor([0, 2]), torch.tensor([1, 3]))
    assert found.tolist() == [1.0, 11.0]


def test_settings_of_the_code_generator_are_taken():
    from flambeau import _inductor

    _inductor.config.coordinate_descent_tuning = True
    with _inductor.config.patch(max_autotune=True), _inductor.config.triton.patch(cudagraphs=True):
        assert _inductor.config.max_autotune and _inductor.config.triton.cudagraphs
    assert not _inductor.config.max_autotune and not _inductor.config.triton.cudagraphs
    assert "fx_graph_cache" in _inductor.list_options()
    _inductor.config.coordinate_descent_tuning = False
