"""The exchanges of ``kernels.introsort`` in generated code: introsort, introselect, heaps, Hoare's
selection, on an array of keys with the places of their elements beside them.

Keys are signed integers that order as the elements do, places are i32. What is not stable here
leaves equal elements exactly where that module does, whose comments say why. Stands on jit.
"""

from __future__ import annotations

from functools import cached_property

from flambeau.core.kernels.generate.conv_tile import scatter, steps_of
from flambeau.core.kernels.generate.gemm import mask
from flambeau.core.kernels.introsort import SHORT_SELECTED, SHORT_SORTED
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.jit.ir import Function, Module, Value, Variable, vector

__all__ = ["Exchanges"]

PAIR = (("ptr", "key"), ("ptr", "place"))
BLOCK = 64
"""Elements whose marks fill a word."""
DEEPEST = 256
"""Pieces that may wait: fewer than twice the binary logarithm of any length."""


class Exchanges:
    """Internal functions of a module for keys of one word, written where they are asked for:
    ``insert(key, place, first, last)``,
    ``sort(key, place, size)``, ``select(key, place, size, nth)``, ``heap_sort(key, place, first,
    middle, last)`` and its parts, ``hoare(key, place, size, k)``.
    """

    def __init__(self, made: Module, word: str) -> None:
        self.made, self.word = made, word

    def _function(self, name: str, *integers: str, returns: str = "void") -> Function:
        arguments = (*PAIR, *[("i64", each) for each in integers])
        return self.made.function(name, arguments, returns, internal=True, attributes="noinline")

    def _get(self, f: Function, at: Value) -> tuple[Value, Value]:
        key, place = f.argument["key"], f.argument["place"]
        return f.load(self.word, key, at), f.load("i32", place, at)

    def _put(self, f: Function, at: Value, pair: tuple[Value, Value]) -> None:
        f.store(pair[0], f.argument["key"], at)
        f.store(pair[1], f.argument["place"], at)

    def _swap(self, f: Function, a: Value, b: Value) -> None:
        one, two = self._get(f, a), self._get(f, b)
        self._put(f, a, two)
        self._put(f, b, one)

    def _key(self, f: Function, at: Value) -> Value:
        return f.load(self.word, f.argument["key"], at)

    def _pair(self, f: Function) -> tuple[Value, Value]:
        return f.argument["key"], f.argument["place"]

    def _meet(self, f: Function, i: Variable, j: Variable, pivot: Value) -> None:
        """From label `up` to `met`: i rises to a key not less than the pivot, j falls to one not
        more.
        """
        f.label("up")
        f.branch(self._key(f, i.get()).lt(pivot), "rise", "down")
        f.label("rise")
        i.set(i.get() + 1)
        f.jump("up")
        f.label("down")
        f.branch(self._key(f, j.get()).gt(pivot), "fall", "met")
        f.label("fall")
        j.set(j.get() - 1)
        f.jump("down")
        f.label("met")

    @cached_property
    def insert(self) -> Function:
        """A stable sort of a piece, for short ones and for what is nearly in order."""
        f = self._function("insert", "first", "last")
        first = f.argument["first"]
        with f.loop(first + 1, f.argument["last"]) as i:
            pair = self._get(f, i)
            hole = f.variable("i64", i)
            k = f.fresh()
            f.label(f"down{k}")
            at = hole.get()
            f.branch(at.gt(first), f"look{k}", f"set{k}")
            f.label(f"look{k}")
            before = self._get(f, at - 1)
            f.branch(before[0].gt(pair[0]), f"move{k}", f"set{k}")
            f.label(f"move{k}")
            self._put(f, at, before)
            hole.set(at - 1)
            f.jump(f"down{k}")
            f.label(f"set{k}")
            self._put(f, hole.get(), pair)
        return f

    @cached_property
    def sink(self) -> Function:
        """Let the hole sink to a leaf, then the value rise from there."""
        f = self.made.function(
            "sink",
            (*PAIR, ("i64", "first"), ("i64", "top"), ("i64", "size"), (self.word, "value"),
             ("i32", "item")),
            internal=True, attributes="noinline",
        )  # fmt: skip
        first, top, size, value = (f.argument[n] for n in ("first", "top", "size", "value"))
        hole = f.variable("i64", top)
        f.label("down")
        child = f.variable("i64", hole.get() * 2 + 2)
        f.branch(child.get().le(size), "inside", "rise")
        f.label("inside")
        c = child.get()
        f.branch(c.eq(size), "left", "both")
        f.label("both")
        left_is_more = self._key(f, first + c).lt(self._key(f, first + c - 1))
        f.branch(left_is_more, "left", "move")
        f.label("left")
        child.set(c - 1)
        f.label("move")
        self._put(f, first + hole.get(), self._get(f, first + child.get()))
        hole.set(child.get())
        f.jump("down")
        f.label("rise")
        f.branch(hole.get().gt(top), "above", "set")
        f.label("above")
        parent = (hole.get() - 1) / 2
        f.branch(self._key(f, first + parent).lt(value), "lower", "set")
        f.label("lower")
        self._put(f, first + hole.get(), self._get(f, first + parent))
        hole.set(parent)
        f.jump("rise")
        f.label("set")
        self._put(f, first + hole.get(), (value, f.argument["item"]))
        return f

    def _pop(self, f: Function, first: Value, end: Value, to: Value) -> None:
        """Move the top of the heap ``[first, end)`` to `to`, whose element goes into it."""
        value, item = self._get(f, to)
        self._put(f, to, self._get(f, first))
        f.call(self.sink, "void", *self._pair(f), first, f.index(0), end - first, value, item)

    @cached_property
    def heapify(self) -> Function:
        """Make a heap of a piece, its largest key on top."""
        f = self._function("heapify", "first", "middle")
        first = f.argument["first"]
        size = f.argument["middle"] - first
        with f.loop(0, size / 2) as k:
            hole = size / 2 - 1 - k
            pair = self._get(f, first + hole)
            f.call(self.sink, "void", *self._pair(f), first, hole, size, *pair)
        return f

    @cached_property
    def unheap(self) -> Function:
        """The elements of a heap in order."""
        f = self._function("unheap", "first", "middle")
        first, middle = f.argument["first"], f.argument["middle"]
        with f.loop(1, middle - first) as k:
            end = middle - k
            self._pop(f, first, end, end)
        return f

    @cached_property
    def heap_select(self) -> Function:
        f = self._function("heap_select", "first", "middle", "last")
        first, middle = f.argument["first"], f.argument["middle"]
        f.call(self.heapify, "void", *self._pair(f), first, middle)
        with f.loop(middle, f.argument["last"]) as i:
            with f.when(self._key(f, i).lt(self._key(f, first))):
                self._pop(f, first, middle, i)
        return f

    @cached_property
    def heap_sort(self) -> Function:
        f = self._function("heap_sort", "first", "middle", "last")
        first, middle = f.argument["first"], f.argument["middle"]
        f.call(self.heap_select, "void", *self._pair(f), first, middle, f.argument["last"])
        f.call(self.unheap, "void", *self._pair(f), first, middle)
        return f

    @cached_property
    def partition(self) -> Function:
        """Hoare's partition about the median of three, and where it cuts."""
        f = self._function("partition", "first", "last", returns="i64")
        first, last = f.argument["first"], f.argument["last"]
        a, b, c = first + 1, first + (last - first) / 2, last - 1
        x, y, z = (self._key(f, at) for at in (a, b, c))
        rising = f.select(y.lt(z), b, f.select(x.lt(z), c, a))
        falling = f.select(x.lt(z), a, f.select(y.lt(z), c, b))
        self._swap(f, first, f.select(x.lt(y), rising, falling))
        pivot = self._key(f, first)
        i, j = f.variable("i64", first + 1), f.variable("i64", last - 1)
        if build.host().masked:
            self._blocks(f, i, j, pivot)
        f.label("again")
        self._meet(f, i, j, pivot)
        f.branch(i.get().ge(j.get()), "cut", "swap")
        f.label("cut")
        f.ret(i.get())
        f.label("swap")
        self._swap(f, i.get(), j.get())
        i.set(i.get() + 1)
        j.set(j.get() - 1)
        f.jump("again")
        return f

    def _blocks(self, f: Function, i: Variable, j: Variable, pivot: Value) -> None:
        """The same exchanges as long as a block from the left and one from the right lie apart:
        what is on the wrong side of each is marked without a branch, then marks meet in pairs.
        """
        pivots = f.splat(pivot, BLOCK)
        left, right = f.variable("i64", 0), f.variable("i64", 0)

        def marked(start: Value, how: str) -> Value:
            keys = f.load(vector(self.word, BLOCK), f.argument["key"], start)
            return keys.compare(how, pivots).bits("i64")

        def highest(marks: Value) -> Value:
            return f.intrinsic("ctlz", marks, f.value("i1", 1))

        f.label("blocks")
        f.branch((j.get() - i.get()).ge(2 * BLOCK - 1), "two", "rest")
        f.label("two")
        with f.when(left.get().eq(0)):
            left.set(marked(i.get(), "ge"))
        with f.when(right.get().eq(0)):
            right.set(marked(j.get() - (BLOCK - 1), "le"))
        f.label("pairs")
        f.branch(left.get().ne(0) & right.get().ne(0), "pair", "used")
        f.label("pair")
        fore, back = left.get(), highest(right.get())
        self._swap(f, i.get() + f.intrinsic("cttz", fore, f.value("i1", 1)), j.get() - back)
        left.set(fore & (fore - 1))
        top = f.emit("i64", f"lshr i64 {1 << 63}, {back.name}")
        right.set(right.get() ^ top)
        f.jump("pairs")
        f.label("used")
        i.set(f.select(left.get().eq(0), i.get() + BLOCK, i.get()))
        j.set(f.select(right.get().eq(0), j.get() - BLOCK, j.get()))
        f.jump("blocks")
        f.label("rest")
        with f.when(left.get().ne(0)):
            i.set(i.get() + f.intrinsic("cttz", left.get(), f.value("i1", 1)))
        with f.when(right.get().ne(0)):
            j.set(j.get() - highest(right.get()))

    def _depth(self, f: Function, size: Value) -> Value:
        """How many partitions are allowed before a heap takes over."""
        f.declared.add("declare i64 @llvm.ctlz.i64(i64, i1)")
        zeros = f.emit("i64", f"call i64 @llvm.ctlz.i64(i64 {size.name}, i1 false)")
        return (f.index(63) - zeros) * 2

    @cached_property
    def sort(self) -> Function:
        f = self._function("sort", "size")
        size = f.argument["size"]
        waiting = f.memory("i64", 3 * DEEPEST)
        count = f.variable("i64", 0)
        first, last = f.variable("i64", 0), f.variable("i64", size)
        depth = f.variable("i64", self._depth(f, size))
        f.label("piece")
        f.branch((last.get() - first.get()).gt(SHORT_SORTED), "long", "short")
        f.label("short")
        if build.host().masked:
            f.call(self.settle, "void", *self._pair(f), first.get(), last.get())
        f.jump("next")
        f.label("long")
        f.branch(depth.get().eq(0), "heap", "cut")
        f.label("heap")
        f.call(self.heap_sort, "void", *self._pair(f), first.get(), last.get(), last.get())
        f.jump("next")
        f.label("cut")
        depth.set(depth.get() - 1)
        cut = f.call(self.partition, "i64", *self._pair(f), first.get(), last.get())
        at = count.get() * 3
        for k, value in enumerate((cut, last.get(), depth.get())):
            f.store(value, waiting, at + k)
        count.set(count.get() + 1)
        last.set(cut)
        f.jump("piece")
        f.label("next")
        f.branch(count.get().eq(0), "finish", "take")
        f.label("take")
        count.set(count.get() - 1)
        for k, variable in enumerate((first, last, depth)):
            variable.set(f.load("i64", waiting, count.get() * 3 + k))
        f.jump("piece")
        f.label("finish")
        if not build.host().masked:
            f.call(self.insert, "void", *self._pair(f), f.index(0), size)
        return f

    @cached_property
    def settle(self) -> Function:
        """What `insert` does to a piece of a sort, which nothing leaves: each element goes where as
        many lie as are less, or equal and before it. Reads beyond the piece.
        """
        f = self._function("settle", "first", "last")
        first = f.argument["first"]
        count = f.argument["last"] - first
        keys, places = (f.at(f.argument[n], first, t) for n, t in (("key", self.word),
                                                                   ("place", "i32")))  # fmt: skip
        many, steps = vector(self.word, SHORT_SORTED), steps_of(f, SHORT_SORTED)
        mine, items = f.load(many, keys), f.load(steps.type, places)
        rank = f.variable(steps.type, 0)
        with f.loop(0, count) as j:
            key = f.splat(f.load(self.word, keys, j), SHORT_SORTED)
            later = steps.gt(f.splat(j.to("i32"), SHORT_SORTED))
            before = key.lt(mine) | (key.eq(mine) & later)
            rank.set(f.select(before, rank.get() + 1, rank.get()))
        inside = mask(f, count, SHORT_SORTED)
        for base, values in ((keys, mine), (places, items)):
            scatter(f, values, base, rank.get(), inside)
        return f

    @cached_property
    def select(self) -> Function:
        f = self._function("select", "size", "nth")
        nth = f.argument["nth"]
        first, last = f.variable("i64", 0), f.variable("i64", f.argument["size"])
        depth = f.variable("i64", self._depth(f, f.argument["size"]))
        f.label("piece")
        f.branch((last.get() - first.get()).gt(SHORT_SELECTED), "long", "short")
        f.label("long")
        f.branch(depth.get().eq(0), "heap", "cut")
        f.label("heap")
        f.call(self.heap_select, "void", *self._pair(f), first.get(), nth + 1, last.get())
        self._swap(f, first.get(), nth)
        f.ret()
        f.label("cut")
        depth.set(depth.get() - 1)
        cut = f.call(self.partition, "i64", *self._pair(f), first.get(), last.get())
        right = cut.le(nth)
        first.set(f.select(right, cut, first.get()))
        last.set(f.select(right, last.get(), cut))
        f.jump("piece")
        f.label("short")
        f.call(self.insert, "void", *self._pair(f), first.get(), last.get())
        return f

    @cached_property
    def hoare(self) -> Function:
        """The place of the k-th least element."""
        f = self._function("hoare", "size", "k", returns="i32")
        k = f.argument["k"]
        left, right = f.variable("i64", 0), f.variable("i64", f.argument["size"] - 1)

        def ordered(a: Value, b: Value) -> None:
            with f.when(self._key(f, a).gt(self._key(f, b))):
                self._swap(f, a, b)

        f.label("piece")
        low, high = left.get(), right.get()
        f.branch(high.gt(low + 1), "long", "short")
        f.label("long")
        self._swap(f, (low + high) / 2, low + 1)
        ordered(low + 1, high)
        ordered(low, high)
        ordered(low + 1, low)
        pivot = self._key(f, low)
        i, j = f.variable("i64", low + 2), f.variable("i64", high - 1)
        self._meet(f, i, j, pivot)
        f.branch(j.get().lt(i.get()), "cut", "swap")
        f.label("swap")
        self._swap(f, i.get(), j.get())
        i.set(i.get() + 1)
        j.set(j.get() - 1)
        f.jump("up")
        f.label("cut")
        self._swap(f, low, j.get())
        left.set(f.select(j.get().le(k), i.get(), low))
        right.set(f.select(j.get().ge(k), j.get() - 1, high))
        f.jump("piece")
        f.label("short")
        with f.when(high.eq(low + 1)):
            ordered(low, high)
        f.ret(self._get(f, k)[1])
        return f
