"""PyTorch's place of the ready-made data pipes: ``datapipes.iter``, ``datapipes.map``."""
