"""Encoders over batches of uneven sequences: padded ones, whose padding is zero in evaluation, and
nested ones."""

from __future__ import annotations

import pytest

import flambeau

MASKS = {
    "right": [[0, 0, 1, 1], [0, 0, 0, 0]],
    "hole": [[0, 1, 0, 1], [0, 0, 0, 0]],
    "left": [[1, 0, 0, 0], [0, 0, 0, 0]],
}


def encoder(torch, **options):
    torch.manual_seed(1)
    layer = torch.nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    return torch.nn.TransformerEncoder(layer, 2, **options).eval()


def near(ours, theirs):
    return flambeau.allclose(ours, flambeau.tensor(theirs.tolist()), atol=1e-5)


@pytest.mark.parametrize("name", sorted(MASKS))
@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.filterwarnings("ignore:.*nested tensors is in prototype")
def test_padding_is_zero_where_pytorch_leaves_it_out(oracle, name, check, fast):
    def found(torch):
        x = torch.linspace(-1, 1, 32).reshape(2, 4, 4).sin()
        padding = torch.tensor(MASKS[name]).bool()
        torch.backends.mha.set_fastpath_enabled(fast)
        try:
            with torch.no_grad():
                return encoder(torch, mask_check=check)(x, src_key_padding_mask=padding)
        finally:
            torch.backends.mha.set_fastpath_enabled(True)

    assert near(found(flambeau), found(oracle))


def parts(torch):
    return torch.nested.nested_tensor(
        [torch.linspace(-1, 1, 4 * n).reshape(n, 4).cos() for n in (3, 5)]
    )


@pytest.mark.filterwarnings("ignore:.*nested tensors is in prototype")
def test_nested_sequences_are_attended_to_in_evaluation(oracle):
    def found(torch):
        torch.manual_seed(0)
        attention = torch.nn.MultiheadAttention(4, 2, batch_first=True).eval()
        x = parts(torch)
        with torch.no_grad():
            out, weights = attention(x, x, x)
            assert attention(x, x, x, need_weights=False)[1] is None
            layer = encoder(torch).layers[0](x)
            whole = encoder(torch)(x)
        assert out.is_nested and layer.is_nested and whole.is_nested
        made = [each.to_padded_tensor(0.0) for each in (out, layer, whole)]
        return [*made, weights[0, :3], weights[1]]

    for ours, theirs in zip(found(flambeau), found(oracle), strict=True):
        assert near(ours, theirs)


@pytest.mark.filterwarnings("ignore:.*nested tensors is in prototype")
@pytest.mark.parametrize("name", ["flambeau", "torch"])
def test_nested_sequences_are_refused_elsewhere(oracle, name):
    torch = flambeau if name == "flambeau" else oracle
    x = parts(torch)
    attention = torch.nn.MultiheadAttention(4, 2, batch_first=True)
    layer = torch.nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    mask = torch.zeros(2, 5).bool()
    with torch.no_grad():
        refused(lambda: attention(x, x, x))
        refused(lambda: layer(x))
        attention.eval(), layer.eval()
        refused(lambda: attention(x, x, x, key_padding_mask=mask))
        refused(lambda: attention(x, parts(torch), x))
        refused(lambda: layer(x, src_key_padding_mask=mask))
    refused(lambda: attention(x, x, x))
    refused(lambda: layer(x))


def refused(call):
    with pytest.raises(AssertionError, match="outside of its fast path"):
        call()


def test_the_activation_is_known_after_others_may_handle_it():
    parts(flambeau)  # from here on another object stands in relu's place
    assert flambeau.nn.TransformerEncoderLayer(4, 2).activation_relu_or_gelu == 1


@pytest.mark.filterwarnings("ignore:.*nested tensors is in prototype")
def test_sequences_without_elements_go_through(oracle):
    for torch in (flambeau, oracle):
        layer = encoder(torch).layers[0]
        with torch.no_grad():
            out = layer(torch.nested.nested_tensor([torch.rand(0, 4)]))
        assert [tuple(part.shape) for part in out.unbind()] == [(0, 4)]
