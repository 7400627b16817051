"""Recurrent functions over whole sequences."""

__all__: list[str] = []
