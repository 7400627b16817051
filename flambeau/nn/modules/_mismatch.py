"""What to do about a state dictionary whose keys are not a module's: prefixes that training scripts
leave (``module.``, ``backbone.``), and dictionaries that hold the state among other things.

Asked when loading has failed, only. Stands on nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["mend"]


def mend(wanted: Iterable[str], state: Mapping[str, Any], missing: Iterable[str]) -> str | None:
    """The call that would load, where a prefix or a level is all that is different; else None.

    Args:
        wanted: the module's keys. state: what was given. missing: the keys that were not found.
    """
    wanted, missing = set(wanted), set(missing)
    if not missing or not state:
        return None
    for key, inside in state.items():
        if isinstance(inside, Mapping) and missing <= set(inside):
            return f"The state lies one level deeper: load_state_dict(checkpoint[{key!r}])."
    given, lost = min(state), min(missing)
    for what, prefix, change, renamed in (
        ("has", (p := _prefix(given, wanted)), f"k.removeprefix({p!r})",
         {k.removeprefix(p) for k in state if k.startswith(p)}),
        ("lacks", (p := _prefix(lost, state)), f"{p!r} + k", {p + k for k in state}),
    ):  # fmt: skip
        if prefix and len(renamed) == len(state) and missing <= renamed <= wanted:
            return (
                f"Every key {what} the prefix {prefix!r}: "
                f"load_state_dict({{{change}: v for k, v in state_dict.items()}})."
            )
    return None


def _prefix(key: str, endings: Iterable[str]) -> str:
    """What stands in a key before the longest of some endings, up to a dot."""
    ending = max((e for e in endings if key.endswith("." + e)), key=len, default="")
    return key.removesuffix(ending) if ending else ""
