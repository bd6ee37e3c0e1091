"""Filters and encoder options that are known to name no file: what ``--safe`` allows. docs/batch.md lists the same."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FILTERS = _words(
    """
    atadenoise bilateral boxblur bwdif chromanr chromashift colorbalance colorchannelmixer colorlevels colorspace
    colortemperature crop cropdetect deband deblock decimate dedot deflicker dejudder delogo drawbox eq estdif exposure
    fade fftdnoiz field fieldmatch fieldorder fillborders format fps gblur gradfun hflip histeq hqdn3d hue idet il
    kerndeint limiter mpdecimate negate nlmeans noise normalize null owdenoise pad pp7 pullup removegrain rotate scale
    separatefields setdar setfield setparams setpts setrange setsar settb smartblur telecine tinterlace tmix tonemap
    transpose trim unsharp vaguedenoiser vflip vibrance vignette w3fdif weave yadif zscale
    """
)
"""Names of filters without an option that names a file."""

OPTIONS = _words(
    """
    aq-mode aq-strength aq_mode aq_strength arnr-maxframes arnr-strength auto-alt-ref b-pyramid b_strategy bf
    bluray-compat chroma_sample_location chromaoffset cmp coder color_primaries color_range color_trc colorspace
    cplxblur cpu-used dc8x8 deblock direct-pred enable-cdef enable-restoration fast-pskip forced-idr frame-parallel g
    intra-refresh keyint_min lag-in-frames level mbtree me_method me_range mixed-refs motion-est nal-hrd
    noise-sensitivity partitions profile psy psy-rd qcomp qdiff qmax qmin rc-lookahead refs row-mt sc_threshold
    sharpness slices spatial-aq static-thresh subq temporal-aq threads tier tile-columns tile-rows tiles trellis tune
    usage weightb weightp
    """
)
"""Options of ``--enc`` whose values are numbers and words."""

PARAMETERS = {
    "x264-params": _words(
        """
        8x8dct aq-mode aq-strength aud b-adapt b-bias b-pyramid bframes bluray-compat cabac chroma-qp-offset chromaloc
        colormatrix colorprim constrained-intra cplxblur deadzone-inter deadzone-intra deblock direct fake-interlaced
        fast-pskip force-cfr fullrange ipratio keyint level lookahead-threads mbtree me merange min-keyint mixed-refs
        mvrange nal-hrd nr open-gop partitions pbratio psy psy-rd qblur qcomp qpmax qpmin qpstep rc-lookahead ref
        scenecut sliced-threads slices subme sync-lookahead threads transfer trellis vbv-bufsize vbv-init vbv-maxrate
        weightb weightp
        """
    ),
    "x265-params": _words(
        """
        amp aq-mode aq-motion aq-strength aud b-adapt b-intra b-pyramid bframe-bias bframes cbqpoffs chromaloc
        colormatrix colorprim constrained-intra copy-pic crqpoffs ctu cu-lossless cutree deblock dynamic-rd early-skip
        fades fast-intra frame-threads hdr10 hdr10-opt hevc-aq high-tier hrd info intra-refresh ipratio keyint level-idc
        limit-modes limit-refs limit-sao limit-tu lookahead-slices lookahead-threads master-display max-cll max-merge
        max-tu-size me merange min-cu-size min-keyint nr-inter nr-intra open-gop pbratio pme pmode pools psy-rd psy-rdoq
        qblur qcomp qg-size qpmax qpmin qpstep range rc-grain rc-lookahead rd rd-refine rdoq-level rdpenalty rect ref
        refine-intra repeat-headers rskip rskip-edge-threshold sao sao-non-deblock scenecut scenecut-bias selective-sao
        signhide slices splitrd-skip ssim-rd strong-intra-smoothing subme temporal-mvp transfer tskip tskip-fast
        tu-inter-depth tu-intra-depth vbv-bufsize vbv-init vbv-maxrate weightb weightp wpp
        """
    ),
    "svtav1-params": _words(
        """
        ac-bias aq-mode avif chroma-sample-position color-primaries color-range content-light enable-cdef enable-dlf
        enable-mfmv enable-overlays enable-qm enable-restoration enable-tf enable-variance-boost fast-decode film-grain
        film-grain-denoise hierarchical-levels irefresh-type keyint level lookahead lp mastering-display
        matrix-coefficients max-qp max-tx-size min-qp pred-struct profile qm-max qm-min scd scm sharpness
        startup-mg-size superres-mode tf-strength tier tile-columns tile-rows transfer-characteristics tune
        variance-boost-strength variance-octile
        """
    ),
    "aom-params": _words(
        """
        aq-mode arnr-maxframes arnr-strength cdf-update-mode cpu-used deltaq-mode denoise-block-size denoise-noise-level
        enable-cdef enable-chroma-deltaq enable-dnl-denoising enable-fwd-kf enable-keyframe-filtering enable-qm
        enable-restoration enable-tpl-model frame-parallel lag-in-frames max-qm min-qm noise-sensitivity row-mt
        sharpness tile-columns tile-rows tune-content
        """
    ),
}
"""Keys within the options that hold parameters of an encoder."""
