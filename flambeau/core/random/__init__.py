"""Random numbers as PyTorch draws them: the stream, the laws on ndarrays, the generator.

Everything here consumes the stream word for word as PyTorch 2.13 does on a CPU. Below the
operations; ``generator`` alone knows tensors.
"""
