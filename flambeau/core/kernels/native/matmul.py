"""Products of two matrices as Python calls them: ``mm(a, b)``, ``mm(a, b, bias)``, and
``mm(a, b, bias, out)``, where `bias` may be None.

Any strides; the generated product of `generate.gemm` over the pool, the interpreter's lock free for
large ones. Panels of B are packed on the stack where they are small, else in a buffer that is
kept; threads that multiply at once have one each, so that a product's digits do not depend on who
else computes. Stands on table, gemm, pool.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache as once
from typing import Any

import numpy as np

from flambeau.core.kernels.generate import gemm, gemm_parts, gemm_tiles, gemm_ways
from flambeau.core.kernels.generate.gemm_parts import Way
from flambeau.core.kernels.jit import build, matrix_unit, pool
from flambeau.core.kernels.jit.ir import SIZES, Function, Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.objects import field, new_array, word
from flambeau.core.silence import quiet, run

__all__ = ["code", "is_generated", "mm"]

NAMES = {np.dtype("f4"): "float", np.dtype("f8"): "double"}
ALONE = 1 << 20
"""Multiplications that one more thread is worth."""
TOUCHED = 1 << 17
"""Numbers read and written that one more thread is worth."""
ROWS = 6
"""Parts have a multiple of so many rows."""
UNLOCKED = 1 << 17
"""From so many multiplications on the interpreter's lock is free."""
FEW = 12
"""Rows up to which B is read where it lies."""
SEVERAL = 24
"""Rows up to which a B beyond `IN_PLACE` bytes is read where it lies, a few rows of B at a time."""
IN_PLACE = 1 << 18
LONG = 32
"""Terms from which products of few columns are sums along K; shorter ones add up in its order."""
LOCK, PLACE, SIZE, WANTED = 0, 8, 16, 24  # the words of the buffer, in bytes


class _Buffer:
    """Memory for packed panels of the products that find it free."""

    def __init__(self) -> None:
        self.words = (ctypes.c_int64 * 4)()
        self.kept: list[Any] = []
        self.grow(1 << 20)

    def grow(self, size: int) -> None:
        """Make it at least so large; what was there is kept for those who still use it."""
        block = np.empty(size + 4096, np.uint8)
        self.kept = [*self.kept[-1:], block]
        self.words[PLACE // 8] = -(-block.ctypes.data // 64) * 64
        self.words[SIZE // 8] = size
        self.words[WANTED // 8] = 0


@once
def _buffer(number: int) -> _Buffer:
    return _Buffer()


def _numpy_form(a: Any, b: Any, bias: Any = None, out: Any = None) -> Any:
    try:
        return run(_plainly, a, b, bias, out)
    except RuntimeError:  # the context is busy
        return quiet(_plainly, a, b, bias, out)


def _plainly(a: Any, b: Any, bias: Any, out: Any) -> Any:
    found = np.matmul(a, b) if out is None else np.matmul(a, b, out=out)
    if bias is not None:
        np.add(found, bias, found)
    return found


@once
def mm(dtype: np.dtype[Any]) -> Callable[..., Any]:
    """``mm(a, b, bias=None, out=None)`` for matrices of one dtype: ``a @ b + bias``."""
    return _with_buffer(dtype, 0)


@once
def _with_buffer(dtype: np.dtype[Any], number: int) -> Callable[..., Any]:
    name, addresses = NAMES.get(dtype), code(dtype)
    if addresses is None or not table.trusted():
        return _numpy_form
    buffer = _buffer(number)

    def crowded(*given: Any) -> Any:
        """The buffer is too small, or another thread has it."""
        wanted = buffer.words[WANTED // 8]
        if wanted > buffer.words[SIZE // 8] and not buffer.words[LOCK // 8]:
            buffer.grow(wanted + wanted // 2)
            return found(*given)
        return _with_buffer(dtype, number + 1)(*given)

    try:
        build.keep(crowded)
        words = {"buffer": ctypes.addressof(buffer.words), "none": id(None), "crowded": id(crowded)}
        found = table.builtin(f"mm_{name}", addresses[f"mm_{name}"], _numpy_form, words)
    except build.Unavailable:
        return _numpy_form
    return found


@once
def code(dtype: np.dtype[Any]) -> dict[str, int] | None:
    """Where the functions of `gemm` and `gemm_ways` begin, None where none are made."""
    name = NAMES.get(dtype)
    if name is None or not build.available():
        return None
    try:
        return build.load(_module(name))
    except build.Unavailable:
        return None


def is_generated(function: Callable[..., Any]) -> bool:
    """Whether `mm` gave generated code."""
    return function is not _numpy_form


def _module(type: str) -> Module:
    target = build.host()
    shape = gemm.shape_of(type, target.bits, target.masked)
    made = gemm.module(shape, name="matmul")
    gemm_ways.add(made, shape)
    if type == "float" and matrix_unit.allowed():
        gemm_tiles.add(made)
    gemm_parts.add(made, shape)
    parts = {f.name: f for f in made.functions}
    f = made.function(f"mm_{type}", (("ptr", "self"), ("ptr", "args"), ("i64", "n")), "ptr")
    _enter(f, shape, parts)
    return made


def _enter(f: Function, shape: gemm.Shape, parts: dict[str, Function]) -> None:
    """Look at the arguments, make the result, choose the way, run it."""
    type, size = shape.type, SIZES[shape.type]
    args, count = f.argument["args"], f.argument["n"]
    null = f.value("ptr", 0)

    def demand(condition: Value) -> None:
        k = f.fresh()
        f.branch(condition, f"good{k}", "other")
        f.label(f"good{k}")

    demand(count.ge(2) & count.le(4))
    a, b = (f.load("ptr", f.at(args, k, "ptr")) for k in range(2))
    dims, steps, data = [], [], []
    for x in (a, b):
        demand(field(f, x, table.TYPE, "ptr").eq(word(f, "ndarray")))
        demand(field(f, x, table.DESCR, "ptr").eq(word(f, type)))
        demand(field(f, x, table.NDIM, "i32").eq(2))
        extents = field(f, x, table.DIMS, "ptr")
        strides = field(f, x, table.STRIDES, "ptr")
        dims.append([f.load("i64", extents, k) for k in range(2)])
        steps.append([f.load("i64", strides, k) / size for k in range(2)])
        data.append(field(f, x, table.DATA, "ptr").to("i64"))
    (m, k), (other_k, n) = dims
    demand(k.eq(other_k))
    work = m * n * k
    demand(work.gt(0))
    bias = f.variable("i64", 0)
    with f.when(count.ge(3)):
        given = f.load("ptr", f.at(args, 2, "ptr"))
        with f.when(given.ne(word(f, "none"))):
            demand(field(f, given, table.TYPE, "ptr").eq(word(f, "ndarray")))
            demand(field(f, given, table.DESCR, "ptr").eq(word(f, type)))
            demand(field(f, given, table.NDIM, "i32").eq(1))
            demand((field(f, given, table.FLAGS, "i32") & table.C_CONTIGUOUS).ne(0))
            demand(f.load("i64", field(f, given, table.DIMS, "ptr")).eq(n))
            bias.set(field(f, given, table.DATA, "ptr").to("i64"))

    # Where the result goes, if it was given: rows whose elements lie side by side.
    target = f.variable("ptr", null)
    target_row = f.variable("i64", n)
    with f.when(count.eq(4)):
        given = f.load("ptr", f.at(args, 3, "ptr"))
        mark = f.fresh()
        f.branch(given.eq(word(f, "none")), f"no_target{mark}", f"target{mark}")
        f.label(f"target{mark}")
        demand(field(f, given, table.TYPE, "ptr").eq(word(f, "ndarray")))
        demand(field(f, given, table.DESCR, "ptr").eq(word(f, type)))
        demand(field(f, given, table.NDIM, "i32").eq(2))
        demand((field(f, given, table.FLAGS, "i32") & table.WRITEABLE).ne(0))
        extents = field(f, given, table.DIMS, "ptr")
        strides = field(f, given, table.STRIDES, "ptr")
        demand(f.load("i64", extents, 0).eq(m) & f.load("i64", extents, 1).eq(n))
        demand(f.load("i64", strides, 1).eq(size))
        target_row.set(f.load("i64", strides, 0) / size)
        target.set(given)
        f.label(f"no_target{mark}")

    memory = word(f, "pool")
    limit = f.load("i64", f.at(memory, pool.LIMIT, "i8"))
    units = f.intrinsic("smax", work / ALONE, (m * k + k * n + m * n) / TOUCHED)
    threads = f.intrinsic("smin", limit, units + 1)

    # Rows or columns of C in equal parts, in whole registers or tiles.
    along = n.gt(m)
    each = (f.select(along, n, m) + (threads - 1)) / threads
    by_tiles = f.value("i1", "tiles" in parts) & gemm_tiles.serves(m, n, k, steps)
    least = f.select(by_tiles, gemm_tiles.SIDE, f.select(along, f.index(shape.lanes), ROWS))
    each = (each + (least - 1)) / least * least
    rows = f.intrinsic("smin", f.select(along, m, each), m)
    columns = f.intrinsic("smin", f.select(along, each, n), n)
    threads = ((m + (rows - 1)) / rows) * ((n + (columns - 1)) / columns)

    by_vectors = _way(f, shape, [rows, columns, k], m, steps)
    way = f.select(by_tiles, f.index(int(Way.TILES)), by_vectors)
    packs, deep = way.ge(int(Way.TURNED)), gemm_tiles.deep_of(m, n, k)
    share = gemm_parts.room(shape, way, rows, columns, k, deep)
    large = packs & share.gt(gemm_parts.ON_STACK // size)
    scratch = f.variable("i64", 0)
    locked = f.variable("i1", False)
    words = word(f, "buffer")
    with f.when(large):
        _take(f, words, share * threads * size, locked)
        scratch.set(field(f, words, PLACE, "i64"))

    j = f.fresh()
    out_at = f.variable("ptr", target.get())
    f.branch(target.get().eq(null), f"fresh{j}", f"given{j}")
    f.label(f"given{j}")
    f.call(word(f, "incref"), "void", target.get())
    f.jump(f"result{j}")
    f.label(f"fresh{j}")
    extents = f.memory("i64", 2)
    f.store(m, extents)
    f.store(n, extents, 1)
    kind = word(f, type)
    fresh = new_array(f, kind, f.value("i32", 2), extents, m * n * size)
    out_at.set(fresh)
    f.branch(fresh.eq(null), f"failed{j}", f"result{j}")
    f.label(f"failed{j}")
    _give_back(f, words, locked)
    f.ret(fresh)
    f.label(f"result{j}")
    out = out_at.get()
    row = target_row.get()
    result = field(f, out, table.DATA, "ptr").to("i64")

    thread_state = f.variable("ptr", null)
    with f.when(work.gt(UNLOCKED)):
        thread_state.set(f.call(word(f, "release"), "ptr"))

    values = [
        data[0], *steps[0], data[1], *steps[1], result, row, bias.get(), m, n, k, rows, columns,
        way, scratch.get(), share, deep, 0,
    ]  # fmt: skip
    context = f.memory("i64", len(values))
    for at, value in enumerate(values):
        f.store(f.index(value), context, at)
    part = Value("ptr", f"@{parts['part'].name}", f)
    f.call(word(f, "pool_run"), "void", memory, part, context, threads)
    with f.when(f.load("i64", context, gemm_parts.PARTS.index("failed")).ne(0)):
        f.store(f.index(int(Way.BY_PANELS)), context, gemm_parts.PARTS.index("way"))
        f.call(word(f, "pool_run"), "void", memory, part, context, threads)
    _give_back(f, words, locked)
    with f.when(thread_state.get().ne(null)):
        f.call(word(f, "restore"), "void", thread_state.get())
    f.ret(out)
    f.label("crowded")
    f.ret(f.call(word(f, "call"), "ptr", word(f, "crowded"), args, count, null))
    f.label("other")
    f.ret(f.call(word(f, "call"), "ptr", word(f, "fallback"), args, count, null))


def _way(
    f: Function, shape: gemm.Shape, sizes: list[Value], rows: Value, steps: list[list[Value]]
) -> Value:
    """By which way parts of these sizes are computed where tiles do not serve. All add up in one
    order but for dots, which depend on all the `rows` there are, or on columns too few to be cut.
    """
    m, n, k = sizes
    lanes, size = shape.lanes, SIZES[shape.type]
    (_, a_column), (b_row, b_column) = steps
    way = f.index(int(Way.PACKED))
    small = ((n + (lanes - 1)) / lanes * lanes * k).le(gemm_parts.ON_STACK // size)
    columns = a_column.ne(1) & m.ge(gemm_ways.STRIP)  # of A lie side by side
    turned = b_row.eq(1) & (m * (n + k)).lt(n * k)
    dots = (rows.le(4) | n.le(4) & k.ge(LONG)) & a_column.eq(1) & b_row.eq(1)
    in_place = b_column.eq(1) & m.le(SEVERAL) & (n * k).gt(IN_PLACE // size)
    direct = m.le(FEW) & b_column.eq(1)
    for condition, found in (
        (small.eq(False), Way.BY_PANELS),
        (small.eq(False) & columns, Way.BY_ROWS),
        (small.eq(False) & columns & n.gt(m) & n.gt(gemm_ways.WIDE), Way.BY_PANELS_OF_COLUMNS),
        (small.eq(False) & turned, Way.TURNED),
        (direct, Way.DIRECT),
        (in_place, Way.IN_PLACE),
        (dots, Way.DOTS),
        (dots & rows.eq(1), Way.DOT),
    ):
        way = f.select(condition, f.index(int(found)), way)
    return way


def _take(f: Function, words: Value, wanted: Value, locked: Any) -> None:
    """Take the buffer, or go to another: it is too small, or somebody has it."""
    k = f.fresh()
    f.branch(field(f, words, SIZE, "i64").lt(wanted), f"small{k}", f"fits{k}")
    f.label(f"small{k}")
    f.store(wanted, f.at(words, WANTED, "i8"))
    f.jump("crowded")
    f.label(f"fits{k}")
    pair = f.emit("{i64, i1}", f"cmpxchg ptr {words.name}, i64 0, i64 1 acquire monotonic")
    f.branch(f.emit("i1", f"extractvalue {{i64, i1}} {pair.name}, 1"), f"mine{k}", "crowded")
    f.label(f"mine{k}")
    locked.set(True)


def _give_back(f: Function, words: Value, locked: Any) -> None:
    with f.when(locked.get()):
        f.line(f"store atomic i64 0, ptr {words.name} release, align 8")
