"""``python -m flambeau script.py``: runs a PyTorch program, unchanged, on flambeau."""

from flambeau.shim.runner import main

if __name__ == "__main__":
    raise SystemExit(main())
