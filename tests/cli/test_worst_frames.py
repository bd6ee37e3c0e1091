"""``worst-frames`` finds the frames that score lowest, when they are shown, and shows them beside their reference."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from tests.cli.conftest import Program, ffmpeg
from vmaftune.jobs.worst_frames import lowest

PLAIN = ("--vmaf-scale", "none")


def _picture(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)


def _frames(path: Path) -> list[np.ndarray]:
    """Every picture, at the size of the reference."""
    with av.open(str(path)) as container:
        frames = [f.reformat(161, 91, "rgb24", interpolation="BICUBIC") for f in container.decode(video=0)]
        return [frame.to_ndarray().astype(int) for frame in frames]


@pytest.fixture(scope="module")
def odd(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A reference of an odd size and a varying frame rate that begins late, and an encode of another size with B-frames."""
    folder = tmp_path_factory.mktemp("odd %d'names")
    reference, encode = folder / "reference.mkv", folder / "-encode.mkv"
    times = "setpts='(N*N/240+3)/TB'"
    size = "scale=161:91"
    kept = ("-fps_mode", "passthrough", "-enc_time_base", "1:1000")
    ffmpeg("-i", clips / "clip.mkv", "-vf", f"{size},settb=1/1000,{times}", *kept, "-c:v", "ffv1", reference)
    made = ("-c:v", "libx264", "-crf", "30", "-bf", "3", f"file:{encode}")
    ffmpeg("-i", reference, "-vf", "scale=128:72", *kept, *made)
    return reference, encode


def test_frames_are_those_that_score_lowest(program: Program, odd: tuple[Path, Path]) -> None:
    scores = program("score", *PLAIN, "--per-frame", "--json", "--", *odd).json["per_frame"]
    report = program("worst-frames", *PLAIN, "-n", "4", "--json", "--", *odd).json
    worst = [frame["index"] for frame in report["worst"]]
    assert worst == np.argsort(scores, kind="stable")[:4].tolist()
    assert [frame["vmaf"] for frame in report["worst"]] == [scores[index] for index in worst]
    times = [frame["time_seconds"] for frame in report["worst"]]
    assert times == pytest.approx([index**2 / 240 for index in worst], abs=2e-3)  # after its first frame
    assert all(frame["picture"] is None for frame in report["worst"])


def test_pictures_are_of_these_frames_on_both_sides(program: Program, odd: tuple[Path, Path]) -> None:
    folder = program.home / "100 %d"
    report = program("worst-frames", *PLAIN, "-n", "3", "--pictures", folder, "--json", "--", *odd).json
    reference, encode = _frames(odd[0]), _frames(odd[1])
    assert sorted(folder.iterdir()) == sorted(Path(frame["picture"]) for frame in report["worst"])
    for frame in report["worst"]:
        picture = _picture(Path(frame["picture"]))
        assert picture.shape == (91, 322, 3)
        left, right = picture[:, :161], picture[:, 161:]
        assert int(np.argmin([np.abs(left - other).mean() for other in reference])) == frame["index"]
        assert int(np.argmin([np.abs(right - other).mean() for other in encode])) == frame["index"]


def test_pictures_are_made_smaller(program: Program, odd: tuple[Path, Path]) -> None:
    arguments = ("--pictures", program.home / "p", "--picture-width", "80")
    report = program("worst-frames", *PLAIN, "-n", "1", *arguments, "--json", "--", *odd).json
    assert _picture(Path(report["worst"][0]["picture"])).shape == (45, 160, 3)


def test_text_has_a_line_for_each(program: Program, clip: Path) -> None:
    ended = program("worst-frames", clip, clip, *PLAIN, "-n", "2", "--apart", "5")
    lines = ended.out.splitlines()
    assert ended.code == 0 and len(lines) == 4 and "adm2" in lines[1] and lines[0].startswith("VMAF 9")


def test_neg_has_the_features_that_it_measures(program: Program, clip: Path) -> None:
    line = ("worst-frames", clip, clip, *PLAIN, "--vmaf-model", "vmaf_v0.6.1neg")
    assert set(program(*line, "--json").json["worst"][0]["features"]) == {
        *("adm2", "motion2", "vif_scale0", "vif_scale1", "vif_scale2", "vif_scale3")
    }
    assert program(*line).code == 0


def test_a_folder_that_cannot_be_made_is_a_mistake(program: Program, clip: Path) -> None:
    ended = program("worst-frames", clip, clip, *PLAIN, "--pictures", clip / "below")
    assert ended.code == 2 and "cannot write pictures" in ended.complaint()


def test_lowest_keeps_apart_and_takes_the_earlier_of_equals() -> None:
    scores = np.array([5.0, 1.0, 2.0, 9.0, 3.0, 1.0])
    assert lowest(scores, 3) == [1, 5, 2]
    assert lowest(scores, 3, apart=2) == [1, 5, 3]
    assert lowest(scores, 3, apart=3) == [1, 5]
    assert lowest(scores, 10) == [1, 5, 2, 4, 0, 3]
