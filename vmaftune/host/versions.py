"""What corrections keep their state by: the predictor's version, the scale of the scores, and the corrections that come before.

``mlp_v1-e1b3e27c`` is of the usual scale, ``mlp_v1-e1b3e27c~xpsnr~8bit+ridge-sidecar`` of another one and after a correction.
A version is fit for a folder name, so whoever keeps state by it keeps scales apart without a thought.
"""

from __future__ import annotations

from collections.abc import Sequence

from vmaftune.quality.scale import USUAL, Scale

_SCALE, _CORRECTION = "~", "+"


def of_state(predictor_version: str, scale: Scale, before: Sequence[str]) -> str:
    """The version that state is kept by.

    Args:
        before: corrections that come before.
    """
    of_scale = "" if scale.usual else f"{_SCALE}{scale.identity}"
    return "".join([predictor_version, of_scale, *(f"{_CORRECTION}{name}" for name in before)])


def identity_in(version: str) -> str:
    """Identity of the scale that a version's state is of; the usual one's where it names none."""
    return version.partition(_CORRECTION)[0].partition(_SCALE)[2] or USUAL.identity


def scale_in(version: str) -> Scale:
    """The scale that a version's state is of.

    Raises:
        ValueError: what it names is the identity of none.
    """
    return Scale.named(identity_in(version))
