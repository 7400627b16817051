"""What all rooms stand on; importing it pauses the collector until the whole package is there."""

import gc

__all__ = ["resume"]

_collects = gc.isenabled()
gc.disable()  # what is made at import stays: looking through it again and again takes 12 ms


def resume() -> None:
    """Let the collector work again, where it did before the import; what is there by now is old."""
    if not _collects:
        return
    if not gc.get_freeze_count():
        gc.freeze()
        gc.unfreeze()  # into the oldest generation, at no cost
    gc.enable()
