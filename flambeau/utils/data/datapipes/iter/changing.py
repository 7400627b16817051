"""Pipes whose samples are other samples, or fewer: mapped, collated, filtered; and the pipe over
anything that can be iterated."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flambeau.utils.data._utils.collate import default_collate
from flambeau.utils.data.datapipes.datapipe import IterDataPipe, functional_datapipe
from flambeau.utils.data.datapipes.utils.common import check_can_be_pickled, validate_input_col

__all__ = [
    "CollatorIterDataPipe",
    "FilterIterDataPipe",
    "IterableWrapperIterDataPipe",
    "MapperIterDataPipe",
]


@functional_datapipe("map")
class MapperIterDataPipe(IterDataPipe):
    """A function of each sample, or of some of its columns.

    Args:
        fn: the function.
        input_col: the column (position or key) it takes; several: as its arguments; None: all.
        output_col: where the result goes; -1: at the end; by default in the first input's place.

    Raises:
        ValueError: `output_col` without `input_col`, or a function of another number of columns.
    """

    def __init__(
        self,
        datapipe: IterDataPipe,
        fn: Callable[..., Any],
        input_col: Any = None,
        output_col: Any = None,
    ) -> None:
        super().__init__()
        self.datapipe = datapipe
        check_can_be_pickled(fn)
        self.fn, self.input_col = fn, input_col
        if input_col is None and output_col is not None:
            raise ValueError("`output_col` must be None when `input_col` is None.")
        if isinstance(output_col, (list, tuple)):
            if len(output_col) > 1:
                raise ValueError("`output_col` must be a single-element list or tuple")
            output_col = output_col[0]
        self.output_col = output_col
        validate_input_col(fn, input_col)

    def _apply_fn(self, data: Any) -> Any:
        column, place = self.input_col, self.output_col
        if column is None:
            return self.fn(data)
        several = isinstance(column, (list, tuple))
        found = self.fn(*(data[c] for c in column)) if several else self.fn(data[column])
        row = list(data) if isinstance(data, tuple) else copy.copy(data)
        if place == -1:
            row.append(found)
        elif place is not None:
            row[place] = found
        elif several:  # the first column's place; the others go
            row[column[0]] = found
            for c in sorted(column[1:], reverse=True):
                del row[c]
        else:
            row[column] = found
        return tuple(row) if isinstance(data, tuple) else row

    def __iter__(self) -> Iterator[Any]:
        for data in self.datapipe:
            yield self._apply_fn(data)

    def __len__(self) -> int:
        if hasattr(type(self.datapipe), "__len__"):
            return len(self.datapipe)  # type: ignore[arg-type]
        raise TypeError(f"{type(self).__name__} instance doesn't have valid length")


def _collate(conversion: dict[Any, Any], sample: Any) -> dict[Any, Any]:
    """The columns of data frames, each by its own function."""
    found = {}
    for name, convert in conversion.items():
        found[name] = convert(sample[name])
    return found


@functional_datapipe("collate")
class CollatorIterDataPipe(MapperIterDataPipe):
    """Batches as tensors.

    Args:
        conversion: the function of a batch; or functions by column. collate_fn: the same.
    """

    def __init__(
        self,
        datapipe: IterDataPipe,
        conversion: Any = default_collate,
        collate_fn: Callable[..., Any] | None = None,
    ) -> None:
        if collate_fn is not None:
            super().__init__(datapipe, fn=collate_fn)
        elif callable(conversion):
            super().__init__(datapipe, fn=conversion)
        else:
            import functools

            super().__init__(datapipe, fn=functools.partial(_collate, conversion))


@functional_datapipe("filter")
class FilterIterDataPipe(IterDataPipe):
    """The samples that a function allows.

    Args:
        filter_fn: answers with a bool. input_col: the column, or columns, it takes; None: all.

    Raises:
        ValueError: when read: it answers otherwise.
    """

    def __init__(
        self, datapipe: IterDataPipe, filter_fn: Callable[..., Any], input_col: Any = None
    ) -> None:
        super().__init__()
        self.datapipe = datapipe
        check_can_be_pickled(filter_fn)
        self.filter_fn, self.input_col = filter_fn, input_col
        validate_input_col(filter_fn, input_col)

    def _apply_filter_fn(self, data: Any) -> Any:
        if self.input_col is None:
            return self.filter_fn(data)
        if isinstance(self.input_col, (list, tuple)):
            return self.filter_fn(*(data[c] for c in self.input_col))
        return self.filter_fn(data[self.input_col])

    def __iter__(self) -> Iterator[Any]:
        for data in self.datapipe:
            allowed = self._apply_filter_fn(data)
            if not isinstance(allowed, bool):
                raise ValueError(
                    "Boolean output is required for `filter_fn` of FilterIterDataPipe, got "
                    f"{type(allowed)}"
                )
            if allowed:
                yield data


class IterableWrapperIterDataPipe(IterDataPipe):
    """A pipe over anything that can be iterated.

    Args:
        deepcopy: each pass reads a copy, so that what one changes the next does not see.
    """

    def __init__(self, iterable: Iterable[Any], deepcopy: bool = True) -> None:
        self.iterable, self.deepcopy = iterable, deepcopy

    def __iter__(self) -> Iterator[Any]:
        source = self.iterable
        if self.deepcopy:
            try:
                source = copy.deepcopy(source)
            except TypeError:  # generators and open files cannot be copied
                warnings.warn(
                    "The input iterable can not be deepcopied, please be aware of in-place "
                    "modification would affect source data.",
                    stacklevel=2,
                )
        yield from source

    def __len__(self) -> int:
        if hasattr(type(self.iterable), "__len__"):
            return len(self.iterable)  # type: ignore[arg-type]
        raise TypeError(f"{type(self).__name__} instance doesn't have valid length")
