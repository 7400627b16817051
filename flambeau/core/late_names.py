"""The names that each late area of `core/ops` publishes: at the top level, on Tensor, for
operations alone. Written by ``python scripts/areas.py``. Stands on nothing.
"""

AREAS: dict[str, tuple[str, str, str]] = {
    "activation": (
        "_prelu_kernel celu celu_ hardshrink prelu relu relu_ selu selu_ sigmoid sigmoid_ "
        "tanh tanh_ threshold threshold_",
        "_celu_ _elu_ _softshrink_ hardshrink hardsigmoid_ hardswish_ hardtanh_ leaky_relu_ "
        "prelu relu relu_ sigmoid sigmoid_ tanh tanh_ threshold_",
        "_celu _celu_ _elu _elu_ _softshrink _softshrink_ elu elu_ hardsigmoid hardsigmoid_ "
        "hardswish hardswish_ hardtanh hardtanh_ leaky_relu leaky_relu_ relu6 softshrink",
    ),
    "adaptive": (
        "",
        "",
        "adaptive_average adaptive_average_spread adaptive_maximum fractional_maximum "
        "max_unpooled plane_gather plane_scatter",
    ),
    "addmm": (
        "addbmm addmm addmv addr baddbmm",
        "addbmm addbmm_ addmm addmm_ addmv addmv_ addr addr_ baddbmm baddbmm_",
        "addbmm_ addmm_ addmv_ addr_ baddbmm_",
    ),
    "attention": (
        "",
        "",
        "_attention scaled_dot_product_attention",
    ),
    "bessel": (
        "i0 i0_",
        "i0 i0_",
        "special_airy_ai special_bessel_j0 special_bessel_j1 special_bessel_y0 "
        "special_bessel_y1 special_i0e special_i1 special_i1e special_modified_bessel_i0 "
        "special_modified_bessel_i1 special_modified_bessel_k0 special_modified_bessel_k1 "
        "special_scaled_modified_bessel_k0 special_scaled_modified_bessel_k1 "
        "special_spherical_bessel_j0",
    ),
    "blend": (
        "addcdiv addcmul lerp",
        "_lerp_ addcdiv addcdiv_ addcmul addcmul_ lerp lerp_",
        "_lerp _lerp_ addcdiv_ addcmul_ lerp_",
    ),
    "conv": (
        "_convolution convolution convolution_backward",
        "",
        "convolution_bias_gradient convolution_input_gradient convolution_weight_gradient "
        "convolved",
    ),
    "convolving": (
        "conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d",
        "",
        "",
    ),
    "count": (
        "bincount histc histogram histogramdd",
        "bincount histc histogram",
        "",
    ),
    "cross": (
        "cross",
        "cross",
        "_linalg_cross linalg_cross",
    ),
    "ctc": (
        "ctc_loss",
        "",
        "_ctc_loss",
    ),
    "differences": (
        "cumulative_trapezoid diff gradient trapezoid trapz",
        "diff",
        "",
    ),
    "distance": (
        "cdist cosine_similarity pairwise_distance pdist",
        "",
        "_cdist _pdist",
    ),
    "dropout": (
        "alpha_dropout alpha_dropout_ dropout dropout_ feature_alpha_dropout "
        "feature_alpha_dropout_ feature_dropout feature_dropout_ native_dropout rrelu rrelu_",
        "",
        "",
    ),
    "einsum": (
        "einsum ger inner kron outer tensordot",
        "ger inner kron outer",
        "",
    ),
    "embedding": (
        "embedding embedding_renorm_",
        "",
        "_embedding one_hot",
    ),
    "embedding_bag": (
        "embedding_bag",
        "",
        "_embedding_bag_all",
    ),
    "extrema": (
        "amax amin aminmax argmax argmin max min",
        "amax amin aminmax argmax argmin max min",
        "_aminmax _max_all _max_dim _min_all _min_dim _shares",
    ),
    "fft": (
        "",
        "",
        "_fft_c2c _fft_c2r _fft_r2c fft_fft fft_fft2 fft_fftfreq fft_fftn fft_fftshift "
        "fft_hfft fft_hfft2 fft_hfftn fft_ifft fft_ifft2 fft_ifftn fft_ifftshift fft_ihfft "
        "fft_ihfft2 fft_ihfftn fft_irfft fft_irfft2 fft_irfftn fft_rfft fft_rfft2 "
        "fft_rfftfreq fft_rfftn",
    ),
    "grid": (
        "affine_grid_generator grid_sampler grid_sampler_2d grid_sampler_3d",
        "",
        "grid_sample",
    ),
    "hashing": (
        "hash_tensor",
        "hash_tensor",
        "_exclusive",
    ),
    "index": (
        "as_strided_scatter diagonal_scatter index_add index_copy index_fill index_reduce "
        "index_select select_scatter slice_scatter",
        "_index_fill_ as_strided_scatter diagonal_scatter index_add index_add_ index_copy "
        "index_copy_ index_fill index_fill_ index_reduce index_reduce_ index_select "
        "select_scatter slice_scatter",
        "_as_strided_scatter _diagonal_scatter _index_fill _index_fill_ _select_scatter "
        "_slice_scatter index_add_ index_copy_ index_fill_ index_reduce_",
    ),
    "linalg_lu": (
        "lu_unpack",
        "",
        "_pivots_matrix linalg_ldl_factor linalg_ldl_factor_ex linalg_ldl_solve linalg_lu "
        "linalg_lu_factor linalg_lu_factor_ex linalg_lu_solve",
    ),
    "linalg_made": (
        "geqrf linalg_matrix_power matrix_power orgqr ormqr",
        "geqrf linalg_matrix_power matrix_power orgqr ormqr",
        "_bare_product linalg_diagonal linalg_householder_product linalg_lstsq "
        "linalg_multi_dot linalg_tensorinv linalg_tensorsolve linalg_vander linalg_vecdot",
    ),
    "linalg_norm": (
        "",
        "",
        "linalg_cond linalg_matrix_norm linalg_matrix_rank linalg_norm",
    ),
    "linalg_old": (
        "chain_matmul cholesky cholesky_inverse cholesky_solve det inverse lobpcg logdet lu "
        "lu_solve matrix_exp pca_lowrank pinverse qr slogdet svd svd_lowrank triangular_solve",
        "cholesky cholesky_inverse cholesky_solve det inverse logdet lu lu_solve matrix_exp "
        "pinverse qr slogdet svd triangular_solve",
        "_triangular_solution",
    ),
    "linalg_solve": (
        "",
        "",
        "_linalg_det _linalg_solve_ex linalg_cholesky linalg_cholesky_ex linalg_det "
        "linalg_inv linalg_inv_ex linalg_matrix_exp linalg_slogdet linalg_solve "
        "linalg_solve_ex linalg_solve_triangular",
    ),
    "linalg_spectral": (
        "",
        "",
        "_linalg_pinv linalg_eig linalg_eigh linalg_eigvals linalg_eigvalsh linalg_pinv "
        "linalg_qr linalg_svd linalg_svdvals",
    ),
    "linear": (
        "bilinear",
        "",
        "_addmm_linear _mm_linear linear",
    ),
    "loss": (
        "",
        "",
        "_class_shares _cross_entropy _nll_loss mse_loss nll_loss",
    ),
    "loss_composite": (
        "cosine_embedding_loss hinge_embedding_loss kl_div margin_ranking_loss "
        "poisson_nll_loss triplet_margin_loss",
        "",
        "cross_entropy_loss l1_loss",
    ),
    "loss_margin": (
        "",
        "",
        "_multi_margin_loss _multilabel_margin_loss multi_margin_loss multilabel_margin_loss",
    ),
    "loss_pairs": (
        "binary_cross_entropy_with_logits",
        "",
        "_bce_with_logits _huber_loss _smooth_l1_loss binary_cross_entropy huber_loss "
        "smooth_l1_loss soft_margin_loss",
    ),
    "meshes": (
        "broadcast_shapes broadcast_tensors cartesian_prod combinations meshgrid",
        "",
        "",
    ),
    "norm": (
        "batch_norm instance_norm native_batch_norm",
        "",
        "_native_batch_norm",
    ),
    "norm_group": (
        "group_norm native_group_norm",
        "",
        "_native_group_norm",
    ),
    "norm_layer": (
        "layer_norm native_layer_norm rms_norm",
        "",
        "_native_layer_norm _rms_norm",
    ),
    "order": (
        "median mode nanmedian nanquantile quantile",
        "median mode nanmedian nanquantile quantile",
        "_median_all _median_dim _nanmedian_all _nanmedian_dim",
    ),
    "pad": (
        "constant_pad_nd",
        "constant_pad_nd",
        "border_pad border_pad_backward pad",
    ),
    "polynomial": (
        "",
        "",
        "special_chebyshev_polynomial_t special_chebyshev_polynomial_u "
        "special_chebyshev_polynomial_v special_chebyshev_polynomial_w "
        "special_hermite_polynomial_h special_hermite_polynomial_he "
        "special_laguerre_polynomial_l special_legendre_polynomial_p "
        "special_shifted_chebyshev_polynomial_t special_shifted_chebyshev_polynomial_u "
        "special_shifted_chebyshev_polynomial_v special_shifted_chebyshev_polynomial_w",
    ),
    "pool": (
        "",
        "",
        "average_pool average_pool_spread average_pool_to max_pool max_pool_gather "
        "max_pool_indices max_pool_spread max_pool_values",
    ),
    "pooling": (
        "adaptive_avg_pool1d adaptive_max_pool1d avg_pool1d max_pool1d "
        "max_pool1d_with_indices max_pool2d max_pool3d",
        "",
        "",
    ),
    "random": (
        "rand rand_like randint randint_like randn randn_like randperm",
        "",
        "",
    ),
    "random_draw": (
        "_dirichlet_grad _sample_dirichlet _standard_gamma _standard_gamma_grad bernoulli "
        "binomial multinomial normal poisson",
        "bernoulli multinomial",
        "_drawn",
    ),
    "random_fill": (
        "",
        "bernoulli_ cauchy_ exponential_ geometric_ log_normal_ normal_ random_ uniform_",
        "_drawn_over bernoulli_ cauchy_ exponential_ geometric_ log_normal_ normal_ random_ "
        "uniform_",
    ),
    "removed": (
        "dsmm eig frobenius_norm hsmm lstsq matrix_rank norm_except_dim nuclear_norm saddmm "
        "solve symeig",
        "eig lstsq solve symeig",
        "",
    ),
    "rnn": (
        "gru gru_cell lstm lstm_cell rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell",
        "",
        "_rnn_layer",
    ),
    "scan": (
        "cummax cummin cumprod cumsum logcumsumexp",
        "cummax cummin cumprod cumprod_ cumsum cumsum_ logcumsumexp",
        "_cumsum_reverse cumprod_ cumsum_",
    ),
    "scatter": (
        "gather scatter scatter_add scatter_reduce",
        "_scatter_ _scatter_number_ _scatter_reduce_ gather scatter scatter_ scatter_add "
        "scatter_add_ scatter_reduce scatter_reduce_",
        "_scatter _scatter_ _scatter_number _scatter_number_ _scatter_reduce _scatter_reduce_ "
        "scatter_ scatter_add_ scatter_reduce_",
    ),
    "segment": (
        "segment_reduce",
        "",
        "_run_extreme _run_prod",
    ),
    "smooth": (
        "",
        "_gelu_ _gelu_tanh_ _logsigmoid_ _softplus_ mish_ silu_",
        "_gelu _gelu_ _gelu_tanh _gelu_tanh_ _logsigmoid _logsigmoid_ _softplus _softplus_ "
        "gelu glu log_sigmoid logsigmoid mish mish_ silu silu_ softplus",
    ),
    "softmax": (
        "log_softmax softmax",
        "log_softmax softmax",
        "_log_softmax _softmax",
    ),
    "sort": (
        "argsort kthvalue msort sort topk",
        "argsort kthvalue msort sort topk",
        "_sort _sort_stable",
    ),
    "special": (
        "digamma erf erf_ erfc erfc_ erfinv igamma igammac lgamma mvlgamma polygamma xlogy xlogy_",
        "_mvlgamma_ _polygamma_ digamma digamma_ erf erf_ erfc erfc_ erfinv erfinv_ igamma "
        "igamma_ igammac igammac_ lgamma lgamma_ mvlgamma mvlgamma_ polygamma polygamma_ "
        "xlogy xlogy_",
        "_mvlgamma _mvlgamma_ _polygamma _polygamma_ digamma_ erfinv_ igamma_ igammac_ "
        "lgamma_ mvlgamma_ special_entr special_erfcx special_log_ndtr special_ndtr "
        "special_ndtri special_xlog1py special_zeta",
    ),
    "statistics": (
        "corrcoef cov std std_mean var var_mean",
        "corrcoef cov std var",
        "_std _std_mean _var _var_mean",
    ),
    "stft": (
        "istft stft",
        "istft stft",
        "",
    ),
    "take": (
        "put take take_along_dim unravel_index",
        "put put_ take take_along_dim",
        "put_",
    ),
    "unique": (
        "bucketize isin searchsorted unique unique_consecutive",
        "unique unique_consecutive",
        "",
    ),
    "vector_norm": (
        "dist norm renorm",
        "dist norm renorm renorm_",
        "_vector_norm linalg_vector_norm renorm_",
    ),
    "vision": (
        "channel_shuffle native_channel_shuffle pixel_shuffle pixel_unshuffle",
        "",
        "col2im im2col upsample upsample_backward",
    ),
    "window": (
        "bartlett_window blackman_window hamming_window hann_window kaiser_window",
        "",
        "",
    ),
}
