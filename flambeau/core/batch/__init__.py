"""What `vmap` works on: arrays of samples, and how each kernel takes them all at once."""
