"""flambeau: PyTorch's programming model in Python, down to the kernels."""

__version__ = "0.1.0"
