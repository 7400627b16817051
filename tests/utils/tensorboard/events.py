"""Reads an event file back: records of length, checksum, message, checksum."""

from __future__ import annotations

import struct
from pathlib import Path

from tensorboardX.crc32c import crc32c
from tensorboardX.proto.event_pb2 import Event


def masked(data: bytes) -> int:
    """The checksum as the format stores it."""
    value = crc32c(data)
    return (((value >> 15) | (value << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def read(folder: Path) -> list[Event]:
    """Every event of every file directly in `folder`, its checksums verified."""
    found = []
    for path in sorted(Path(folder).glob("events.out.tfevents.*")):
        data = path.read_bytes()
        at = 0
        while at < len(data):
            head = data[at : at + 8]
            (length,) = struct.unpack("<Q", head)
            assert struct.unpack("<I", data[at + 8 : at + 12])[0] == masked(head)
            body = data[at + 12 : at + 12 + length]
            assert struct.unpack("<I", data[at + 12 + length : at + 16 + length])[0] == masked(body)
            found.append(Event.FromString(body))
            at += 16 + length
    return found


def values(folder: Path) -> dict[str, list]:
    """By tag: (step, value) of every summary."""
    found: dict[str, list] = {}
    for event in read(folder):
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, value))
    return found
