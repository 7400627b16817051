"""Code generated at run time: from IR text to addresses. What it computes is not here, but in the
rooms that write generators: see docs/kernels.md.
"""
