"""The loader's parts: `collate` (samples to a batch), `fetch` (indices to samples), `worker` and
`transport` (processes)."""

from flambeau.utils.data._utils import collate, fetch, worker

__all__ = ["collate", "fetch", "worker"]
