"""``torch.ao.nn.quantizable``: recurrent and attention layers made of parts that can be observed.

They compute what `nn.LSTM` and `nn.MultiheadAttention` do; `prepare` puts them in, `convert` makes
those of ao.nn.quantized of them.
"""

from __future__ import annotations

from flambeau.ao.nn.quantizable.attention import MultiheadAttention
from flambeau.ao.nn.quantizable.rnn import LSTM, LSTMCell

__all__ = ["LSTM", "LSTMCell", "MultiheadAttention"]
