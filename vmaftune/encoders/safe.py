"""``--safe``: of filters and encoder options, those that are known to name no file.

Filters and encoders read and write files of their own: ``metadata=print:file=X``, ``x264-params=stats=X``, ``attach=X``. Who
takes filters and options from somebody else, as from a table, allows what stands here and nothing besides. A list of what is
dangerous would be short of an option with each version of ffmpeg; one of what is harmless is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vmaftune.encoders.safe_names import FILTERS, OPTIONS, PARAMETERS
from vmaftune.errors import UserError

_MODEL = re.compile(r"vmaf_[a-z0-9_.]*[a-z0-9]")
_NAME = re.compile(r"[a-z0-9_]+")
_FROM_A_FILE = re.compile(r"(?:^|:)\s*/")
_INSTEAD = "leave out --safe where you trust who wrote it"


def check_safe(video_filter: str | None, enc: Sequence[str], vmaf_model: str | None) -> None:
    """Raise UserError where a filter or an option is none of those that are known to name no file.

    Args:
        video_filter: a chain of filters (``--vfilter``).
        enc: ``KEY=VALUE`` texts (``--enc``).
        vmaf_model: name of a model (``--vmaf-model``); a file is refused.
    """
    for name, arguments in filters(video_filter or ""):
        if name not in FILTERS:
            raise UserError(f"--safe: the filter {name!r} is not known to name no file; {_INSTEAD}")
        if _FROM_A_FILE.search(arguments):
            raise UserError(f"--safe: the filter {name} would read an option from a file; {_INSTEAD}")
    for text in enc:
        _check_option(text)
    if vmaf_model is not None and (not _MODEL.fullmatch(vmaf_model) or vmaf_model.endswith(".json")):
        raise UserError(f"--safe: --vmaf-model {vmaf_model!r} is no model of libvmaf's own; {_INSTEAD}")


def _check_option(text: str) -> None:
    key, equals, value = text.partition("=")
    if not equals:  # ffmpeg would take what comes after it for its value, and then a value for a file
        raise UserError(f"--safe: --enc {text} has no value; {_INSTEAD}")
    key = key.lstrip("-").partition(":")[0]  # a stream may stand after the option
    if key in PARAMETERS:
        for part in value.split(":"):
            inner = part.partition("=")[0].replace("_", "-")
            if part and inner not in PARAMETERS[key] and inner.removeprefix("no-") not in PARAMETERS[key]:
                raise UserError(f"--safe: {inner!r} of --enc {key} is not known to name no file; {_INSTEAD}")
    elif key not in OPTIONS:
        raise UserError(f"--safe: --enc {key} is not known to name no file; {_INSTEAD}")


def filters(chain: str) -> Iterator[tuple[str, str]]:
    """Names and arguments of a chain of filters as ffmpeg takes it apart, without quotes and escapes.

    Raises:
        UserError: it is no plain chain: it has labels, several chains, or a name that is quoted.
    """
    for part in _parts(chain):
        name, _, arguments = part.strip().partition("=")
        name = name.partition("@")[0]
        if not _NAME.fullmatch(name):
            raise UserError(f"--safe: --vfilter {chain!r} is no plain chain of filters, such as crop=1280:720,hqdn3d")
        yield name, arguments


def _parts(chain: str) -> Iterator[str]:
    """Between commas that are neither quoted nor escaped. What begins a label or a chain stays in a name, which is refused
    then; a quote or an escape in a name stays too."""
    part, quoted, escaped, in_name = "", False, False, True
    for character in chain:
        if escaped or (quoted and character != "'"):
            part, escaped = part + character, False
        elif character == "'":
            quoted = not quoted
            part += character if in_name else ""
        elif character == "\\":
            escaped = True
            part += character if in_name else ""
        elif character == ",":
            yield part
            part, in_name = "", True
        elif character in "[];":
            yield f"{character}"  # no name of a filter
            part, in_name = "", True
        else:
            in_name = in_name and character != "="
            part += character
    if part or chain:
        yield part
