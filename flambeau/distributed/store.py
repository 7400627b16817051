"""Stores: keys and bytes that several processes share, in memory, in a file or over TCP.

Every wait has an end: the store's timeout. Stands on the standard library.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

__all__ = [
    "DistBackendError",
    "DistError",
    "DistNetworkError",
    "DistStoreError",
    "FileStore",
    "HashStore",
    "PrefixStore",
    "QueueEmptyError",
    "Store",
    "TCPStore",
]

DEFAULT = timedelta(seconds=300)


class DistError(RuntimeError):
    """What goes wrong between processes."""


class DistBackendError(DistError):
    """The exchange itself failed."""


class DistNetworkError(DistError):
    """A connection could not be made, or broke."""


class DistStoreError(DistError):
    """A store did not answer in time."""


class QueueEmptyError(DistStoreError):
    """A queue of a store holds nothing."""


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


class Store:
    """Keys and bytes for several processes. Subclasses say where they are."""

    timeout: timedelta = DEFAULT

    def set_timeout(self, timeout: timedelta) -> None:
        """How long waits may last."""
        self.timeout = timeout

    def _ask(self, what: str, key: str, *values: bytes, wait: float = 0) -> Any:
        """One request; the answer, or None where a wait came to its end."""
        raise NotImplementedError(f"{type(self).__name__}: a store needs `_ask`.")

    def set(self, key: str, value: Any) -> None:
        """Give a key a value."""
        self._ask("set", key, _bytes(value))

    def get(self, key: str) -> bytes:
        """The value of a key, as soon as it has one.

        Raises:
            DistStoreError: it got none in time.
        """
        found = self._ask("get", key, wait=self.timeout.total_seconds())
        if found is None:
            raise DistStoreError(
                f"Store.get: wait timeout after {self.timeout.total_seconds():.0f}s, key: {key}"
            )
        return bytes(found)

    def add(self, key: str, amount: int) -> int:
        """Add to the number a key holds; gives the sum."""
        return int(self._ask("add", key, str(amount).encode()))

    def append(self, key: str, value: Any) -> None:
        """Put bytes behind those a key holds."""
        self._ask("append", key, _bytes(value))

    def compare_set(self, key: str, expected_value: Any, desired_value: Any) -> bytes:
        """Set a key that holds `expected_value` (or nothing, where that is empty); gives what it
        holds then."""
        found = self._ask("compare", key, _bytes(expected_value), _bytes(desired_value))
        return bytes(found)

    def check(self, keys: Sequence[str]) -> bool:
        """Whether all keys have values."""
        return all(self._ask("get", key) is not None for key in keys)

    def wait(self, keys: Sequence[str], timeout: timedelta | None = None) -> None:
        """Wait until all keys have values.

        Raises:
            DistStoreError: they did not in time.
        """
        seconds = (timeout or self.timeout).total_seconds()
        end = time.monotonic() + seconds
        for key in keys:
            if self._ask("get", key, wait=max(end - time.monotonic(), 0)) is None:
                raise DistStoreError(
                    f"Store.wait: wait timeout after {seconds:.0f}s, keys: {', '.join(keys)}"
                )

    def delete_key(self, key: str) -> bool:
        """Forget a key; gives whether it was there."""
        return self._ask("delete", key) == b"1"

    def num_keys(self) -> int:
        """How many keys there are."""
        return int(self._ask("count", ""))

    def multi_get(self, keys: Sequence[str]) -> list[bytes]:
        """`get` of several."""
        return [self.get(key) for key in keys]

    def multi_set(self, keys: Sequence[str], values: Sequence[Any]) -> None:
        """`set` of several."""
        for key, value in zip(keys, values, strict=True):
            self.set(key, value)

    def has_extended_api(self) -> bool:
        """Whether `append` and the calls of several keys are there."""
        return True


class _Table:
    """The keys of a store in this process, and the answers to requests."""

    def __init__(self) -> None:
        self.data: dict[str, bytes] = {}
        self.changed = threading.Condition()

    def answer(self, what: str, key: str, values: Sequence[bytes], wait: float) -> bytes | None:
        with self.changed:
            if what == "get":
                self.changed.wait_for(lambda: key in self.data, wait)
                return self.data.get(key)
            found = _changed(self.data, what, key, values)
            self.changed.notify_all()
            return found


def _changed(data: dict[str, bytes], what: str, key: str, values: Sequence[bytes]) -> bytes:
    if what == "set":
        data[key] = values[0]
    elif what == "add":
        data[key] = str(int(data.get(key, b"0")) + int(values[0])).encode()
    elif what == "append":
        data[key] = data.get(key, b"") + values[0]
    elif what == "compare":
        if data.get(key, b"") == values[0]:
            data[key] = values[1]
        elif key not in data:
            return values[0]
    elif what == "delete":
        return b"1" if data.pop(key, None) is not None else b"0"
    elif what == "count":
        return str(len(data)).encode()
    return data[key]


class HashStore(Store):
    """A store for the threads of one process."""

    def __init__(self) -> None:
        self._table = _Table()

    def _ask(self, what: str, key: str, *values: bytes, wait: float = 0) -> Any:
        return self._table.answer(what, key, values, wait)


class PrefixStore(Store):
    """Another store, with something put before every key."""

    def __init__(self, prefix: str, store: Store) -> None:
        self.prefix, self.underlying_store = prefix, store
        self.timeout = store.timeout

    def _ask(self, what: str, key: str, *values: bytes, wait: float = 0) -> Any:
        return self.underlying_store._ask(what, f"{self.prefix}/{key}", *values, wait=wait)


class FileStore(Store):
    """A store in a file on a disk that all processes see.

    Args:
        file_name: the file. world_size: how many processes use it.
    """

    def __init__(self, file_name: str, world_size: int = -1) -> None:
        self.path, self.world_size = file_name, world_size

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        lock, end = f"{self.path}.lock", time.monotonic() + self.timeout.total_seconds()
        while True:
            try:
                os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
                break
            except FileExistsError:
                if time.monotonic() > end:
                    raise DistStoreError(f"FileStore: {lock} is held by another process") from None
                time.sleep(0.001)
        try:
            yield
        finally:
            os.unlink(lock)

    def _read(self) -> dict[str, bytes]:
        try:
            with open(self.path, "rb") as file:
                content = file.read()
        except FileNotFoundError:
            return {}
        return dict(_unpacked(content)) if content else {}

    def _ask(self, what: str, key: str, *values: bytes, wait: float = 0) -> Any:
        end = time.monotonic() + wait
        while True:
            with self._locked():
                data = self._read()
                if what != "get":
                    found = _changed(data, what, key, values)
                    with open(self.path, "wb") as file:
                        for name, value in data.items():
                            file.write(_framed([name.encode(), value]))
                    return found
            if key in data or time.monotonic() >= end:
                return data.get(key)
            time.sleep(0.002)


def _framed(parts: Sequence[bytes]) -> bytes:
    return b"".join(struct.pack("<q", len(part)) + part for part in parts)


def _unpacked(content: bytes) -> Iterator[tuple[str, bytes]]:
    parts, at = [], 0
    while at < len(content):
        (size,) = struct.unpack_from("<q", content, at)
        parts.append(content[at + 8 : at + 8 + size])
        at += 8 + size
    for k in range(0, len(parts), 2):
        yield parts[k].decode(), parts[k + 1]


def _receive(connection: socket.socket, count: int) -> bytes:
    chunks = bytearray()
    while len(chunks) < count:
        chunk = connection.recv(min(count - len(chunks), 1 << 20))
        if not chunk:
            raise ConnectionError("the other side closed the connection")
        chunks += chunk
    return bytes(chunks)


def _receive_parts(connection: socket.socket) -> list[bytes]:
    (count,) = struct.unpack("<q", _receive(connection, 8))
    parts = []
    for _ in range(count):
        (size,) = struct.unpack("<q", _receive(connection, 8))
        parts.append(_receive(connection, size))
    return parts


def _send_parts(connection: socket.socket, parts: Sequence[bytes]) -> None:
    connection.sendall(struct.pack("<q", len(parts)) + _framed(parts))


class _Server:
    """The process that keeps a TCPStore's keys: a thread for each connection."""

    def __init__(self, host: str, port: int, listen_fd: int | None) -> None:
        self.table = _Table()
        if listen_fd is not None:
            self.socket = socket.socket(fileno=listen_fd)
        else:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self.socket = socket.socket(family)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind(("", port))
            self.socket.listen(256)
        self.port = int(self.socket.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, ConnectionError):
            while True:
                what, key, wait, *values = _receive_parts(connection)
                found = self.table.answer(what.decode(), key.decode(), values, float(wait))
                _send_parts(connection, [] if found is None else [found])

    def close(self) -> None:
        self.socket.close()


class TCPStore(Store):
    """A store that one process keeps and others reach over TCP.

    Args:
        host_name, port: where it is kept; port 0: a free one, see `port`.
        world_size: how many processes use it. is_master: whether this one keeps it.
        timeout: how long waits may last.
        wait_for_workers: wait in the master until all others came.

    Raises:
        DistNetworkError: it cannot be reached in time.
    """

    def __init__(
        self,
        host_name: str,
        port: int,
        world_size: int | None = None,
        is_master: bool = False,
        timeout: timedelta = DEFAULT,
        wait_for_workers: bool = True,
        multi_tenant: bool = False,
        master_listen_fd: int | None = None,
        use_libuv: bool = True,
    ) -> None:
        self.host, self.timeout = host_name, timeout
        self.world_size = world_size
        self._server = _Server(host_name, port, master_listen_fd) if is_master else None
        self.port = self._server.port if self._server is not None else port
        self._local = threading.local()
        self._open: list[socket.socket] = []
        if not is_master:
            self._connection()
        if wait_for_workers and world_size is not None and world_size > 0:
            self.add("init/", 1)
            if is_master:
                self._wait_for_all(world_size)

    def _wait_for_all(self, count: int) -> None:
        end = time.monotonic() + self.timeout.total_seconds()
        while self.add("init/", 0) < count:
            if time.monotonic() > end:
                raise DistStoreError(
                    f"TCPStore: of {count} processes only {self.add('init/', 0)} came in time."
                )
            time.sleep(0.005)

    def _connection(self) -> socket.socket:
        """This thread's connection: answers are in the order of questions."""
        found: socket.socket | None = getattr(self._local, "socket", None)
        if found is not None:
            return found
        end = time.monotonic() + self.timeout.total_seconds()
        while True:
            try:
                found = socket.create_connection((self.host, self.port), timeout=10)
                break
            except OSError as error:
                if time.monotonic() > end:
                    raise DistNetworkError(
                        f"TCPStore: cannot connect to {self.host}:{self.port}: {error}. Is the "
                        "process of rank 0 running?"
                    ) from None
                time.sleep(0.02)
        found.settimeout(None)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._local.socket = found
        self._open.append(found)
        return found

    def close(self) -> None:
        """Let go of the connections, and of the keys where this process keeps them."""
        while self._open:
            self._open.pop().close()
        if self._server is not None:
            self._server.close()

    def __del__(self) -> None:
        if hasattr(self, "_open"):
            self.close()

    def _ask(self, what: str, key: str, *values: bytes, wait: float = 0) -> Any:
        if self._server is not None:
            return self._server.table.answer(what, key, values, wait)
        connection = self._connection()
        try:
            _send_parts(connection, [what.encode(), key.encode(), str(wait).encode(), *values])
            found = _receive_parts(connection)
        except OSError as error:
            raise DistNetworkError(
                f"TCPStore: the connection to {self.host}:{self.port} broke: {error}"
            ) from None
        return found[0] if found else None


def dumped(value: Any) -> bytes:
    """An object as bytes for another process of the same program."""
    return pickle.dumps(value)


def loaded(data: bytes) -> Any:
    """The object another process of the same program sent."""
    return pickle.loads(data)
