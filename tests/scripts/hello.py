"""Prints what a program sees of its own start, and that torch is flambeau."""

import sys

import torch

print(sys.argv, __name__, __file__, sys.path[0])
print(torch.__name__, torch.__version__)
