"""Where introsort and introselect leave equal elements: the order PyTorch's unstable sorts give.

PyTorch sorts, selects and takes the top by the C++ library's algorithms (and kthvalue by Hoare's),
which are deterministic but not stable. Here the same exchanges are made on lists of ranks, so that
NaN and descending orders are the caller's business. Only rows with equal elements need it.
Reference: D. Musser, Introspective sorting and selection algorithms, 1997.
"""

from __future__ import annotations

__all__ = ["kth_place", "sorted_places", "top_places"]

# Pieces no longer than this are left to an insertion sort, which is stable.
SHORT_SORTED, SHORT_SELECTED = 16, 3
# A row this many times longer than the count asked for is searched with a heap.
FEW = 64


def sorted_places(key: list[int]) -> list[int]:
    """The places of a row's elements in the order of an introsort."""
    key, order = key.copy(), list(range(len(key)))
    _sort(key, order, len(key))
    return order


def top_places(key: list[int], count: int, in_order: bool) -> list[int]:
    """The places of the `count` least elements, as a partial sort or a selection leaves them."""
    size = len(key)
    key, order = key.copy(), list(range(size))
    if count * FEW <= size:
        _heap_sort(key, order, 0, count, size)
    else:
        _select(key, order, count - 1)
        if in_order:
            _sort(key, order, count - 1)
    return order[:count]


def kth_place(key: list[int], k: int) -> int:
    """The place of the `k`-th least element (from 0), as Hoare's selection finds it.

    Reference: W. Press and others, Numerical Recipes, section 8.5.
    """
    key, order = key.copy(), list(range(len(key)))
    left, right = 0, len(key) - 1
    while right > left + 1:
        _swap(key, order, (left + right) // 2, left + 1)
        for a, b in ((left + 1, right), (left, right), (left + 1, left)):
            if key[a] > key[b]:
                _swap(key, order, a, b)
        pivot, i, j = key[left], left + 2, right - 1
        while True:
            while key[i] < pivot:
                i += 1
            while key[j] > pivot:
                j -= 1
            if j < i:
                break
            _swap(key, order, i, j)
            i += 1
            j -= 1
        _swap(key, order, left, j)
        if j <= k:
            left = i
        if j >= k:
            right = j - 1
    if right == left + 1 and key[left] > key[right]:
        _swap(key, order, left, right)
    return order[k]


def _swap(key: list[int], order: list[int], a: int, b: int) -> None:
    key[a], key[b] = key[b], key[a]
    order[a], order[b] = order[b], order[a]


def _depth(size: int) -> int:
    """How many partitions are allowed before a heap takes over."""
    return 2 * (size.bit_length() - 1)


def _sort(key: list[int], order: list[int], size: int) -> None:
    pieces = [(0, size, _depth(size))]
    while pieces:
        first, last, depth = pieces.pop()
        while last - first > SHORT_SORTED:
            if not depth:
                _heap_sort(key, order, first, last, last)
                break
            depth -= 1
            cut = _partition(key, order, first, last)
            pieces.append((cut, last, depth))
            last = cut
    _insertion_sort(key, order, 0, size)


def _select(key: list[int], order: list[int], nth: int) -> None:
    first, last, depth = 0, len(key), _depth(len(key))
    while last - first > SHORT_SELECTED:
        if not depth:
            _heap_select(key, order, first, nth + 1, last)
            _swap(key, order, first, nth)
            return
        depth -= 1
        cut = _partition(key, order, first, last)
        if cut <= nth:
            first = cut
        else:
            last = cut
    _insertion_sort(key, order, first, last)


def _partition(key: list[int], order: list[int], first: int, last: int) -> int:
    """Hoare's partition about the median of three, and where it cuts."""
    a, b, c = first + 1, first + (last - first) // 2, last - 1
    if key[a] < key[b]:
        median = b if key[b] < key[c] else c if key[a] < key[c] else a
    else:
        median = a if key[a] < key[c] else c if key[b] < key[c] else b
    _swap(key, order, first, median)
    pivot, i, j = key[first], first + 1, last - 1
    while True:
        while key[i] < pivot:
            i += 1
        while key[j] > pivot:
            j -= 1
        if i >= j:
            return i
        key[i], key[j] = key[j], key[i]
        order[i], order[j] = order[j], order[i]
        i += 1
        j -= 1


def _insertion_sort(key: list[int], order: list[int], first: int, last: int) -> None:
    """A stable sort of the piece."""
    places = sorted(range(first, last), key=key.__getitem__)
    key[first:last] = [key[i] for i in places]
    order[first:last] = [order[i] for i in places]


def _heap_sort(key: list[int], order: list[int], first: int, middle: int, last: int) -> None:
    """The least elements of the piece in front of `middle`, in order."""
    _heap_select(key, order, first, middle, last)
    for end in range(middle - 1, first, -1):
        _pop(key, order, first, end, end)


def _heap_select(key: list[int], order: list[int], first: int, middle: int, last: int) -> None:
    size = middle - first
    for hole in range((size - 2) // 2, -1, -1):
        _sink(key, order, first, hole, size, key[first + hole], order[first + hole])
    for i in range(middle, last):
        if key[i] < key[first]:
            _pop(key, order, first, middle, i)


def _pop(key: list[int], order: list[int], first: int, end: int, to: int) -> None:
    """Move the top of the heap ``[first, end)`` to `to`, whose element takes its place in it."""
    value, item = key[to], order[to]
    key[to], order[to] = key[first], order[first]
    _sink(key, order, first, 0, end - first, value, item)


def _sink(
    key: list[int], order: list[int], first: int, hole: int, size: int, value: int, item: int
) -> None:
    """Let the hole sink to a leaf, then the value rise from there."""
    top = hole
    while (child := 2 * hole + 2) <= size:
        if child == size or key[first + child] < key[first + child - 1]:
            child -= 1
        key[first + hole], order[first + hole] = key[first + child], order[first + child]
        hole = child
    while hole > top and key[first + (parent := (hole - 1) // 2)] < value:
        key[first + hole], order[first + hole] = key[first + parent], order[first + parent]
        hole = parent
    key[first + hole], order[first + hole] = value, item
