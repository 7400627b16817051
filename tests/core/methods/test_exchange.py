"""Tensors handed out and looked at as whole: what PyTorch refuses is refused with its type."""

from __future__ import annotations

from typing import Any

import pytest

import flambeau

FORMS = {
    "numpy, force a number": lambda of: of.ones(2, requires_grad=True).numpy(force=1),
    "numpy, force": lambda of: of.ones(2, requires_grad=True).numpy(force=True).tolist(),
    "numpy of meta": lambda of: of.ones(2, device="meta").numpy(),
    "numpy of meta, force": lambda of: of.ones(2, device="meta").numpy(force=True),
    "dlpack, an object's stream": lambda of: of.ones(2).__dlpack__(stream=object()),
    "dlpack, a stream": lambda of: of.ones(2).__dlpack__(stream=1),
    "dlpack, no stream": lambda of: type(of.ones(2).__dlpack__(stream=-1)).__name__,
    "apply a word": lambda of: of.ones(2).apply_(lambda x: "word"),
    "apply a truth": lambda of: of.ones(2).apply_(lambda x: x > 2).tolist(),
    "map": lambda of: of.ones(2, 3).map_(of.ones(3), lambda a, b: a + b).tolist(),
    "map2 of shapes apart": lambda of: of.ones(3).map2_(
        of.ones(1), of.ones(2, 1), lambda a, b, c: a
    ),
    "map of shapes apart": lambda of: of.ones(3).map_(of.ones(2, 3), lambda a, b: a),
    "steps without elements": lambda of: [
        x.stride()
        for x in (
            of.ones(2, 3, 4)[:, :0],
            of.ones(2, 3, 4)[:, 1:1, ::2],
            of.ones(2, 3, 4)[:0].transpose(1, 2),
            of.ones(2, 3, 4).narrow(1, 0, 0),
            of.ones(2, 3, 4)[:, 1:1].select(2, 1),
            of.ones(0, 3),
        )
    ],
    "no elements as another dtype": lambda of: [
        tuple(x.shape) for x in (of.ones(4, 4, 0).view(of.int16), of.ones(0).view(of.int16))
    ],
    "no slices to select": lambda of: of.ones(2, 0).index_select(1, of.tensor([0])),
    "nothing selected": lambda of: (
        of.ones(2, 0).index_select(1, of.tensor([], dtype=of.long)).tolist()
    ),
    "set to, nothing in both": lambda of: of.ones(0).is_set_to(of.ones(0)),
    "set to": lambda of: [
        x.is_set_to(y) for x in [of.ones(4)] for y in (x, x.view(-1), x.detach(), x[1:], x.clone())
    ],
    "mT of 0 dimensions": lambda of: of.ones(()).mT.tolist(),
    "mH of 0 dimensions": lambda of: of.tensor(1 + 2j).mH.tolist(),
    "adjoint of 0 dimensions": lambda of: of.tensor(1 + 2j).adjoint().tolist(),
    "mT of 1 dimension": lambda of: of.ones(3).mT,
    "nonzero, out of a tuple": lambda of: of.nonzero(
        of.ones(3), out=of.zeros(3, 1, dtype=of.long), as_tuple=True
    ),
    "bernoulli into bool": lambda of: of.bernoulli(
        of.tensor([0.0, 1.0]), out=of.zeros(2, dtype=of.bool)
    ).tolist(),
    "bernoulli into int8": lambda of: of.bernoulli(
        of.tensor([0.0, 1.0]), out=of.zeros(2, dtype=of.int8)
    ).tolist(),
    "tensor of another dtype's storage": lambda of: of.tensor(of.ones(2).double().storage()),
    "tensor of a storage": lambda of: of.tensor(of.ones(2).storage()).tolist(),
    "as_tensor of another dtype's storage": lambda of: of.as_tensor(of.ones(2).double().storage()),
}


@pytest.mark.filterwarnings("ignore:.* 0-D tensors:UserWarning")
@pytest.mark.filterwarnings("ignore:.*TypedStorage is deprecated:UserWarning")
@pytest.mark.parametrize("form", FORMS)
def test_given_or_refused_as_in_pytorch(oracle: Any, form: str) -> None:
    def run(of: Any) -> Any:
        try:
            return FORMS[form](of)
        except Exception as error:
            return type(error)

    assert run(flambeau) == run(oracle)
