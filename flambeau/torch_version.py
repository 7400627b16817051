"""``torch.torch_version``: the class of ``torch.__version__``. It lives in ``version``."""

from flambeau.version import TorchVersion

__all__ = ["TorchVersion"]
