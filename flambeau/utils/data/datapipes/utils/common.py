"""What data pipes share: files of a folder, streams that close with their owner, and checks of the
functions that pipes are given."""

from __future__ import annotations

import fnmatch
import functools
import inspect
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from io import IOBase
from typing import Any

__all__ = [
    "StreamWrapper",
    "get_file_binaries_from_pathnames",
    "get_file_pathnames_from_root",
    "match_masks",
    "validate_input_col",
    "validate_pathname_binary_tuple",
]


def validate_input_col(
    fn: Callable[..., Any], input_col: int | tuple[Any, ...] | list[Any] | None
) -> None:
    """Check that a function can be called with so many columns.

    Raises:
        ValueError: it takes more or fewer arguments, or needs some by name.
    """
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):  # a function without a signature is tried
        return
    count = len(input_col) if isinstance(input_col, (list, tuple)) else 1
    name = getattr(fn, "__name__", repr(fn))
    by_place = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = [p for p in by_place if p.default is p.empty]
    if any(p.kind is p.KEYWORD_ONLY and p.default is p.empty for p in parameters):
        raise ValueError(
            f"The function {name} takes keyword-only parameters without a default, which is not "
            "allowed."
        )
    if len(needed) > count:
        raise ValueError(
            f"The function {name} takes {len(needed)} non-default parameters, but {count} are "
            "required."
        )
    if len(by_place) < count and not any(p.kind is p.VAR_POSITIONAL for p in parameters):
        raise ValueError(
            f"The function {name} takes {len(by_place)} parameters, but {count} are required."
        )


def check_can_be_pickled(fn: Any) -> None:
    """Warn of a function that workers could not be given.

    Raises:
        TypeError: it cannot be called.
    """
    if not callable(fn):
        raise TypeError(f"A callable function is expected, but {type(fn)} is provided.")
    while isinstance(fn, functools.partial):
        fn = fn.func
    kind = None
    if getattr(fn, "__name__", "") == "<lambda>":
        kind = "Lambda"
    elif inspect.isfunction(fn) and "<locals>" in fn.__qualname__:
        kind = "Local"
    if kind is not None:
        warnings.warn(
            f"{kind} function is not supported by pickle, please use regular python function or "
            "functools.partial instead.",
            stacklevel=3,
        )


def match_masks(name: str, masks: str | list[str]) -> bool:
    """Whether a file's name fits one of the patterns; it fits none at all, too."""
    if not masks:
        return True
    return any(fnmatch.fnmatch(name, m) for m in ([masks] if isinstance(masks, str) else masks))


def get_file_pathnames_from_root(
    root: str,
    masks: str | list[str],
    recursive: bool = False,
    abspath: bool = False,
    non_deterministic: bool = False,
) -> Iterator[str]:
    """The files in a folder, or the file itself.

    Args:
        masks: patterns of names. recursive: folders below, too. abspath: whole paths.
        non_deterministic: in the file system's order instead of the alphabet's.
    """
    if os.path.isfile(root):
        path = os.path.abspath(root) if abspath else root
        if match_masks(os.path.basename(path), masks):
            yield path
        return

    def warn(error: OSError) -> None:
        warnings.warn(f"{error.filename}: {error.strerror}", stacklevel=2)
        raise error

    for folder, below, files in os.walk(root, onerror=warn):
        where = os.path.abspath(folder) if abspath else folder
        if not non_deterministic:
            files.sort()
            below.sort()
        yield from (os.path.join(where, name) for name in files if match_masks(name, masks))
        if not recursive:
            return


def get_file_binaries_from_pathnames(
    pathnames: Iterable[str], mode: str, encoding: str | None = None
) -> Iterator[tuple[str, Any]]:
    """Paths with their open files.

    Raises:
        TypeError: a path is no text.
    """
    mode = "r" + mode if mode in ("b", "t") else mode
    for path in [pathnames] if isinstance(pathnames, str) else pathnames:
        if not isinstance(path, str):
            raise TypeError(f"Expected string type for pathname, but got {type(path)}")
        yield path, StreamWrapper(open(path, mode, encoding=encoding))


def validate_pathname_binary_tuple(data: tuple[str, Any]) -> None:
    """Check that a sample is a path and an open file.

    Raises:
        TypeError: it is not.
    """
    if not isinstance(data, tuple):
        raise TypeError(f"pathname binary data should be tuple type, but it is type {type(data)}")
    if len(data) != 2:
        raise TypeError(f"pathname binary stream tuple length should be 2, but got {len(data)}")
    if not isinstance(data[0], str):
        raise TypeError(
            f"pathname within the tuple should have string type pathname, but it is type "
            f"{type(data[0])}"
        )
    if not isinstance(data[1], (IOBase, StreamWrapper)):
        raise TypeError(
            "binary stream within the tuple should have IOBase or its subclasses as type, but it "
            f"is type {type(data[1])}"
        )


class StreamWrapper:
    """A file that is closed when nobody holds it, and with the streams that were opened in it.

    Args:
        file_obj: the file. parent_stream: what it was opened in: closed after the last of its own.
        name: shown in the text of the wrapper.
    """

    session_streams: dict[Any, int] = {}
    debug_unclosed_streams = False

    def __init__(
        self, file_obj: Any, parent_stream: StreamWrapper | None = None, name: str | None = None
    ) -> None:
        if parent_stream is not None and not isinstance(parent_stream, StreamWrapper):
            raise RuntimeError(
                f"Parent stream should be StreamWrapper, {type(parent_stream)} was given"
            )
        self.file_obj, self.parent_stream, self.name = file_obj, parent_stream, name
        self.child_counter, self.close_on_last_child, self.closed = 0, False, False
        if parent_stream is not None:
            parent_stream.child_counter += 1
        if StreamWrapper.debug_unclosed_streams:
            StreamWrapper.session_streams[self] = 1

    @classmethod
    def close_streams(cls, v: Any, depth: int = 0) -> None:
        """Close every stream in a nest of containers."""
        if depth > 10:
            return
        if isinstance(v, StreamWrapper):
            v.close()
        elif isinstance(v, (dict, list, tuple)):
            for each in v.values() if isinstance(v, dict) else v:
                cls.close_streams(each, depth + 1)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["file_obj"], name)

    def close(self, *args: Any, **kwargs: Any) -> None:
        """Close the file."""
        if self.closed:
            return
        self.closed = True
        StreamWrapper.session_streams.pop(self, None)
        if self.parent_stream is not None:
            self.parent_stream.child_counter -= 1
            if not self.parent_stream.child_counter and self.parent_stream.close_on_last_child:
                self.parent_stream.close()
        try:
            self.file_obj.close(*args, **kwargs)
        except AttributeError:  # not all that is read can be closed
            pass

    def autoclose(self) -> None:
        """Close when the last stream in it is closed: now, if there is none."""
        if self.child_counter == 0:
            self.close()
        self.close_on_last_child = True

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *dir(type(self)), *dir(self.file_obj)})

    def __del__(self) -> None:
        if not self.__dict__.get("closed", True):
            self.close()

    def __iter__(self) -> Iterator[Any]:
        yield from self.file_obj

    def __next__(self) -> Any:
        return next(self.file_obj)

    def __repr__(self) -> str:
        shown = f"{self.file_obj!r}" if self.name is None else f"{self.name},{self.file_obj!r}"
        return f"StreamWrapper<{shown}>"

    def __getstate__(self) -> Any:
        return self.file_obj

    def __setstate__(self, obj: Any) -> None:
        self.__init__(obj)  # type: ignore[misc]
