"""Forms of 2019 that the notes use: silent where PyTorch is silent, warned of where it warns, and
where it refuses them understood, with one `LegacyWarning` that names today's spelling.
"""

from __future__ import annotations

import warnings

import pytest

import flambeau as torch
from flambeau import compat


def _byte_mask():
    return torch.tensor([1, 0, 1], dtype=torch.uint8)


def _x():
    return torch.arange(3.0)


def _loss():
    return (torch.ones(1, requires_grad=True) ** 2).sum()


def _leaf_and_loss():
    x = torch.ones(1, requires_grad=True)
    return x, (x**2).sum()


REFUSED = {
    # row and form: the call, its result, today's spelling, what PyTorch raises
    "028 masked_select": (
        lambda: torch.masked_select(_x(), _byte_mask()).tolist(),
        [0.0, 2.0],
        "mask != 0",
        RuntimeError,
    ),
    "028 masked_fill": (
        lambda: _x().masked_fill(_byte_mask(), 7.0).tolist(),
        [7.0, 1.0, 7.0],
        "mask != 0",
        RuntimeError,
    ),
    "028 masked_fill_": (
        lambda: _x().masked_fill_(_byte_mask(), 7.0).tolist(),
        [7.0, 1.0, 7.0],
        "mask != 0",
        RuntimeError,
    ),
    "028 ByteTensor": (
        lambda: torch.ByteTensor(_x() > 0).tolist(),
        [0, 1, 1],
        "uint8",
        TypeError,
    ),
    "028 one minus mask": (
        lambda: (1 - (_x() > 0)).tolist(),
        [True, False, False],
        "~mask",
        RuntimeError,
    ),
    "028 indexing by one minus mask": (
        lambda: _x()[1 - (_x() > 0)].tolist(),
        [0.0],
        "~mask",
        RuntimeError,
    ),
    "081 Tensor.backward": (
        lambda: _loss().backward(retain_variables=True),
        None,
        "retain_graph=",
        TypeError,
    ),
    "081 autograd.backward": (
        lambda: torch.autograd.backward(_loss(), retain_variables=True),
        None,
        "retain_graph=",
        TypeError,
    ),
    "081 autograd.grad": (
        lambda: torch.autograd.grad(*_leaf_and_loss()[::-1], retain_variables=True)[0].item(),
        2.0,
        "retain_graph=",
        TypeError,
    ),
}


@pytest.mark.parametrize("form", REFUSED)
def test_a_form_that_pytorch_refuses_is_understood_with_one_warning(form):
    call, wanted, today, refusal = REFUSED[form]
    with pytest.warns(compat.LegacyWarning) as caught:
        for _ in range(3):
            assert call() == wanted
    assert len(caught) == 1
    assert today in str(caught[0].message)
    assert caught[0].filename == __file__
    with compat.strict(), pytest.raises(refusal):
        call()


def test_a_legacy_warning_comes_always_where_it_is_asked_for():
    torch.set_warn_always(True)
    try:
        with pytest.warns(compat.LegacyWarning) as caught:
            for _ in range(2):
                1 - (_x() > 0)
        assert len(caught) == 2
    finally:
        torch.set_warn_always(False)


def test_row_081_retained_variables_let_a_graph_run_again():
    x, y = _leaf_and_loss()
    with pytest.warns(compat.LegacyWarning):
        y.backward(retain_variables=True)
    y.backward()
    assert x.grad.item() == 4.0
    for function in (y.backward, lambda **k: torch.autograd.grad(y, x, **k)):
        with pytest.raises(TypeError, match="unexpected keyword argument 'retain'"):
            function(retain=True)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x, mask: x - mask,
        lambda x, mask: mask - x,
        lambda x, mask: mask - 1,
        lambda x, mask: 2 - mask,
        lambda x, mask: mask - mask,
        lambda x, mask: x.clone().sub_(mask),
        lambda x, mask: -mask,
    ],
)
def test_row_028_masks_are_not_subtracted(oracle, wrong):
    for engine in (torch, oracle):
        mask, x = engine.tensor([True, False]), engine.ones(2)
        with pytest.raises(RuntimeError, match="Subtraction|Negation|neg"):
            wrong(x, mask)
        assert (1 - mask.to(engine.uint8)).tolist() == [0, 1]


WARNED = {
    "014 sparse.FloatTensor": (
        lambda t: t.sparse.FloatTensor(t.tensor([[0]]), t.tensor([1.0]), t.Size([2])),
        UserWarning,
        "sparse_coo_tensor",
    ),
    "028 where": (
        lambda t: t.where(t.tensor([1, 0], dtype=t.uint8), t.ones(2), 0.0),
        UserWarning,
        "uint8",
    ),
    "028 indexing": (
        lambda t: t.ones(2)[t.tensor([1, 0], dtype=t.uint8)],
        UserWarning,
        "uint8",
    ),
    "087 volatile=": (
        lambda t: t.autograd.Variable(t.ones(2), volatile=True),
        UserWarning,
        "no_grad",
    ),
    "087 volatile": (lambda t: t.ones(2).volatile, UserWarning, "volatile"),
    "087 volatile set": (lambda t: setattr(t.ones(2), "volatile", True), UserWarning, "no_grad"),
    "108 size_average=": (
        lambda t: t.nn.MSELoss(size_average=False),
        UserWarning,
        "reduction='sum'",
    ),
    "108 reduce=": (lambda t: t.nn.MSELoss(reduce=False), UserWarning, "reduction='none'"),
    "109 NLLLoss2d": (lambda t: t.nn.NLLLoss2d(), FutureWarning, "NLLLoss"),
}
ONCE = {"014 sparse.FloatTensor", "028 where", "028 indexing"}  # real PyTorch may have said it


@pytest.mark.parametrize("form", WARNED)
def test_a_form_that_pytorch_warns_about_has_its_category(request, form):
    call, category, text = WARNED[form]
    engines = [torch] if form in ONCE else [torch, request.getfixturevalue("oracle")]
    for engine in engines:
        with pytest.warns(category, match=text) as caught:
            call(engine)
        assert caught[0].category is category


SILENT = {
    "010 FloatTensor": lambda t: t.FloatTensor([1, 2, 3]),
    "010 ByteTensor of a list": lambda t: t.ByteTensor([True, False]),
    "011 Variable": lambda t: t.autograd.Variable(t.ones(2), requires_grad=True),
    "013 type by name": lambda t: t.ones(2).type("torch.LongTensor"),
    "013 type by class": lambda t: t.ones(2).type(t.LongTensor),
    "013 type of sparse": lambda t: t.ones(2).type("torch.sparse.DoubleTensor"),
    "028 one minus bytes": lambda t: 1 - t.tensor([1, 0], dtype=t.uint8),
    "050 cat skips": lambda t: t.cat([t.empty(0), t.ones(1, 2)]),
    "087 new": lambda t: t.ones(2).new(3).zero_(),
    "111 model_zoo": lambda t: t.hub.load_state_dict_from_url is t.utils.model_zoo.load_url,
}


@pytest.mark.parametrize("form", SILENT)
def test_a_form_that_pytorch_takes_silently_stays_silent(oracle, form):
    import importlib

    found = []
    for engine in (torch, oracle):
        importlib.import_module(f"{engine.__name__}.utils.model_zoo")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found.append(repr(SILENT[form](engine)))
    assert found[0] == found[1]


def test_row_013_type_as_keeps_to_one_layout(oracle):
    for engine in (torch, oracle):
        dense, sparse = engine.eye(2), engine.eye(2).double().to_sparse()
        for pair in ((dense, sparse), (sparse, dense)):
            with pytest.raises(RuntimeError, match="layout"):
                pair[0].type_as(pair[1])
        assert dense.to_sparse().type_as(sparse).dtype is engine.float64
