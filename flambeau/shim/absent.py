"""Why a public name of PyTorch's has no counterpart here: what the errors and the coverage say.

A table of patterns over dotted names, the first match wins. `reason` reads it. A name without a
row is simply not built yet. Stands on the standard library.
"""

from __future__ import annotations

import re
from functools import cache

__all__ = ["reason"]

# What keeps names away -> the names: dotted below torch, `*` stands for any end or middle.
TABLE: dict[str, str] = {
    "quantised models are made by prepare and convert, or of FX graphs, not of TorchScript": """
        ao.quantization.*_jit ao.quantization.*qconfig_dict quantization.*_jit
        ao.quantization.script_qconfig* ao.quantization.*reference*""",
    "of quantised layers those of ao.nn.quantized and its rooms are built": """
        ao.* quantization.* nn.quantized.* nn.intrinsic.* nn.qat.* nn.quantizable
        nn.quantizable.* quantized_* fbgemm_* choose_qparams_optimized empty_quantized
        QInt*Storage QUInt*Storage utils.mobile_optimizer utils.mobile_optimizer.*
        backends.quantized.*""",
    "NumPy and ml_dtypes hold no elements of this width": """
        bit bits* int1 int2 int3 int4 int5 int6 int7 uint1 uint2 uint3 uint4 uint5 uint6 uint7
        float4_e2m1fn_x2""",
    "one vendor's kernel; the public operation does the same": """
        cudnn_* miopen_* mkldnn_* Tensor.to_mkldnn batch_norm_stats batch_norm_elemt
        batch_norm_gather_stats* batch_norm_update_stats batch_norm_backward_reduce
        batch_norm_backward_elemt is_vulkan_available nn.attention.*_flash_attention_impl*
        nn.attention.varlen nn.attention.varlen.* sparse.SparseSemiStructured*
        sparse.to_sparse_semi_structured backends.xeon backends.xnnpack backends.cusparselt.*
        nn.attention.WARN_FOR_UNFUSED_KERNELS backends.cuda.*""",
    "TorchScript's C++ runtime; `torch.jit` runs the Python itself": """
        AggregationType AliasDb *Type Argument ArgumentSpec CompleteArgumentSpec Block CallStack
        Capsule Code CompilationUnit ConcreteModuleType* DeepCopyMemoTable ErrorReport
        ExecutionPlan FatalError FileCheck FunctionSchema Gradient Graph GraphExecutorState
        IODescriptor JITException LiteScriptModule LockingLogger LoggerBase NoopLogger Node
        OperatorInfo PyTorchFileReader PyTorchFileWriter Script* StaticModule TracingState Type
        Use Value AVG SUM Await* import_ir_module* parse_ir parse_schema parse_type_comment
        merge_type_from_type_comment unify_type_list ThroughputBenchmark Benchmark* BufferDict
        ModuleDict ParameterDict
        DeserializationStorageContext SerializationStorageContext DisableTorchFunction
        DispatchKey DispatchKeySet ExcludeDispatchKeyGuard init_num_threads
        nn.functional.BroadcastingList* nn.functional.boolean_dispatch
        nn.functional.assert_int_or_pair testing.FileCheck jit.CompilationUnit
        jit.export_opnames jit.set_fusion_strategy Stream*Type Event*Type
        utils.generate_methods_for_privateuse1_backend utils.rename_privateuse1_backend
        utils.backend_registration utils.backend_registration.* utils.get_cpp_backtrace""",
    "of torch.export the graph of a run, its module and its file are built": "export.*",
    "graphs for other runtimes are not exported; save the state dict": """
        onnx onnx.* package package.* utils.cpp_extension utils.cpp_extension.*
        utils.cmake_prefix_path""",
    "symbolic shapes belong to PyTorch's export; sizes are plain integers": """
        SymInt SymBool SymFloat sym_constrain_range* sym_fresh_size Sym*Type""",
    "of FX tracing, graphs and `passes.shape_prop` are built": "fx.*",
    "gradients are averaged in one piece, through the store of the first process": """
        distributed.BuiltinCommHookType distributed.Reducer distributed.Logger
        distributed.*""",
    "there is no such device; the call needs it": """
        mps.* accelerator.* Tensor.__cuda_array_interface__ *_autocast_ipu_* *_autocast_xla_*
        backends.mps.* autograd.profiler.load_nvprof autograd.profiler.parse_nvprof_trace
        autograd.graph.set_*stream* is_autocast_ipu_enabled is_autocast_xla_enabled version.rocm
        profiler_allow_cudagraph_cupti_lazy_reinit_cuda12 UntypedStorage.hpu UntypedStorage.mps
        UntypedStorage.is_hpu""",
    "it steers PyTorch's compiler, which works otherwise": "compiler.* library.*wrap_triton",
    "a helper of PyTorch's own code, public by accident": """
        classproperty get_file_path TYPE_CHECKING PRIVATE_OPS USE_GLOBAL_DEPS
        USE_RTLD_GLOBAL_WITH_LIBTORCH prepare_multiprocessing_environment typename
        *.TYPE_CHECKING nn.functional.GRID_SAMPLE_* nn.functional.handle_torch_function
        nn.functional.has_torch_function* *.common_notes nn.functional.*_notes fft.Tensor
        utils.collect_env.* autograd.profiler.EnforceUnique autograd.profiler.KinetoStepTracker
        autograd.profiler.MemRecordsAcc func.debug_unwrap utils.set_module
        utils.checkpoint.GraphExecGroup utils.checkpoint.SAC_IGNORED_OPS
""",
    "inside PyTorch alone: its own code calls it, or a call raises there too": """
        slice_inverse Tensor.slice_inverse native_norm Tensor.reinforce Tensor.index
        Tensor.__setstate__ Tensor.__dlpack_c_exchange_api__
        library.register_torch_dispatch""",
}


@cache
def _rows() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(
        (re.compile("|".join(re.escape(p).replace(r"\*", ".*") for p in patterns.split())), why)
        for why, patterns in TABLE.items()
    )


def reason(path: str) -> str | None:
    """Why flambeau has no ``torch.<path>``, or None where it is only not built yet."""
    return next((why for pattern, why in _rows() if pattern.fullmatch(path)), None)
