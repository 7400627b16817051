"""``torch._higher_order_ops``: operations that take functions. Models written for export and for
long sequences (state spaces) reach for them here. They run as they stand, with gradients.

Stands on symbolic and utils._pytree.
"""

from flambeau._higher_order_ops.associative_scan import associative_scan
from flambeau._higher_order_ops.map import map
from flambeau._higher_order_ops.scan import scan
from flambeau.symbolic import cond, while_loop, while_loop_stack_output

__all__ = ["associative_scan", "cond", "map", "scan", "while_loop", "while_loop_stack_output"]
