"""Generators: each writes the IR of a family of kernels. ndarray in, ndarray out; no Tensor.

A generated function takes ``(ptr context, i64 thread, i64 threads)``: the context is a row of
64-bit words (addresses, strides, lengths), so that a new size compiles nothing. Stands on jit.
"""
