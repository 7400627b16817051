"""What the native entries of several tensors do with their operands: read them, find their edges,
make the node.

What the operation saves stands in a word: so many bits for each tensor, one for each value its
gradient needs, one for parameters and one for shapes. Stands on steps.
"""

from __future__ import annotations

import math

from flambeau.core.dtypes import FLOATING_KINDS
from flambeau.core.entry.kinds import is_fast, takes_number
from flambeau.core.entry.process import BITS, PARAMS, SHAPES, TENSORS, Slots
from flambeau.core.entry.steps import choice, kept_store
from flambeau.core.entry.writer import Writer
from flambeau.core.kernels.jit.ir import Value, Variable
from flambeau.core.kernels.native import table

__all__ = ["MOST", "differentiable", "edges_of", "operands", "record"]

MOST = 12
"""Arguments at most."""
LARGEST = 3e38


def _place(w: Writer, t: Value) -> Value:
    """Which argument an operand is."""
    return (w.word("places").to("i64") >> (t * 8)) & 255


def operands(w: Writer, slots: Slots, given: Value, leading: Variable) -> Value:
    """The arrays into `given` for the tensors among the arguments; the operands that are tensors,
    NULL for others. Leaves where one does not take the short way.
    """
    f = w.f
    args, n = f.argument["args"], f.argument["n"]
    with f.loop(0, n) as i:
        f.store(f.load("ptr", args, i), given, i)
    chooses = w.word("chooses").to("i64")
    found, null = f.memory("ptr", TENSORS), f.value("ptr", 0)
    numbered = f.variable("i64", 0)  # bits: whether ints, and floats, are among them
    with f.loop(0, w.word("tensors").to("i64")) as t:
        x = f.load("ptr", args, _place(w, t))
        f.store(null, found, t)
        f.branch(w.own("is_plain", x, returns="i1"), "operand", "other_operand")
        f.label("operand")
        f.store(x, found, t)
        a = w.field(x, slots.tensor["_array"])
        w.require(w.type_of(a).eq(w.word("ndarray")))
        f.store(a, given, _place(w, t))
        kind = w.field(a, table.DESCR)
        f.branch(t.eq(0) & chooses.ne(0), "condition", "typed")
        f.label("condition")
        w.require(kind.eq(w.word("i1")))
        f.jump("ready")
        f.label("typed")
        f.branch(leading.get().eq(0), "leads", "follows")
        f.label("leads")
        w.require(is_fast(w, kind))
        leading.set(kind)
        f.jump("ready")
        f.label("follows")
        w.require(kind.eq(leading.get()) | w.word("mixed").ne(0) & is_fast(w, kind))
        f.jump("ready")
        f.label("other_operand")
        w.require(t.ne(0))
        _plain_operand(w, x, t, numbered, "ready")
        f.label("ready")
    kind = leading.get()
    w.require(kind.ne(0))
    w.require(numbered.get().eq(0) | takes_number(w, kind, (numbered.get() & 2).ne(0)))
    return found


def _plain_operand(w: Writer, x: Value, t: Value, numbered: Variable, ready: str) -> None:
    """None where a tensor may be missing, a number of moderate size where it may be one."""
    f = w.f
    bit = f.index(1) << t
    f.branch(w.is_none(x), "as_none", "as_number")
    f.label("as_none")
    w.require((w.word("optional").to("i64") & bit).ne(0))
    f.jump(ready)
    f.label("as_number")
    w.require((w.word("numbers").to("i64") & bit).ne(0))
    type = w.type_of(x)
    f.branch(type.eq(w.word("py_int")), "as_int", "as_float")
    f.label("as_int")
    numbered.set(numbered.get() | 1)
    f.jump(ready)
    f.label("as_float")
    numbered.set(numbered.get() | 2)
    w.require(type.eq(w.word("py_float")))
    value = w.field(x, table.FLOAT_VALUE, "double")
    size = f.intrinsic("fabs", value)
    w.require(size.lt(LARGEST) | size.eq(math.inf))
    f.jump(ready)


def edges_of(w: Writer, tensors: Value, recording: Value) -> tuple[Value, Value]:
    """The operands' edges, None for others, and whether any is there."""
    f = w.f
    found, any_edge = f.memory("ptr", TENSORS), f.variable("i1", False)
    with f.loop(0, w.word("tensors").to("i64")) as t:
        x, each = f.load("ptr", tensors, t), f.variable("ptr", w.word("none"))
        with w.when(x.ne(0) & recording):
            edge = w.own("edge", x)
            w.unless(edge.eq(0))
            each.set(edge)
            any_edge.set(any_edge.get() | w.is_none(edge).eq(False))
        f.store(each.get(), found, t)
    return found, any_edge.get()


def differentiable(w: Writer, array: Value) -> Value:
    """Whether the array's dtype is floating or complex."""
    f = w.f
    kind = w.field(w.field(array, table.DESCR), table.KIND, "i8")
    found = f.value("i1", 0)
    for letter in sorted(FLOATING_KINDS):
        found = found | kind.eq(ord(letter))
    return found


def record(
    w: Writer, slots: Slots, results: Value, outputs: Value, node: Value, tensors: Value,
    edges: Value, given: Value, kept: Variable | None = None,
) -> Value:  # fmt: skip
    """Fill `node` with what an operation leaves behind whose results are the tensors at `results`;
    `kept` takes the first operand's place where it is written. What was needed.
    """
    f = w.f
    count = w.word("tensors").to("i64")
    needs = f.variable("i64", 0)
    with f.loop(0, count) as j:
        with w.when(w.is_none(f.load("ptr", edges, j)).eq(False)):
            wanted = (w.word("keeps").to("i64") >> (j * BITS)) & ((1 << BITS) - 1)
            needs.set(needs.get() | wanted)
    need = needs.get()
    w.put(node, slots.node["op"], w.held(w.word("op")))
    w.put(node, slots.node["hooks"], w.held(w.word("none")))

    def several(size: Value) -> Value:
        made = f.call(w.word("new_tuple"), "ptr", size)
        w.unless(made.eq(0))
        return made

    ways, saved, stores = several(count), several(count + outputs), several(count + outputs)
    with f.loop(0, count) as j:
        f.store(w.held(f.load("ptr", edges, j)), w.items(ways), j)
        wanted = (need & (f.index(1) << j)).ne(0)
        x = f.variable("ptr", f.load("ptr", tensors, j))
        value = f.variable("ptr", f.load("ptr", given, _place(w, j)))
        if kept is not None:
            with w.when(wanted & j.eq(0)):
                copy = f.call(w.word("new_copy"), "ptr", value.get(), f.value("i32", 2))
                w.unless(copy.eq(0))
                made = w.own("wrap", copy)  # as it was: the rules see it before the write
                w.unless(made.eq(0))
                kept.set(made)
                x.set(made)
                value.set(copy)
        f.store(choice(w, wanted, value.get), w.items(saved), j)
        store = choice(w, wanted & x.get().ne(0), lambda: kept_store(w, x.get()))
        f.store(store, w.items(stores), j)
    with f.loop(0, outputs) as j:
        out = f.load("ptr", results, j)
        wanted = ((need >> (j + TENSORS)) & 1).ne(0)
        array = choice(w, wanted, lambda: w.field(out, slots.tensor["_array"]))
        f.store(array, w.items(saved), j + count)
        f.store(choice(w, wanted, lambda: kept_store(w, out)), w.items(stores), j + count)
    params = choice(w, (need & PARAMS).ne(0), lambda: _without_tensors(w))
    shapes = choice(w, (need & SHAPES).ne(0), lambda: _shapes(w, tensors, given))
    for name, made in (
        ("edges", ways), ("saved", saved), ("stores", stores), ("params", params),
        ("shapes", shapes),
    ):  # fmt: skip
        w.put(node, slots.node[name], made)
    with w.when((need & PARAMS).ne(0)):
        w.drop(params)
    with w.when((need & SHAPES).ne(0)):
        w.drop(shapes)
    return need


def _without_tensors(w: Writer) -> Value:
    """The arguments as a tuple, None for tensors; those of the operation where it has its own."""
    f = w.f
    fixed = f.variable("ptr", w.word("params"))
    k = f.fresh()
    f.branch(fixed.get().eq(0), f"given{k}", f"fixed{k}")
    f.label(f"fixed{k}")
    w.held(fixed.get())
    f.jump(f"both{k}")
    f.label(f"given{k}")
    n = f.argument["n"]
    made = f.call(w.word("new_tuple"), "ptr", n)
    w.unless(made.eq(0))
    with f.loop(0, n) as i:
        f.store(f.load("ptr", f.argument["args"], i), w.items(made), i)
    with f.loop(0, w.word("tensors").to("i64")) as t:
        f.store(w.word("none"), w.items(made), _place(w, t))
    with f.loop(0, n) as i:
        w.held(f.load("ptr", w.items(made), i))
    fixed.set(made)
    f.label(f"both{k}")
    return fixed.get()


def _shapes(w: Writer, tensors: Value, given: Value) -> Value:
    """The operands' shapes."""
    f = w.f
    count = w.word("tensors").to("i64")
    made = f.call(w.word("new_tuple"), "ptr", count)
    w.unless(made.eq(0))
    with f.loop(0, count) as j:
        each = f.variable("ptr", w.word("nothing"))
        k = f.fresh()
        f.branch(f.load("ptr", tensors, j).ne(0), f"shape{k}", f"none{k}")
        f.label(f"shape{k}")
        shape = w.own("shape", f.load("ptr", given, _place(w, j)))
        w.unless(shape.eq(0))
        each.set(shape)
        f.jump(f"shaped{k}")
        f.label(f"none{k}")
        w.held(w.word("nothing"))
        f.label(f"shaped{k}")
        f.store(each.get(), w.items(made), j)
    return made
