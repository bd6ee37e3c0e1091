"""The user's own options of ffmpeg (``--enc K=V``): handed on as ffmpeg takes them, unless they are ours to set."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from vmaftune.errors import UserError

_OF_OTHER_STREAMS = re.compile(r"[asdt](?::|$)")


def parse_enc(texts: Sequence[str]) -> tuple[str, ...]:
    """Turn ``--enc K=V`` values into arguments: ``x265-params=aq-mode=3`` becomes ``-x265-params aq-mode=3``.

    Raises:
        UserError: there is no key in it, or it would change what an option of ours decides.
    """
    arguments: list[str] = []
    for text in texts:
        key, equals, value = text.partition("=")
        key = key.lstrip("-")
        if not key or any(char.isspace() for char in key):
            raise UserError(f"--enc {text!r} is not of the form KEY=VALUE, for example --enc x265-params=aq-mode=3")
        if why := _ours(key):
            raise UserError(f"--enc {key} is decided by vmaf-tune; {why}")
        if key.endswith("-params") or key == "x264opts":
            for name in _inner_keys(value):
                if why := _INNER.get(name):
                    raise UserError(f"--enc {key}: {name} is decided by vmaf-tune; {why}")
        arguments += [f"-{key}", value] if equals else [f"-{key}"]
    return tuple(arguments)


def _ours(key: str) -> str | None:
    """Why an option is not the user's to set; None where it is."""
    name, _, specifier = key.partition(":")
    if name in ("c", "codec") and _OF_OTHER_STREAMS.match(specifier):
        return _OURS["acodec" if specifier.startswith("a") else "scodec"]
    if name in _OF_ANY_STREAM and _OF_OTHER_STREAMS.match(specifier):
        return None
    # ffmpeg takes the negation of each flag: -noautorotate, -nostdin.
    return _OURS.get(name) or (_OURS.get(name[2:]) if name.startswith("no") else None)


def _inner_keys(value: str) -> list[str]:
    """Keys of an encoder's own parameters, as its library reads them: ``no-``, case, underscores and quotes aside."""
    keys = (part.partition("=")[0] for part in value.split(":"))
    plain = (re.sub(r"[\s'\"\\\\]", "", key).lower().replace("_", "-") for key in keys)
    return [key.removeprefix("no-") for key in plain]


def _by_name(reasons: Mapping[str, str]) -> dict[str, str]:
    return {name: why for why, names in reasons.items() for name in names.split()}


_RATE = "it would override the CRF"
_FILES = "files are written to no other place than the output"
_FRAMES = "frames are encoded as they are"
_OF_ANY_STREAM = {"b", "q", "qscale", "filter"}
_OURS = _by_name(
    {
        "it is what the search is for": "crf",
        _RATE: "qp cqp cq q qscale global_quality b vb rc rc_mode lossless cbr qp_i qp_p qp_b init_qpI init_qpP init_qpB",
        "use --encoder": "c codec vcodec pre vpre fpre",
        "use --acodec": "acodec apre",
        "use --preset": "preset cpu-used",
        "use --pix-format": "pix_fmt",
        "use --vfilter": """vf filter filter_script filter_complex filter_complex_script lavfi s reinit_filter autorotate
            display_rotation display_hflip display_vflip""",
        _FRAMES: """r fpsmax fps_mode vsync async enc_time_base time_base copyts copytb start_at_zero force_fps
            frame_drop_threshold output_ts_offset itsoffset itsscale""",
        "all frames of the samples are encoded and scored": """t to ss sseof fs frames vframes aframes dframes shortest
            timelimit stream_loop accurate_seek seek_timestamp timestamp re readrate""",
        "the container is chosen by the name of the output": "f target",
        "the input is named without an option": "i",
        "every stream is kept": """map vn an sn dn scodec dcodec spre map_metadata map_chapters disposition attach program
            stream_group streamid copy_unknown ignore_unknown discard copyinkf""",
        "use --overwrite": "y n",
        _FILES: """pass passlogfile stats vstats vstats_file report sdp_file progress dump_attachment print_graphs
            print_graphs_file print_graphs_format stats_enc_pre stats_enc_post stats_mux_pre""",
        "vmaf-tune runs ffmpeg and reads what it prints": """loglevel v hide_banner stdin stats_period xerror abort_on dump hex
            max_error_rate benchmark benchmark_all cpuflags cpucount max_alloc dec init_hw_device filter_hw_device hwaccel
            hwaccel_device hwaccel_output_format vaapi_device qsv_device h ? help version L buildconf sources sinks devices
            formats muxers demuxers codecs decoders encoders filters protocols pix_fmts bsfs layouts""",
    }
)
_INNER = _by_name(
    {
        _RATE: """crf qp q bitrate tbr lossless rc rc-mode rcmode target-bitrate targetbitrate end-usage cq-level use-q-file
            qpfile qpifile zones zonefile""",
        _FILES: """pass passes stats rcstatsfile slow-firstpass two-pass-output csv csv-log-level log-file log-file-level
            dump-yuv recon recon-file tracefile tracerule tracechannelslist analysis-save analysis-load analysis-reuse-file
            abr-ladder tcfile-in tcfile-out stat-file stat-report output partition-info-path""",
        _FRAMES: "fps timebase seek frames frame-skip skip framestobeencoded",
        "use --preset": "preset",
        "use --pix-format or --vfilter": "input-res input-csp input-depth output-depth",
    }
)
"""Parameters of encoders' own libraries, which ffmpeg hands on as they are."""
