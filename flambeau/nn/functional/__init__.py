"""`torch.nn.functional`: the layers as functions, an area a file."""

from importlib import import_module
from pkgutil import iter_modules

for _area in sorted(module.name for module in iter_modules(__path__)):
    _module = import_module(f"{__name__}.{_area}")
    globals().update({name: getattr(_module, name) for name in _module.__all__})
