"""How scaled numbers of channels are rounded. Stands on nothing."""

__all__ = ["make_divisible"]


def make_divisible(value: float, divisor: int, min_value: int | None = None) -> int:
    """The nearest multiple of ``divisor`` that is not more than a tenth below ``value``."""
    least = divisor if min_value is None else min_value
    nearest = max(least, int(value + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * value else nearest
