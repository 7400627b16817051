"""``torch.fx.experimental``: what libraries ask of it where sizes are plain integers."""
