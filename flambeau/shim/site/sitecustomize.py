"""Start-up of a Python process under the alias (see ``flambeau/shim/children.py``).

Python imports this before the script. It installs the alias, lazily: nothing of flambeau but the
finder is loaded until ``import torch``. Then the ``sitecustomize`` that this one hides is run.
"""

import os
import sys


def _install() -> None:
    if os.environ.get("FLAMBEAU_SHIM") != f"{sys.implementation.cache_tag}:{sys.prefix}":
        return  # another Python, started from a script under the alias
    from importlib.machinery import ModuleSpec, SourceFileLoader

    # Under their own names, so that flambeau.shim finds these copies and makes no second ones.
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for leaf in ("paths", "names", "alias"):
        path = os.path.join(folder, leaf + ".py")
        loader = SourceFileLoader("flambeau.shim." + leaf, path)
        module = type(sys)(loader.name)
        module.__file__, module.__spec__ = path, ModuleSpec(loader.name, loader, origin=path)
        sys.modules[loader.name] = module
        loader.exec_module(module)
    module.install_finder()


def _chain() -> None:
    from importlib.machinery import PathFinder

    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]
    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is None or spec.loader is None:
        return
    from importlib.util import module_from_spec

    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


_install()
_chain()
