"""`x[index]` and `x[index] = value`: views, copies, masks, gradients and errors."""

import numpy as np
import pytest

import flambeau
from flambeau.autograd.gradcheck import gradcheck, gradgradcheck

BASIC = [
    0, -1, slice(None), slice(1, None, 2), None, ..., (0, 1), (slice(None), 0), (..., None, 0), (None, slice(0, 2)), (0, ..., 2),
    (), (1, slice(0, 0)),
]  # fmt: skip
ADVANCED = [
    [0, 2], (slice(None), [0, 2]), ([0, 2], [1, 0]), ([0, 2], slice(None), [1, 0]), (0, slice(None), [1, 1]),
    (slice(None), slice(None), [[0, 1], [3, -1]]), ([[0], [1]], [[0, 1]]), (..., [3, 0]),
]  # fmt: skip


@pytest.fixture
def x():
    return flambeau.arange(36.0, dtype=flambeau.float64).reshape(3, 3, 4)


@pytest.mark.parametrize("index", BASIC)
def test_basic_indices_are_views(x, index):
    shown = x[index]
    assert shown.tolist() == x.numpy()[index].tolist()
    assert shown._base is not None
    assert shown.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()


@pytest.mark.parametrize(
    "index",
    [
        *BASIC[:-1], (None, 0), (0, None), (1, None, 2), (slice(None), None, slice(1, 2)), (None, None),
        (slice(0, 3, 2), None, ...), (..., None), (slice(None), 1, None),
    ],
)  # fmt: skip
def test_the_geometry_is_pytorchs(oracle, index):
    for order in ((0, 1, 2), (2, 0, 1)):
        shown = flambeau.zeros(3, 3, 4).permute(order)[index]
        want = oracle.zeros(3, 3, 4).permute(order)[index]
        assert (tuple(shown.shape), shown.stride()) == (tuple(want.shape), want.stride())
        assert shown.storage_offset() == want.storage_offset()


@pytest.mark.parametrize("index", ADVANCED)
def test_advanced_indices_are_copies(x, index):
    shown = x[index]
    # PyTorch takes ints first: an int beside a list does not move the list's dimension to the
    # front.
    wanted = x.numpy()[0][:, [1, 1]] if index == ADVANCED[4] else x.numpy()[index]
    assert shown.tolist() == wanted.tolist()
    assert shown._base is None
    assert shown.is_contiguous()


@pytest.mark.parametrize(
    ("index", "name"),
    [
        (0, "Select"), (slice(1, 2), "Slice"), (slice(None), "Slice"), (None, "Unsqueeze"), (..., "Alias"), ((0, slice(1, 2)), "Slice"),
        ((slice(None), 0), "Select"), ((slice(1, 2), None), "Unsqueeze"), ([0, 1], "Index"), (([0], [1]), "Index"),
    ],
)  # fmt: skip
def test_the_node_is_named_after_the_last_step(x, index, name):
    assert x.requires_grad_()[index].grad_fn.name() == name + "Backward0"


@pytest.mark.parametrize("index", BASIC + ADVANCED)
def test_gradients(x, index):
    x = flambeau.randn(3, 3, 4, dtype=flambeau.float64, requires_grad=True)
    assert gradcheck(lambda x: x[index], (x,))
    assert gradgradcheck(lambda x: x[index] * x[index], (x,))


def test_repeated_indices_add_up():
    x = flambeau.ones(3, 2, requires_grad=True)
    x[[0, 0, 2]].sum().backward()
    assert x.grad.tolist() == [[2, 2], [0, 0], [1, 1]]


def test_masks(x):
    mask = flambeau.tensor([True, False, True])
    assert x[mask].tolist() == x.numpy()[[0, 2]].tolist()
    assert x[:, mask].tolist() == x.numpy()[:, [0, 2]].tolist()
    assert x[True].shape == (1, 3, 3, 4)
    assert x[False].shape == (0, 3, 3, 4)
    assert x[flambeau.tensor(1)].tolist() == x[1].tolist()


def test_a_list_of_lists_is_read_as_a_tuple(x):
    with pytest.warns(UserWarning, match="non-tuple sequence"):
        assert x[[[0, 1], [1, 2]]].shape == (2, 4)


@pytest.mark.parametrize(
    ("index", "kind", "words"),
    [
        (3, IndexError, "index 3 is out of bounds for dimension 0 with size 3"),
        ((0, 5), IndexError, "index 5 is out of bounds for dimension 1 with size 3"),
        ((0, 0, 0, 0), IndexError, "too many indices for tensor of dimension 3"),
        (slice(None, None, -1), ValueError, "step must be greater than zero"),
        (0.5, IndexError, "only integers, slices"),
        (1 << 63, ValueError, "Overflow"),
        ([7], IndexError, "index 7 is out of bounds for dimension 0 with size 3"),
        (([0, 1], [0, 1, 2]), IndexError, r"broadcast together with shapes \[2\], \[3\]"),
        (np.array([0.5]), IndexError, "long, int, byte or bool"),
        (np.ones((3, 2), bool), IndexError, r"The shape of the mask \[3, 2\] at index 1"),
    ],
)
def test_errors(x, index, kind, words):
    with pytest.raises(kind, match=words):
        x[index]


@pytest.mark.parametrize("index", BASIC + ADVANCED[:4] + ADVANCED[5:])
def test_writing_a_number(x, index):
    wanted = x.numpy().copy()
    wanted[index] = -1
    x[index] = -1
    assert x.tolist() == wanted.tolist()
    assert x._version == 1


def test_writing_a_tensor_keeps_its_gradient():
    x, y = flambeau.zeros(3, 2), flambeau.ones(2, requires_grad=True)
    x[0] = y
    assert x.grad_fn.name() == "torch::autograd::CopySlices"
    x[[1, 2]] = y * 2
    assert x.grad_fn.name() == "IndexPutBackward0"
    x.sum().backward()
    assert y.grad.tolist() == [5, 5]


@pytest.mark.parametrize(
    ("index", "value", "kind", "words"),
    [
        (0, "a", TypeError, "can't assign a str"),
        (0, flambeau.ones(2, 4), RuntimeError, "the place it is written to has 1 dimensions"),
        (
            [0, 1],
            flambeau.ones(2, 4).long(),
            RuntimeError,
            "dtypes match, got Float for the destination and Long",
        ),
        ([0, 1], flambeau.ones(3, 4), RuntimeError, "cannot be broadcast to indexing result"),
        ([0, 7], 1, IndexError, "index 7 is out of bounds"),
        (0, 1j, RuntimeError, "without overflow"),
    ],
)
def test_writing_errors(index, value, kind, words):
    x = flambeau.zeros(3, 4)
    with pytest.raises(kind, match=words):
        x[index] = value


def test_leading_ones_of_a_value_are_dropped():
    x = flambeau.zeros(2, 3)
    x[0] = flambeau.ones(1, 1, 3)
    x[[1]] = flambeau.full((1, 1, 3), 2.0)
    assert x.tolist() == [[1, 1, 1], [2, 2, 2]]


def test_a_new_dimension_of_a_scalar_has_a_stride(oracle):
    for t in (oracle, flambeau):
        x = t.tensor(5.0)
        assert [x[None].stride(), x[None, None].stride(), x[..., None].stride()] == [
            (1,),
            (1, 1),
            (1,),
        ]


def test_one_value_written_by_a_mask_of_bytes_is_a_form_of_old():
    from flambeau import compat

    mask = flambeau.tensor([1, 0, 1], dtype=flambeau.uint8)
    x = flambeau.zeros(3)
    compat.forget()
    with pytest.warns(compat.LegacyWarning, match="mask of bytes"):
        x[mask] = 9
    assert x.tolist() == [9.0, 0.0, 9.0]
    with compat.strict(), pytest.raises(RuntimeError, match="only supports boolean masks"):
        x[mask] = 1
    assert x.tolist() == [9.0, 0.0, 9.0]


def test_a_part_is_written_from_its_neighbour(oracle):
    for t in (flambeau, oracle):
        x = t.arange(8.0).view(2, 4)
        x[0, 2:] = x[0, :2]
        x[1, 0] = x[0, 1]
        assert x.tolist() == [[0, 1, 0, 1], [1, 5, 6, 7]]
        with pytest.raises(RuntimeError, match="memory"):
            x[0, 1:] = x[0, :3]


def test_a_part_that_is_written_into_itself() -> None:
    x, y = flambeau.zeros(3, 4), flambeau.arange(4.0).expand(3, 4).clone()
    for k in range(3):
        x[k] += y[k]
    x[1:, 0] += 5
    assert x.tolist() == [[0, 1, 2, 3], [5, 1, 2, 3], [5, 1, 2, 3]]
    with pytest.raises(IndexError):
        x[7] = y[1]
    with pytest.raises(RuntimeError, match="single memory"):
        y[0][1:] = y[0][:-1]


@pytest.mark.parametrize(
    "code",
    [
        "x[i, j] = 5", "x[:, i] = 5.5", "x[i, j] = v", "x[i, :, j] = w", "x[i, 1:, j] = 2",
        "x[i[:, None], j] = 3", "x[i, j] = v[0]", "x[i, j + 9] = 1", "x[i, j] = v.view(1, 3, 1)",
        "x[i, j] = v.double()", "x.detach()[i, j] = 1", "x.view(-1, 4)[i, j] = 1", "x[i - 2, j] = 7",
        "x[i, j] = w", "(x * 1)[i, j] = v.requires_grad_()", "x.data[i, j] = 2", "x[0, i] = 6",
        "i[i, ] = 1", "x.long()[i, j] = 1.5",
    ],
)  # fmt: skip
def test_writing_where_tensors_point_as_pytorch(oracle, code):
    found = []
    for t in (flambeau, oracle):
        x = t.arange(24.0).view(2, 3, 4)
        names = {"x": x, "i": t.tensor([1, 0, 1]), "j": t.tensor([0, 2, 1])}
        names |= {"v": t.arange(3.0).view(3, 1) - 5, "w": t.arange(9.0).view(3, 3) - 9}
        version = x._version
        try:
            exec(code, names)
            found.append((x.tolist(), x._version - version, names["i"].tolist()))
        except Exception as error:
            found.append((type(error), x.tolist(), x._version - version))
    assert found[0] == found[1]


def test_text_is_no_index(x):
    with pytest.raises(TypeError, match=r"index.*invalid data type 'str'.*no names"):
        x["a"]
