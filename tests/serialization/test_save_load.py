"""`save` and `load` round trips, what they refuse, and what refusals say."""

from __future__ import annotations

import copy
import io
import pickle
from collections import Counter, OrderedDict

import numpy as np
import pytest

import flambeau as torch
from flambeau import serialization
from flambeau.core.dtypes import DTYPES


def again(thing, **named):
    file = io.BytesIO()
    serialization.save(thing, file)
    file.seek(0)
    return serialization.load(file, **named)


def crafted(data: bytes) -> io.BytesIO:
    """A checkpoint whose pickle is ``data``."""
    from flambeau.serialization.archive import ArchiveWriter

    file = io.BytesIO()
    writer = ArchiveWriter(file, "archive")
    writer.write("data.pkl", data)
    writer.write("version", b"3\n")
    writer.write("data/0", np.arange(4, dtype=np.float32).view(np.uint8))
    writer.close()
    file.seek(0)
    return file


@pytest.mark.parametrize("name", sorted(DTYPES))
@pytest.mark.parametrize("shape", [(), (0, 2), (3,), (2, 3)])
def test_every_dtype_and_shape(name, shape):
    dtype = DTYPES[name]
    values = np.arange(int(np.prod(shape))).reshape(shape).astype(np.float64).astype(dtype.numpy)
    tensor = torch.core.tensor.wrap(values)
    found = again(tensor)
    assert found.dtype is dtype and found.shape == shape
    assert found._array.tobytes() == values.tobytes()


def test_views_share_after_loading():
    base = torch.arange(12.0)
    view, again_base = again([base.view(3, 4).t()[1:], base])
    assert view.stride() == (1, 4) and view.storage_offset() == 1
    again_base[1] = 50
    assert view[0, 0] == 50
    assert view.untyped_storage().nbytes() == 48


def test_storages_are_written_once():
    base = torch.zeros(1000)
    file = io.BytesIO()
    serialization.save([base, base[1:], base.view(10, 100)], file)
    assert len(file.getvalue()) < 8000


def test_version_counters_are_shared_after_loading():
    base, view = again([(base := torch.arange(4.0)), base[1:]])
    before = base._version
    view += 1
    assert base._version > before


def test_parameters_and_requires_grad():
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.tag = "mine"
    found, frozen, leaf, result = again(
        [
            parameter,
            torch.nn.Parameter(torch.ones(1), requires_grad=False),
            torch.ones(1).requires_grad_(),
            parameter * 2,
        ]
    )
    assert type(found) is torch.nn.Parameter and found.requires_grad and found.tag == "mine"
    assert type(frozen) is torch.nn.Parameter and not frozen.requires_grad
    assert leaf.requires_grad and leaf.is_leaf and result.requires_grad and result.is_leaf


def test_containers():
    things = {
        "list": [1, -1, 2**40, 10**40, 1.5, float("inf"), "é\ud800", b"ab", None, True],
        "tuple": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
        "set": {1, 2},
        "ordered": OrderedDict(b=1, a=2),
        "counter": Counter("aab"),
        "complex": 1j,
        "bytearray": bytearray(b"q"),
        3: [[[]]],
    }
    found = again(things)
    assert found == things and type(found["ordered"]) is OrderedDict
    recursive: list = [1]
    recursive.append(recursive)
    found = again(recursive)
    assert found[1] is found


def test_named_things():
    things = [torch.float32, torch.device("cpu"), torch.device("meta"), torch.Size([2, 3])]
    found = again(things)
    assert found == things and found[0] is torch.float32 and type(found[3]) is torch.Size


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_protocols(protocol):
    file = io.BytesIO()
    things = {"x": torch.arange(3.0), "s": {1}, "b": b"abc", "t": "text" * 100}
    serialization.save(things, file, pickle_protocol=protocol)
    file.seek(0)
    found = serialization.load(file)
    assert found["x"].tolist() == [0, 1, 2] and found["s"] == {1} and found["b"] == b"abc"


def test_stream_format_round_trip():
    base = torch.arange(6.0)
    file = io.BytesIO()
    serialization.save(
        {"a": base, "b": base.view(2, 3).t()}, file, _use_new_zipfile_serialization=False
    )
    file.seek(0)
    found = serialization.load(file)
    found["a"][1] = 9
    assert found["b"][1, 0] == 9


def test_several_objects_in_one_stream():
    file = io.BytesIO()
    for k in range(3):
        serialization.save(torch.full((2,), float(k)), file, _use_new_zipfile_serialization=False)
    file.seek(0)
    assert [serialization.load(file).tolist() for _ in range(3)] == [[0, 0], [1, 1], [2, 2]]


def test_mmap(tmp_path):
    path = tmp_path / "x.pt"
    serialization.save({"x": torch.arange(100.0)}, path)
    found = serialization.load(path, mmap=True)["x"]
    found[0] = 7
    assert found[0] == 7 and serialization.load(path)["x"][0] == 0
    with pytest.raises(ValueError, match="must be a file path"):
        serialization.load(io.BytesIO(path.read_bytes()), mmap=True)


@pytest.mark.parametrize(
    "location",
    ["cpu", {"cpu": "cpu"}, {"cuda:0": "cpu"}, lambda s, place: s, lambda s, place: None],
)
def test_map_location(location):
    assert again(torch.arange(3.0), map_location=location).tolist() == [0, 1, 2]


@pytest.mark.parametrize("location", ["meta", torch.device("meta"), {"cpu": "meta"}])
def test_map_to_meta(location):
    found = again(torch.arange(6.0).view(2, 3).t(), map_location=location)
    assert found.device.type == "meta" and found.shape == (3, 2) and found.stride() == (1, 3)


def test_map_location_refusals():
    with pytest.raises(RuntimeError, match="on a CUDA device but torch.cuda.is_available"):
        again(torch.ones(1), map_location="cuda:0")
    with pytest.raises(RuntimeError, match="don't know how to restore data location"):
        again(torch.ones(1), map_location="nowhere")


class Evil:
    def __reduce__(self):
        return exec, ("raise SystemExit('executed')",)


class Plain:
    pass


@pytest.mark.parametrize("thing", [Evil(), Plain(), print, np.float64(1), range(3)])
def test_other_globals_are_refused_and_named(thing):
    with pytest.raises(pickle.UnpicklingError, match="Unsupported global: GLOBAL") as caught:
        again(thing)
    assert "add_safe_globals" in str(caught.value) and "weights_only=False" in str(caught.value)


def test_weights_only_false_runs_the_file():
    with pytest.raises(SystemExit, match="executed"):
        again(Evil(), weights_only=False)
    assert type(again(Plain(), weights_only=False)) is Plain


def test_safe_globals():
    thing = Plain()
    thing.x = torch.ones(2)
    with serialization.safe_globals([Plain]):
        assert again(thing).x.tolist() == [1, 1] and serialization.get_safe_globals() == [Plain]
    assert serialization.get_safe_globals() == []
    with serialization.safe_globals([range]):
        assert again(range(3)) == range(3)
    numpy_scalar = [np._core.multiarray.scalar, np.dtype, type(np.dtype(np.float64))]
    with serialization.safe_globals(numpy_scalar):
        assert again(np.float64(2)) == 2
    serialization.add_safe_globals([(Plain, "elsewhere.Named")])
    assert type(serialization.load(crafted(b"\x80\x02celsewhere\nNamed\n)\x81."))) is Plain
    serialization.clear_safe_globals()
    with (
        serialization.safe_globals([(Plain,)]),
        pytest.raises(ValueError, match="a tuple of length 1"),
    ):
        again(1)


def test_unsafe_globals_are_listed_without_running():
    file = io.BytesIO()
    serialization.save({"a": Evil(), "b": [print, torch.ones(1)]}, file)
    file.seek(0)
    assert serialization.get_unsafe_globals_in_checkpoint(file) == [
        "builtins.exec",
        "builtins.print",
    ]
    with pytest.raises(ValueError, match="expected a checkpoint"):
        serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(b"nothing"))


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x02cos\nsystem\n.",
        b"\x80\x02cposix\nsystem\nX\x02\x00\x00\x00ls\x85R.",
        b"\x80\x02cbuiltins\neval\nX\x01\x00\x00\x001\x85R.",
        b"(S'ls'\nios\nsystem\n.",  # INST
        b"\x80\x02(cbuiltins\neval\nX\x01\x00\x00\x001o.",  # OBJ
        b"\x80\x02\x82\x01.",  # EXT1
        b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
        b"\x80\x02ctorch\nTensor\n}X\x01\x00\x00\x00xK\x01sb.",  # state of a class
        b"\x80\x02ctorch\nfloat32\n)R.",  # call of what is no function
        b"\x80\x02X\x01\x00\x00\x00x)R.",
        b"\x80\x02ccollections\nOrderedDict\nK\x01a.",  # append to a class
        b"\x80\x02X\x05\x00\x00\x00otherQ.",
        b"\x80\x02(X\x07\x00\x00\x00storageK\x01K\x02K\x03K\x04tQ.",
        b"\x80\x02ctorch._tensor\n_rebuild_from_type_v2\n(cbuiltins\neval\nN)NtR.",
        b"\x80\x02ctorch\nload\n.",
        b"\x80\x02ctorch.serialization\nload\n.",
        b"\x80\x02",
        b"\x80\x02K",
        b"\x80\x02h\x05.",
        b"\x80\x02X\xff\xff\xff\x7fab.",
        b"\x80\x02.",
        b"\x80\x02R.",
        b"\x80\x02a.",
    ],
)
def test_crafted_pickles_are_refused(data):
    with pytest.raises((pickle.UnpicklingError, EOFError)):
        serialization.load(crafted(data))


def rebuild(offset: bytes, size: bytes, stride: bytes, count: bytes = b"K\x04") -> bytes:
    storage = (
        b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
    )
    end = b"\x89ccollections\nOrderedDict\n)RtR."
    head = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n("
    return head + storage + count + b"tQ" + offset + size + stride + end


def test_the_crafted_tensor_is_right_when_it_should_be():
    found = serialization.load(crafted(rebuild(b"K\x01", b"K\x03\x85", b"K\x01\x85")))
    assert found.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("offset", "size", "stride", "count"),
    [
        (b"K\x02", b"K\x03\x85", b"K\x01\x85", b"K\x04"),
        (b"K\x00", b"K\x03\x85", b"K\x02\x85", b"K\x04"),
        (b"K\x00", b"K\x03\x85", b"J\xff\xff\xff\xff\x85", b"K\x04"),
        (b"J\xff\xff\xff\xff", b"K\x01\x85", b"K\x01\x85", b"K\x04"),
        (b"K\x00", b"K\x03\x85", b")", b"K\x04"),
        (b"K\x00", b"J\xff\xff\xff\x7f\x85", b"J\xff\xff\xff\x7f\x85", b"K\x04"),
        (b"K\x00", b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x85", b"K\x00\x85", b"K\x04"),
        (b"K\x00", b"K\x03\x85", b"K\x01\x85", b"K\x40"),
    ],
)
def test_tensors_outside_their_storage_are_refused(offset, size, stride, count):
    with pytest.raises(RuntimeError, match="damaged"):
        serialization.load(crafted(rebuild(offset, size, stride, count)))


@pytest.mark.parametrize("form", [True, False])
def test_truncated_and_damaged_files_raise_and_never_crash(form):
    file = io.BytesIO()
    things = {"x": torch.arange(50.0), "y": [torch.ones(3).requires_grad_()]}
    serialization.save(things, file, _use_new_zipfile_serialization=form)
    data = file.getvalue()
    for keep in range(0, len(data) - 1, 41):
        with pytest.raises((RuntimeError, EOFError, pickle.UnpicklingError)):
            serialization.load(io.BytesIO(data[:keep]))


def test_what_is_no_checkpoint(tmp_path):
    (tmp_path / "empty.pt").touch()
    with pytest.raises(EOFError, match="empty"):
        serialization.load(tmp_path / "empty.pt")
    (tmp_path / "text.pt").write_text("this is not a checkpoint at all")
    with pytest.raises(pickle.UnpicklingError, match="is not a checkpoint"):
        serialization.load(tmp_path / "text.pt")
    with pytest.raises(FileNotFoundError):
        serialization.load(tmp_path / "nowhere.pt")
    with pytest.raises(AttributeError, match="no attribute 'seek'"):
        serialization.load(3)
    with pytest.raises(AttributeError, match="'write'"):
        serialization.save(1, 3)
    with pytest.raises(RuntimeError, match="pickle_module"):
        serialization.load(io.BytesIO(), weights_only=True, pickle_module=pickle)


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.pt"
    serialization.save(torch.ones(2), path)
    with pytest.raises(AttributeError, match="Can't pickle local object"):
        serialization.save(lambda: 1, path)
    assert serialization.load(path).tolist() == [1, 1]
    assert [p.name for p in tmp_path.iterdir()] == ["x.pt"]


def test_one_memory_as_two_types_is_refused():
    base = torch.ones(4)
    with pytest.raises(RuntimeError, match="view the same data as different types"):
        again([base, base.view(torch.int32)])


@pytest.mark.parametrize("protocol", range(2, 6))
def test_plain_pickle_and_deepcopy(protocol):
    base = torch.arange(6.0)
    things = [base, base.view(2, 3).t(), torch.nn.Parameter(torch.ones(2)), torch.float16]
    found = pickle.loads(pickle.dumps(things, protocol=protocol))
    found[0][1] = 9
    assert found[1][1, 0] == 9 and type(found[2]) is torch.nn.Parameter
    assert found[3] is torch.float16
    copied = copy.deepcopy(things)
    copied[0][1] = 9
    assert copied[1][1, 0] == 9 and things[0][1] == 1


def test_skip_data_leaves_room():
    sizes = []
    for skipped in (False, True):
        file = io.BytesIO()
        with torch.serialization.skip_data() if skipped else torch.no_grad():
            torch.save(torch.ones(3), file)
        sizes.append(len(file.getvalue()))
        file.seek(0)
        assert torch.load(file).tolist() == ([0] * 3 if skipped else [1] * 3)
    assert sizes[0] == sizes[1]
