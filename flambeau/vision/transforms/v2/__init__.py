from flambeau.vision.transforms.v2 import functional
