"""Every row's test notices when its behaviour breaks: each mutation breaks one on purpose."""

from __future__ import annotations

import importlib
import inspect
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import flambeau
from flambeau import compat
from flambeau.utils import tensorboard
from flambeau.vision import models

FILES = (
    "rows_001_024",
    "rows_025_060",
    "rows_061_093",
    "rows_094_109",
    "rows_110_111",
    "legacy",
    "tensorboard",
)


def _nothing(*args: Any, **kwargs: Any) -> None:
    return None


def _unchanged(self: Any, x: Any) -> Any:
    return x


def _itself(self: Any, *args: Any, **kwargs: Any) -> Any:
    return self


# test's row and the rest of its name: where the name lives, the name, what stands in its place, and
# what the test is called with besides
MUTATIONS: list[tuple[Any, ...]] = [
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
    (4, "the_function_copies", flambeau, "tensor", lambda *data: data[0].detach()),
    (5, "only_floats", flambeau, "tensor", lambda data, requires_grad: flambeau.ones(1)),
    (6, "requires_grads", flambeau.Tensor, "requires_grads_", _itself),
    (9, "from_scipy", flambeau, "sparse_csr_tensor", lambda *parts: flambeau.zeros(2, 2)),
    (11, "variable_cuts", flambeau.autograd, "Variable", lambda data: data),
    (
        13,
        "type_and_dtype",
        flambeau.Tensor,
        "type_as",
        _itself,
        {"dtype": "float64", "name": "Double"},
    ),
    (14, "layouts", flambeau.Tensor, "to_sparse", _itself),
    (17, "index_dtypes", flambeau.Tensor, "__getitem__", _itself),
    (22, "nonzero_and_numpy", flambeau, "where", lambda c: (c, c)),
    (23, "sort_gives", flambeau, "sort", lambda x, **options: flambeau.Tensor.sort(x, stable=True)),
    (25, "index_lists", flambeau.Tensor, "__getitem__", lambda self, key: self[:2]),
    (28, "byte_masks", flambeau.Tensor, "__invert__", _itself),
    (31, "gather_may", flambeau.Tensor, "gather", lambda self, dim, index: self[1, :1]),
    (41, "one_storage", flambeau.Tensor, "t", lambda self: self.T.contiguous()),
    (57, "coo_from_numpy", flambeau, "eye", lambda n: flambeau.zeros(n, n)),
    (58, "coo_and_a_constant", flambeau, "eye", lambda n: flambeau.zeros(n, n)),
    (59, "coo_and_a_tensor", flambeau.Tensor, "__radd__", _itself),
    (60, "sparse_arithmetic", flambeau.Tensor, "__add__", _itself),
    (65, "a_vector_is", flambeau.Tensor, "backward", lambda self, weights=None: self.sum()),
    (66, "modules_have", flambeau.nn.Module, "register_hook", _nothing),
    (70, "linear_is_one", flambeau.nn.Linear, "forward", lambda self, x: x @ self.weight.T),
    (79, "writing_an_element", flambeau.Tensor, "__setitem__", _nothing),
    (81, "retain_graph", flambeau.Tensor, "backward", _nothing),
    (82, "a_graph_runs", flambeau.Tensor, "backward", _nothing),
    (86, "numpy_is_not", flambeau.Tensor, "numpy", lambda self: self.clone().tolist()),
    (87, "variable_is", flambeau.autograd, "Variable", lambda data: data.numpy()),
    (88, "the_constructor", flambeau, "FloatTensor", lambda w: w.clone()),
    (89, "variable_makes", flambeau.autograd, "Variable", lambda w, requires_grad: w),
    (92, "copies_in", flambeau.Tensor, "clone", lambda self: self.detach(), {"make": "clone"}),
    (92, "copies_in", flambeau.Tensor, "copy_", _itself, {"make": "zeros_like"}),
    (93, "data_does_not", flambeau.Tensor, "data", property(lambda self: self.clone())),
    (94, "a_parameter", flambeau.nn, "Parameter", lambda data: data.numpy()),
    (96, "parameters_after", flambeau.nn, "Parameter", lambda data: data),
    (
        99,
        "batch_norm",
        flambeau.nn.BatchNorm1d,
        "forward",
        lambda self, x: x - x.mean(0, True),
        {"shape": (4, 3, 5)},
    ),
    (
        101,
        "batch_norm",
        flambeau.nn.BatchNorm1d,
        "forward",
        lambda self, x: (x - x.mean(0, True)) / x.std(0, keepdim=True),
        {"shape": (4, 3, 5)},
    ),
    (102, "batch_norm", flambeau.nn.BatchNorm2d, "forward", _unchanged),
    (
        103,
        "lstm",
        flambeau.nn.LSTM,
        "forward",
        lambda self, x: (x, (x, x)),
        {"batch_first": False, "layers": 1, "bidirectional": False},
    ),
    *(
        (
            row,
            "convolutions",
            getattr(flambeau.nn, f"Conv{rank}d"),
            "forward",
            _unchanged,
            {"rank": rank, "stride": 1, "padding": 0, "dilation": 1, "groups": 1},
        )
        for rank, row in enumerate((104, 105, 106), 1)
    ),
    (54, "summary_writer", tensorboard.SummaryWriter, "add_scalar", _nothing),
    (55, "summary_writer", tensorboard.SummaryWriter, "add_scales", _nothing),
    (110, "state_dicts", models, "resnet18", models.resnet34),
    (111, "the_old_folders", flambeau.hub, "load_file", _nothing, {"variable": None}),
    (109, "losses", flambeau.nn.functional, "mse_loss", lambda x, y: (x - y).square().mean()),
]


def _rows_of(name: str) -> set[int]:
    """The rows that a test is named after."""
    words = name.removeprefix("test_row_").split("_")
    return {int(word) for word in itertools.takewhile(str.isdigit, words)}


def _tests() -> Iterator[tuple[str, Callable[..., None]]]:
    """Every test of a row in these files, the part of its name behind the rows first."""
    for stem in FILES:
        module = importlib.import_module(f"tests.notes.test_{stem}")
        for name, value in vars(module).items():
            if name.startswith("test_row"):
                yield name, value


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("row", "start", "place", "name", "broken", "given"),
    [(*mutation[:5], *(mutation[5:] or ({},))) for mutation in MUTATIONS],
    ids=[f"{mutation[0]:03}-{mutation[3]}" for mutation in MUTATIONS],
)
def test_a_broken_behaviour_fails_its_row(
    request, row, start, place, name, broken, given, monkeypatch
):
    found = [
        value
        for key, value in _tests()
        if row in _rows_of(key)
        and key.removeprefix("test_row_").lstrip("0123456789_").startswith(start)
        and {*given} <= {*inspect.signature(value).parameters}
    ]
    (test,) = found

    def ask() -> None:
        needed = [n for n in inspect.signature(test).parameters if n not in given]
        fixtures = {n: flambeau if n == "torch" else request.getfixturevalue(n) for n in needed}
        test(**fixtures, **given)

    ask()  # holds as it is
    compat.forget()
    monkeypatch.setattr(place, name, broken, raising=False)
    with pytest.raises((Exception, pytest.fail.Exception)):
        ask()


def test_every_row_has_a_test_that_was_seen_to_fail():
    tested = {row for name, _ in _tests() for row in _rows_of(name)}
    assert tested == {mutation[0] for mutation in MUTATIONS} == set(range(1, 112))
