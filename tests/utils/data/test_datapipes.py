"""Data pipes beside PyTorch's: samples, orders, lengths, what is refused; and loaders over them."""

from __future__ import annotations

import importlib
import os
import pickle
import warnings

import pytest

import flambeau


def rooms(t):
    names = ("iter", "map")
    return [importlib.import_module(f"{t.__name__}.utils.data.datapipes.{name}") for name in names]


def half(x):
    return x // 2


def odd(x):
    return x % 2 == 1


def double(x):
    return x * 2


def both(a, b):
    return a + b


def rows(count):
    return [(k, k + 1, k + 2) for k in range(count)]


LISTED = {
    "map": lambda i, m: i(range(5)).map(double),
    "map_column": lambda i, m: i(rows(3)).map(double, input_col=1),
    "map_columns": lambda i, m: i(rows(3)).map(both, input_col=[0, 2]),
    "map_place": lambda i, m: i(rows(3)).map(both, input_col=[0, 2], output_col=1),
    "map_end": lambda i, m: i(rows(3)).map(double, input_col=0, output_col=-1),
    "map_key": lambda i, m: i([{"a": 1, "b": 2}]).map(double, input_col="a", output_col="c"),
    "filter": lambda i, m: i(range(5)).filter(odd),
    "filter_column": lambda i, m: i(rows(4)).filter(odd, input_col=1),
    "batch": lambda i, m: i(range(5)).batch(2),
    "batch_even": lambda i, m: i(range(5)).batch(2, drop_last=True),
    "unbatch": lambda i, m: i([[1, [2]], [[3], 4]]).unbatch(),
    "unbatch_all": lambda i, m: i([[1, [2]], [[3], 4]]).unbatch(unbatch_level=-1),
    "concat": lambda i, m: i(range(2)).concat(i(range(3))),
    "zip": lambda i, m: i(range(2)).zip(i(range(3))),
    "mux": lambda i, m: i(range(3)).mux(i(range(10, 15))),
    "shuffle": lambda i, m: i(range(9)).shuffle(),
    "shuffle_small": lambda i, m: i(range(9)).shuffle(buffer_size=3).set_seed(5),
    "shuffle_batches": lambda i, m: i([[1, 2], [3, 4]]).shuffle(unbatch_level=1),
    "shuffle_off": lambda i, m: i(range(9)).shuffle().set_shuffle(False),
    "group": lambda i, m: i(range(9)).groupby(half, group_size=2),
    "group_key": lambda i, m: i([3, 1, 3, 1, 5]).groupby(half, keep_key=True),
    "group_full": lambda i, m: i([1, 5, 1, 9, 1, 5]).groupby(half, buffer_size=3),
    "sharding": lambda i, m: i(range(5)).sharding_filter(),
    "fork": lambda i, m: i(range(4)).fork(2)[1],
    "demux": lambda i, m: i(range(6)).demux(2, odd)[1],
    "mapped": lambda i, m: m(range(3)).map(double),
    "joined": lambda i, m: m(range(3)).concat(m(range(2))),
    "paired": lambda i, m: m(range(3)).zip(m(range(2))),
    "batched": lambda i, m: m(range(5)).batch(2),
    "batched_even": lambda i, m: m(range(5)).batch(2, drop_last=True),
    "mixed": lambda i, m: m(range(6)).shuffle(),
    "mixed_keys": lambda i, m: m({"a": 1, "b": 2}).shuffle(indices=["a", "b"]),
}


def told(call):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return repr(call())
        except Exception as error:
            return type(error).__name__


@pytest.mark.parametrize("name", LISTED)
def test_samples_as_in_pytorch(name, oracle):
    found = []
    for t in (flambeau, oracle):
        (i, m), t = rooms(t), t
        t.manual_seed(3)
        pipe = LISTED[name](i.IterableWrapper, m.SequenceWrapper)
        found.append(
            [told(lambda p=pipe: len(p)), *(told(lambda p=pipe: list(p)) for _ in range(2))]
            + [repr(pipe).replace("_ChildDataPipe", "")]
        )
    assert found[0] == found[1]


REFUSED = {
    "batch": lambda i, m: i(range(3)).batch(0),
    "fork": lambda i, m: i(range(3)).fork(0),
    "fork_far": lambda i, m: list(i(range(30)).fork(2, buffer_size=3)[0]),
    "fork_copy": lambda i, m: i(range(3)).fork(2, copy="none"),
    "demux": lambda i, m: list(i(range(5)).demux(2, double)[0]),
    "demux_far": lambda i, m: list(i(range(30)).demux(2, odd, buffer_size=3)[0]),
    "zip": lambda i, m: i(range(3)).zip(3),
    "concat": lambda i, m: i(range(3)).concat(3),
    "filter": lambda i, m: list(i(range(3)).filter(double)),
    "map": lambda i, m: i(range(3)).map(3),
    "map_two": lambda i, m: i(range(3)).map(both),
    "map_place": lambda i, m: i(range(3)).map(double, output_col=1),
    "unbatch": lambda i, m: list(i([[1]]).unbatch(-2)),
    "unbatch_deep": lambda i, m: list(i([[1]]).unbatch(3)),
    "shuffle": lambda i, m: i(range(3)).shuffle(buffer_size=0),
    "group": lambda i, m: i(range(3)).groupby(half, group_size=5, guaranteed_group_size=6),
    "group_far": lambda i, m: list(i(range(9)).groupby(half, group_size=3, buffer_size=3)),
    "name": lambda i, m: i(range(3)).unknown,
    "place": lambda i, m: m(range(3)).batch(2)[7],
    "places": lambda i, m: m(range(3)).concat(m(range(3)))[9],
    "pair": lambda i, m: m(range(3)).zip(m(range(3)))[9],
    "share": lambda i, m: i(range(3)).sharding_filter().apply_sharding(2, 2),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name, oracle):
    found = []
    for t in (flambeau, oracle):
        i, m = rooms(t)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(Exception) as raised:
                REFUSED[name](i.IterableWrapper, m.SequenceWrapper)
        found.append(type(raised.value))
    assert found[0] is found[1]


def test_a_pipe_has_one_iterator():
    pipe = rooms(flambeau)[0].IterableWrapper(range(3)).map(double)
    first = iter(pipe)
    assert next(first) == 0
    assert next(iter(pipe)) == 0
    with pytest.raises(RuntimeError, match="invalidated"):
        next(first)


def test_children_begin_together():
    one, other = rooms(flambeau)[0].IterableWrapper(range(3)).fork(2)
    first = iter(one)
    assert next(first) == 0 and next(iter(other)) == 0
    with pytest.warns(UserWarning, match="not exhausted"):
        again = iter(one)
    assert list(again) == [0, 1, 2] and list(other) == [0, 1, 2]
    with pytest.raises(RuntimeError, match="invalidated"):
        next(first)


def test_what_cannot_go_to_workers_is_said():
    pipe = rooms(flambeau)[0].IterableWrapper(range(3))
    with pytest.warns(UserWarning, match="Lambda function"):
        pipe.map(lambda x: x)
    with pytest.warns(UserWarning, match="can not be deepcopied"):
        list(rooms(flambeau)[0].IterableWrapper(x for x in range(2)))


def loaded(t):
    i = rooms(t)[0].IterableWrapper
    loader = t.utils.data.DataLoader
    t.manual_seed(0)
    return [
        [batch.tolist() for batch in each]
        for each in (
            loader(i(range(8)).shuffle(), batch_size=3),
            loader(i(range(8)).shuffle(), shuffle=True),
            loader(i(range(8)).shuffle(), shuffle=False),
            loader(i(range(8)).sharding_filter().shuffle(), batch_size=2),
        )
    ]


def test_loaders_as_in_pytorch(oracle):
    assert loaded(flambeau) == loaded(oracle)


def test_workers_share_samples_out(oracle):
    found = []
    for t in (flambeau, oracle):
        pipe = rooms(t)[0].IterableWrapper(range(8)).shuffle().sharding_filter()
        t.manual_seed(0)
        loader = t.utils.data.DataLoader(pipe, num_workers=2, persistent_workers=True)
        found.append([[int(x) for x in loader] for _ in range(2)])
        del loader
    assert found[0] == found[1]
    assert sorted(found[0][1]) == list(range(8))


def test_files(tmp_path):
    i = rooms(flambeau)[0]
    (tmp_path / "below").mkdir()
    for name, text in (("a.txt", "one"), ("b.json", "[1, 2]"), ("below/c.txt", "two")):
        (tmp_path / name).write_text(text)
    names = [os.path.basename(p) for p in i.FileLister(str(tmp_path), recursive=True)]
    assert names == ["a.txt", "b.json", "c.txt"]
    assert len(list(i.FileLister(str(tmp_path), "*.txt"))) == 1
    opened = i.FileLister(str(tmp_path), recursive=True).open_files(mode="b")
    assert [value for _, value in opened.routed_decode()] == ["one", [1, 2], "two"]
    pieces = i.FileLister(str(tmp_path), "*.txt").open_files("b").read_from_stream(chunk=2)
    assert [piece for _, piece in pieces] == [b"on", b"e"]
    with pytest.raises(ValueError, match="Invalid mode"):
        i.FileOpener([], mode="x")


def test_images(tmp_path):
    Image = pytest.importorskip("PIL.Image")
    from flambeau.utils.data.datapipes.utils.decoder import imagehandler

    path = tmp_path / "x.png"
    Image.new("RGB", (3, 2), (255, 0, 51)).save(path)
    data = path.read_bytes()
    assert imagehandler("torchrgb")("png", data)[:, 0, 0].tolist() == pytest.approx([1, 0, 0.2])
    assert imagehandler("rgb8")("png", data).shape == (2, 3, 3)
    assert imagehandler("pil")("png", data).size == (3, 2)
    assert imagehandler("pil")("txt", data) is None
    with pytest.raises(AssertionError, match="unknown"):
        imagehandler("none")


def test_a_graph_and_its_settings():
    i = rooms(flambeau)[0].IterableWrapper
    from flambeau.utils.data import graph, graph_settings

    source = i(range(6))
    one, other = source.fork(2)
    pipe = one.zip(other).shuffle()
    pipes = graph_settings.get_all_graph_pipes(graph.traverse_dps(pipe))
    assert pipes[0] is pipe and any(p is source for p in pipes) and len(pipes) == 6
    graph_settings.apply_shuffle_settings(pipe, False)
    assert list(pipe) == [(k, k) for k in range(6)]
    shared = i(range(6)).sharding_filter().map(double)
    graph_settings.apply_sharding(shared, 3, 1)
    assert list(shared) == [2, 8] and len(shared) == 2
    with pytest.raises(RuntimeError, match="Sharding twice"):
        graph_settings.apply_sharding(shared.sharding_filter(), 3, 1)
    with pytest.warns(UserWarning, match="does not contain"):
        graph_settings.apply_shuffle_settings(i(range(3)), True)


def test_pipes_are_pickled_and_registered():
    data = flambeau.utils.data
    pipe = rooms(flambeau)[0].IterableWrapper(range(4)).map(double).batch(2)
    assert list(pickle.loads(pickle.dumps(pipe))) == list(pipe)
    data.IterDataPipe.set_getstate_hook(lambda p: {"seen": True})
    try:
        with pytest.raises(RuntimeError, match="override"):
            data.IterDataPipe.set_getstate_hook(lambda p: None)
        assert pipe.__getstate__() == {"seen": True}
    finally:
        data.IterDataPipe.set_getstate_hook(None)
    with pytest.raises(Exception, match="already taken"):
        data.functional_datapipe("map")(type("Other", (data.IterDataPipe,), {}))
    with pytest.raises(TypeError, match="can only decorate"):
        data.functional_datapipe("new")(int)
    assert "batch" in dir(pipe)


def test_determinism_is_guaranteed():
    data = flambeau.utils.data

    @data.non_deterministic
    class Any(data.IterDataPipe):
        pass

    Any()
    with data.guaranteed_datapipes_determinism(), pytest.raises(TypeError, match="Any"):
        Any()
