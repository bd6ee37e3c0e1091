"""An encoder that cannot be tried on this host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.testing.broken_encoders import X264, spec
from vmaftune.testing import NotChecked, checks_for


@pytest.mark.parametrize(
    ("changes", "ffmpeg", "why"),
    [
        ({"name": "an_encoder_of_nobody"}, None, "was built without it"),
        ({}, Path("/no/such/ffmpeg"), "no ffmpeg at /no/such/ffmpeg"),
        ({"hardware": True, "arguments": ("-no_such_option", "1")}, None, "hardware that this host may lack"),
        ({"step": 0.0}, None, "no CRFs to try"),
    ],
)
def test_what_cannot_be_encoded_here_is_said_and_not_held_against_it(
    changes: dict[str, Any], ffmpeg: Path | None, why: str
) -> None:
    *_, encodes = checks_for(spec(X264, **changes), ffmpeg=ffmpeg)
    with pytest.raises(NotChecked, match=why):
        encodes()
