"""nn.functional beside PyTorch's: its names, and what op_db does not try (packed recurrences)."""

import inspect

import numpy as np
import pytest

import flambeau
import flambeau.nn.functional as F

# What stands in PyTorch's module beside its functions.
OTHER = {
    "BroadcastingList1", "BroadcastingList2", "BroadcastingList3", "Callable", "DType", "GRID_SAMPLE_INTERPOLATION_MODES",
    "GRID_SAMPLE_PADDING_MODES", "Optional", "TYPE_CHECKING", "assert_int_or_pair", "boolean_dispatch", "dataclasses", "grad",
    "handle_torch_function", "has_torch_function", "has_torch_function_unary", "has_torch_function_variadic", "importlib",
    "math", "np", "reproducibility_notes", "sparse_support_notes", "tf32_notes", "torch", "warnings",
}  # fmt: skip


def test_every_public_name_is_there(oracle):
    theirs = {name for name in dir(oracle.nn.functional) if not name.startswith("_")} - OTHER
    assert theirs - set(dir(F)) == set()


@pytest.mark.names
def test_signatures_agree(oracle):
    differing = {}
    for name in dir(oracle.nn.functional):
        theirs = getattr(oracle.nn.functional, name)
        if name.startswith("_") or name in OTHER or not inspect.isfunction(theirs):
            continue
        expected = {k: p.default for k, p in inspect.signature(theirs).parameters.items()}
        if "args" in expected or inspect.isclass(getattr(F, name)):
            continue
        found = {k: p.default for k, p in inspect.signature(getattr(F, name)).parameters.items()}
        if list(expected) != list(found) or any(
            expected[k] is not found[k]
            and expected[k] != found[k]
            and not hasattr(expected[k], "itemsize")
            for k in expected
        ):
            differing[name] = (expected, found)
    assert differing == {}


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("LSTM", {"bidirectional": True, "num_layers": 2, "proj_size": 2}),
        ("GRU", {"bidirectional": True, "num_layers": 2}),
        ("RNN", {"nonlinearity": "relu"}),
    ],
)
def test_packed_recurrences_and_their_gradients(oracle, kind, options):
    x = np.random.randn(5, 3, 3)
    found = []
    theirs = getattr(oracle.nn, kind)(3, 4, **options).double()
    ours = getattr(flambeau.nn, kind)(3, 4, **options).double()
    for p, q in zip(theirs.parameters(), ours.parameters(), strict=True):
        q.data.copy_(flambeau.from_numpy(p.detach().numpy().copy()))
    for library, layer in ((oracle, theirs), (flambeau, ours)):
        t = library.tensor(x, requires_grad=True)
        packed = library.nn.utils.rnn.pack_padded_sequence(t, [5, 3, 2])
        out, state = layer(packed)
        loss = (out.data**2).sum() + (state[0] * 1.5).sum()
        loss.backward()
        found.append(
            [
                out.data.detach().numpy(),
                t.grad.numpy(),
                *(p.grad.numpy() for p in layer.parameters()),
            ]
        )
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-11)
