"""Functions made at run time that Python calls as its own built-in ones: arrays in, arrays out.

`table` knows the interpreter and NumPy by address, `elementwise` writes the functions, `choose`
gives a declared kernel its native form at its first call. Without generated code everything here
gives the NumPy form. Stands on jit.
"""
