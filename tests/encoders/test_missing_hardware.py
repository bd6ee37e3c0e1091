"""A hardware encoder that ffmpeg has and the machine has not is the user's error, told in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Moving
from tests.encoders.test_command_lines import SPECS
from vmaftune.crf_search.prober import Prober
from vmaftune.crf_search.source import EncodeRequest, prepare
from vmaftune.errors import UserError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.quality.settings import ScoreSettings
from vmaftune.state.store import Store

_HARDWARE = [name for name, spec in SPECS.items() if spec.hardware]


def _is_here(ffmpeg: Ffmpeg, name: str) -> bool:
    spec = SPECS[name]
    chain = ["-vf", spec.upload_filter.format("nv12")] if spec.upload_filter else []
    source = [*spec.device_arguments, "-f", "lavfi", "-i", "color=size=320x240:rate=5:duration=0.4"]
    try:
        process.run(ffmpeg.path, [*source, *chain, "-c:v", name, "-f", "null", "-"])
    except Exception:
        return False
    return True


@pytest.mark.parametrize("name", _HARDWARE)
def test_one_line_that_names_it(name: str, ffmpeg: Ffmpeg, moving: Moving, tmp_path: Path) -> None:
    if name not in ffmpeg.encoders:
        pytest.skip(f"this ffmpeg was built without {name}")
    if _is_here(ffmpeg, name):
        pytest.skip(f"this machine has the hardware for {name}")
    request = EncodeRequest(encoder=SPECS[name], score=ScoreSettings(size="none"))
    source = prepare(ffmpeg, moving.plain, request, Store(None), tmp_path)
    prober = Prober(ffmpeg, source, threads=1, store=Store(None), folder=tmp_path)
    with pytest.raises(UserError, match=name) as error:
        prober.probe(30.0, lambda share: None)
    assert "\n" not in str(error.value)
