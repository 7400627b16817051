"""``PyTorchFileReader``: the records of a checkpoint file by name. Stands on archive."""

from __future__ import annotations

import os
import weakref
from typing import Any

from flambeau.serialization.archive import ArchiveReader

__all__ = ["PyTorchFileReader"]


class PyTorchFileReader(ArchiveReader):
    """The records of a file that `save` wrote.

    Args:
        file: its name, or an open binary file.

    Raises:
        RuntimeError: no archive, or a record that is damaged or missing.
    """

    def __init__(self, file: Any) -> None:
        named = isinstance(file, (str, os.PathLike))
        opened = open(file, "rb") if named else file  # closed with the reader
        if named:
            weakref.finalize(self, opened.close)
        super().__init__(opened, str(file))

    def get_all_records(self) -> list[str]:
        """The names of the records."""
        return [name.removeprefix(self._prefix) for name in self._infos]

    def has_record(self, name: str) -> bool:
        """Whether there is a record of this name."""
        return name in self

    def get_record(self, name: str) -> bytes:
        """A record's bytes."""
        return self.array(name).tobytes()

    def get_record_offset(self, name: str) -> int:
        """Where a record's bytes start in the file."""
        return self.offset(name)[0]
