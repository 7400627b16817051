"""Conformance: PyTorch's own test databases run against flambeau, in one process with real torch.

`python -m tests.parity.run` prints the score; `test_databases.py` is the pytest entry, and
`failing/` holds what does not pass yet. flambeau is imported under its own name, torch is the
oracle, nothing is aliased.

Input travels `resolve` (functions) and `convert` (values) -> `sample` (both engines evaluate)
-> `aspects/` (what is compared) -> `compare`, `tolerance`, `exceptions` (how) -> `result`,
`report`. `operators`, `modules` and `optimizers` are the three databases.
"""
