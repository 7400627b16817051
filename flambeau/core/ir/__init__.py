"""Abstract values: arrays without numbers, on which the bodies of operations are read for shape and
dtype.
"""
