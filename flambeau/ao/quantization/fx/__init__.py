"""``torch.ao.quantization.fx``: models quantised by rewriting their graphs.

`kinds` says what can be quantised, `tracing` makes the graph and fuses layers in it, `preparing`
puts observers in, `converting` makes the graph of integers.
"""

from __future__ import annotations
