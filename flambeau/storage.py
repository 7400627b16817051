"""``torch.storage``: the faces of a tensor's memory. They live in ``core.untyped``."""

from flambeau.core.untyped import TypedStorage, UntypedStorage

__all__ = ["TypedStorage", "UntypedStorage"]
