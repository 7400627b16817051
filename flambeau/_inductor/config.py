"""``torch._inductor.config``: settings of PyTorch's code generator, which nothing reads here."""

from __future__ import annotations

from flambeau._dynamo.config import Settings

__all__ = ["config"]

config = Settings(
    benchmark_kernel=False,
    conv_1x1_as_mm=False,
    coordinate_descent_check_all_directions=False,
    coordinate_descent_tuning=False,
    cpp=Settings(enable_kernel_profile=False, simdlen=None, threads=-1),
    cpp_wrapper=False,
    debug=False,
    epilogue_fusion=True,
    force_fuse_int_mm_with_mul=False,
    freezing=False,
    fx_graph_cache=True,
    max_autotune=False,
    max_autotune_gemm=False,
    max_autotune_pointwise=False,
    permute_fusion=False,
    shape_padding=True,
    split_reductions=True,
    trace=Settings(enabled=False, graph_diagram=False),
    triton=Settings(
        cudagraph_trees=True, cudagraphs=False, unique_kernel_names=True, use_block_ptr=False
    ),
    use_mixed_mm=True,
)
