"""Every row's test notices when its behaviour breaks: each mutation breaks one on purpose."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest

import flambeau

ROWS = {
    "001_024": range(1, 25),
    "025_060": range(25, 61),
    "061_093": range(61, 94),
    "094_109": range(94, 110),
}


def _nothing(*args: Any, **kwargs: Any) -> None:
    return None


def _itself(self: Any, *args: Any, **kwargs: Any) -> Any:
    return self


# test's row and the rest of its name: where the name lives, the name, what stands in its place
MUTATIONS: list[tuple[int, str, Any, str, Callable[..., Any]]] = [
    (1, "convert_before", flambeau.Tensor, "double", _itself),
    (2, "dtype_is_inferred", flambeau, "tensor", lambda data: flambeau.zeros(1)),
    (3, "the_class", flambeau, "Tensor", lambda *sizes: flambeau.zeros(2, 3)),
    (7, "factories", flambeau, "arange", lambda n: flambeau.zeros(n)),
    (8, "zeros_needs", flambeau, "zeros", lambda *size: flambeau.ones(())),
    (10, "which_constructors", flambeau, "from_numpy", lambda a: flambeau.tensor(a)),
    (12, "sizes", flambeau.Tensor, "numel", lambda self: 5),
    (15, "sparse_times", flambeau, "mm", lambda a, b: a),
    (16, "sparse_and_back", flambeau.Tensor, "to_dense", _itself),
    (18, "devices", flambeau.Tensor, "cuda", _itself),
    (19, "max_in_its_forms", flambeau.Tensor, "argmax", lambda self: self.sum().long()),
    (20, "item", flambeau.Tensor, "item", lambda self: 3),
    (21, "nonzero_has", flambeau.Tensor, "nonzero", lambda self: self),
    (24, "numel", flambeau, "numel", lambda t: 5),
    (26, "index_select", flambeau, "take", lambda x, i: x.ravel()[:2]),
    (27, "masked_select", flambeau, "masked_select", lambda x, m: x),
    (29, "where", flambeau, "where", lambda c, a, b: b),
    (30, "gather_along", flambeau.Tensor, "gather", lambda self, dim, index: self),
    (32, "permute", flambeau.Tensor, "permute", lambda self, *dims: self.clone()),
    (33, "transpose", flambeau.Tensor, "transpose", lambda self, a, b: self.t_()),
    (34, "resize", flambeau.Tensor, "resize_", _itself),
    (35, "a_view", flambeau.Tensor, "view", lambda self, *s: self.clone().reshape(*s)),
    (36, "reshape", flambeau.Tensor, "reshape", lambda self, *s: self.clone().view(*s)),
    (37, "expand_as", flambeau.Tensor, "expand_as", lambda self, o: self.repeat(1, 2)),
    (38, "squeeze", flambeau.Tensor, "squeeze", _itself),
    (39, "sort", flambeau.Tensor, "sort", lambda self: (self, self)),
    (40, "view_needs", flambeau.Tensor, "view", lambda self, *s: self.reshape(*s)),
    (42, "is_contiguous", flambeau.Tensor, "is_contiguous", lambda self, **k: True),
    (43, "ceil", flambeau.Tensor, "ceil", lambda self: self.round()),
    (44, "clamp", flambeau, "clamp", lambda x, min=None: x * 1),
    (45, "fill", flambeau.Tensor, "zero_", _itself),
    (46, "index_copy", flambeau.Tensor, "index_copy_", _itself),
    (47, "scatter", flambeau.Tensor, "scatter_", _itself),
    (48, "copies", flambeau.Tensor, "clone", lambda self: self.detach()),
    (49, "repeat", flambeau.Tensor, "repeat", lambda self, *n: self.repeat_interleave(2)),
    (50, "stack", flambeau, "stack", lambda seq, dim=0: flambeau.cat(seq)),
    (51, "eq_keeps", flambeau.Tensor, "eq_", _itself),
    (52, "mm_takes", flambeau, "mm", lambda a, b: flambeau.matmul(a, b)),
    (53, "matmul", flambeau, "matmul", lambda a, b: a),
    (56, "numpy_shares", flambeau.Tensor, "numpy", lambda self: self.detach().clone()),
    (61, "gradients_stay", flambeau.Tensor, "retain_grad", _nothing),
    (62, "backward_of_a_scalar", flambeau.Tensor, "backward", _nothing),
    (63, "backward_of_a_weighted", flambeau.autograd, "backward", _nothing),
    (64, "the_weights", flambeau.Tensor, "backward", _nothing),
    (67, "forward_hooks", flambeau.nn.Module, "register_forward_hook", _nothing),
    (68, "a_backward_hook", flambeau.nn.Module, "register_full_backward_hook", _nothing),
    (69, "the_legacy_hook", flambeau.nn.Module, "register_backward_hook", _nothing),
    (71, "a_tensor_hook", flambeau.Tensor, "register_hook", _nothing),
    (72, "gradients_of_any", flambeau.autograd, "grad", lambda out, inputs: inputs),
    (73, "full_hooks", flambeau.nn.Module, "register_full_backward_hook", _nothing),
    (74, "complex", flambeau.Tensor, "requires_grad_", _itself),
    (75, "integer", flambeau.Tensor, "mul_", _itself),
    (76, "leaves", flambeau.Tensor, "add_", _itself),
    (77, "shape_first", flambeau.Tensor, "requires_grad_", _itself),
    (78, "changing_an_operand", flambeau.Tensor, "add_", _itself),
    (80, "changing_a_result", flambeau.Tensor, "fill_", _itself),
    (83, "gradients_add", flambeau.nn.Module, "zero_grad", _nothing),
    (84, "clone_is", flambeau.Tensor, "clone", lambda self: self.detach()),
    (85, "detach_shares", flambeau.Tensor, "detach", lambda self: self.clone()),
    (90, "detach_makes", flambeau.Tensor, "detach", lambda self: self.clone()),
    (91, "clone_and_detach", flambeau.Tensor, "detach_", _itself),
    (95, "only_parameters", flambeau.optim.SGD, "step", _nothing),
    (97, "apply", flambeau.nn.Module, "apply", _nothing),
    (98, "a_list", flambeau.nn.Module, "add_module", _nothing),
    (100, "the_seeded", flambeau, "manual_seed", lambda seed: flambeau.rand(1)),
    (107, "buffers", flambeau.nn.Module, "state_dict", lambda self: {}),
    (
        108,
        "cross_entropy",
        flambeau.nn.functional,
        "cross_entropy",
        lambda x, t, **k: flambeau.zeros(()),
    ),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("row", "start", "place", "name", "broken"),
    MUTATIONS,
    ids=[f"{row:03}-{name}" for row, _, _, name, _ in MUTATIONS],
)
def test_a_broken_behaviour_fails_its_row(row, start, place, name, broken, monkeypatch):
    stem = next(stem for stem, rows in ROWS.items() if row in rows)
    module = importlib.import_module(f"tests.notes.test_rows_{stem}")
    (test,) = (
        value for key, value in vars(module).items() if key.startswith(f"test_row_{row:03}_{start}")
    )
    test(flambeau)  # holds as it is
    monkeypatch.setattr(place, name, broken)
    with pytest.raises((Exception, pytest.fail.Exception)):
        test(flambeau)
