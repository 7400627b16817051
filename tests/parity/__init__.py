"""Conformance: PyTorch's own test databases run against flambeau, in one process with real torch.

`python -m tests.parity.run` prints the score; `test_databases.py` is the pytest entry.
flambeau is imported under its own name, torch is the oracle, nothing is aliased.
"""
