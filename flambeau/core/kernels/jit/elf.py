"""An object file of one module made into an image: bytes that run wherever they are mapped.

For x86-64 ELF objects whose code refers to itself alone, relative to where it stands. Loading an
image needs no LLVM (importing that costs 60 ms). Stands on nothing.
"""

from __future__ import annotations

import struct

__all__ = ["Unlinked", "image"]

ALLOCATED, WRITABLE, NO_BITS = 2, 1, 8
PC32, PLT32, PC64 = 2, 4, 24


class Unlinked(Exception):
    """The object refers to something outside itself."""


def image(content: bytes) -> tuple[bytes, dict[str, int]]:
    """The code of an object, and where its global functions begin."""
    if content[:6] != b"\x7fELF\x02\x01" or struct.unpack_from("<H", content, 18)[0] != 62:
        raise Unlinked("not an x86-64 ELF object")
    (table,) = struct.unpack_from("<Q", content, 40)
    count = struct.unpack_from("<H", content, 60)[0]
    # (name, type, flags, address, offset, size, link, info, align, entry size)
    sections = [struct.unpack_from("<IIQQQQIIQQ", content, table + 64 * k) for k in range(count)]
    found = bytearray()
    places: dict[int, int] = {}
    for k, (_, kind, flags, _, offset, size, _, _, align, _) in enumerate(sections):
        # Type 0x70000001: unwind tables, which refer to code by absolute addresses.
        if not flags & ALLOCATED or kind == 0x70000001 or not size:
            continue
        if flags & WRITABLE or kind == NO_BITS:
            raise Unlinked("writable data")
        found += bytes(-len(found) % max(align, 1))
        places[k] = len(found)
        found += content[offset : offset + size]
    symbols: list[tuple[int, int, int, int]] = []
    starts: dict[str, int] = {}
    for kind, offset, size, link in [(s[1], s[4], s[5], s[6]) for s in sections]:
        if kind != 2:
            continue
        names = sections[link][4]
        for at in range(offset, offset + size, 24):
            name, info, _, section, value, _ = struct.unpack_from("<IBBHQQ", content, at)
            symbols.append((name, info, section, value))
            if info >> 4 and section in places:
                end = content.index(b"\0", names + name)
                starts[content[names + name : end].decode()] = places[section] + value
    for kind, offset, size, target in [(s[1], s[4], s[5], s[7]) for s in sections]:
        if kind != 4 or target not in places:
            continue
        for at in range(offset, offset + size, 24):
            where, info, addend = struct.unpack_from("<QQq", content, at)
            _, _, section, value = symbols[info >> 32]
            if section not in places:
                raise Unlinked("an outside symbol")
            here = places[target] + where
            distance = places[section] + value + addend - here
            how = info & 0xFFFFFFFF
            if how not in (PC32, PLT32, PC64):
                raise Unlinked(f"relocation {how}")
            struct.pack_into("<q" if how == PC64 else "<i", found, here, distance)
    return bytes(found), starts
