"""Every stream of a full encode beside its source's, field by field."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from tests.conftest import Clips
from tests.jobs.encoding import encoded
from vmaftune.errors import UserError
from vmaftune.escape import file_url
from vmaftune.jobs.encode import run_encode
from vmaftune.jobs.encode_report import EncodeReport
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.session import Session

_CHAPTERS = """;FFMETADATA1
title=The Film
artist=Someone
studio=A Studio
[CHAPTER]
TIMEBASE=1/1000
START=0
END=700
title=One
[CHAPTER]
TIMEBASE=1/1000
START=700
END=1600
title=Two
"""
_SUBTITLES = "1\n00:00:00,200 --> 00:00:00,600\nHello\n\n2\n00:00:00,900 --> 00:00:01,400\nWorld\n"
_HDR10 = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400"
_TAGGED = (
    "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=limited:chroma_location=topleft"
)
_SUBTITLE_TIMES = [0.2, 0.9]


@pytest.fixture(scope="session")
def everything(clips: Clips) -> Path:
    """A film with all that a film can have: HDR10, an odd size, a varying rate, a sample aspect ratio, two audio tracks,
    subtitles, chapters, a font and a cover."""
    folder = clips.folder / "everything"
    folder.mkdir()
    (folder / "chapters.txt").write_text(_CHAPTERS)
    (folder / "subtitles.srt").write_text(_SUBTITLES)
    (folder / "font.ttf").write_bytes(bytes(range(256)) * 10)
    cover = clips.lavfi("cover.jpg", "color=red:size=64x64", ["-frames:v", "1", "-update", "1"])
    varying = "settb=1/90000,setpts='N*3600+gte(N,10)*27000+gte(N,20)*mod(N,3)*700'"
    film = folder / "film.mkv"
    clips.run(
        [
            *(
                "-f",
                "lavfi",
                "-i",
                f"testsrc2=size=161x91:rate=25:duration=1.3,format=yuv444p10le,setsar=4/3,{_TAGGED}",
            ),
            *("-f", "lavfi", "-i", "sine=440:duration=1.6", "-f", "lavfi", "-i", "sine=880:duration=1.6"),
            *("-i", str(folder / "subtitles.srt"), "-i", str(folder / "chapters.txt")),
            *("-map", "0", "-map", "1", "-map", "2", "-map", "3", "-map_metadata", "4"),
            *("-vf", varying, "-fps_mode", "passthrough", "-enc_time_base", "1/90000"),
            *("-c:v", "libx265", "-crf", "10", "-preset", "ultrafast"),
            *("-x265-params", f"log-level=error:hdr10=1:master-display={_HDR10}"),
            *("-c:a:0", "aac", "-c:a:1", "ac3", "-c:s", "srt"),
            *(
                "-metadata:s:v:0",
                "title=Pictures",
                "-metadata:s:a:0",
                "language=eng",
                "-metadata:s:a:1",
                "language=ger",
            ),
            *("-metadata:s:a:1", "title=Kommentar", "-metadata:s:s:0", "language=fra"),
            *("-disposition:v:0", "default", "-disposition:a:0", "default", "-disposition:a:1", "comment"),
            *("-disposition:s:0", "forced"),
            *("-attach", str(folder / "font.ttf"), "-metadata:s:t:0", "mimetype=application/x-truetype-font"),
            *("-metadata:s:t:0", "filename=font.ttf", "-attach", str(cover), "-metadata:s:t:1", "mimetype=image/jpeg"),
            *("-metadata:s:t:1", "filename=cover.jpg", file_url(film)),
        ]
    )
    return film


def _encode(source: Path, output: Path, **options: Any) -> EncodeReport:
    chosen = {"encoder": "libx264", "preset": "ultrafast", "crf": 20.0, "cache": False, **options}
    return run_encode(Session({**chosen, "cache_dir": output.parent}), source, output, JobObserver())


def _streams(path: Path) -> list[dict[str, Any]]:
    """What there is to know of every stream, but for the codec of the video."""
    with av.open(file_url(path)) as container:
        return [_facts(stream) for stream in container.streams]


def _facts(stream: Any) -> dict[str, Any]:
    own = {"ENCODER", "DURATION", "encoder", "handler_name", "vendor_id"}
    context = stream.codec_context
    return {
        "type": stream.type,
        "codec": context.codec.canonical_name if stream.type in ("audio", "subtitle") else None,
        "disposition": int(stream.disposition),
        "tags": {key: value for key, value in stream.metadata.items() if key not in own},
        "channels": (context.sample_rate, context.layout.name) if stream.type == "audio" else None,
    }


def _packets(path: Path, kind: str, number: int = 0) -> list[bytes]:
    with av.open(file_url(path)) as container:
        stream = [s for s in container.streams if s.type == kind][number]
        return [bytes(packet) for packet in container.demux(stream) if packet.size]


def _times(path: Path, kind: str = "video") -> list[float]:
    with av.open(file_url(path)) as container:
        stream = next(s for s in container.streams if s.type == kind)
        shown = [
            p for p in container.demux(stream) if p.size > 2
        ]  # .mp4 fills the time between subtitles with empty ones
        return sorted(float(p.pts * p.time_base) for p in shown)


def _picture(path: Path) -> dict[str, Any]:
    """Colours, shape and side data of the first picture."""
    with av.open(file_url(path)) as container:
        stream = container.streams.video[0]
        frame = next(container.decode(stream))
        side = {item.type.name: bytes(item) for item in frame.side_data if "SEI" not in item.type.name}
        return {
            "colours": (frame.color_primaries, frame.color_trc, frame.colorspace, frame.color_range),
            "aspect": stream.sample_aspect_ratio,
            "depth": max(component.bits for component in frame.format.components),
            "side": side,
        }


@pytest.mark.parametrize("encoder", ["libx264", "libx265", "libsvtav1"])
def test_matroska_keeps_everything(everything: Path, tmp_path: Path, encoder: str) -> None:
    output = tmp_path / "out.mkv"
    preset = "12" if encoder == "libsvtav1" else "ultrafast"
    report = _encode(everything, output, encoder=encoder, preset=preset)
    assert report.checked and report.frames == 33
    before, after = _streams(everything), _streams(output)
    assert after == before
    assert len(report.streams) == len(before) + 1 and report.streams[-1] == "2 chapters, copied"
    for kind, number in (("audio", 0), ("audio", 1), ("subtitle", 0)):
        assert _packets(output, kind, number) == _packets(everything, kind, number)
    assert _packets(output, "video", 1) == _packets(everything, "video", 1), "the cover"
    with av.open(str(everything)) as source, av.open(str(output)) as made:
        assert made.chapters() == source.chapters()
        ours = ("ENCODER",)
        assert {k: v for k, v in made.metadata.items() if k not in ours} == {
            k: v for k, v in source.metadata.items() if k not in ours
        }
        fonts = [
            stream.data for container in (source, made) for stream in container.streams if stream.type == "attachment"
        ]
        assert len(fonts) == 2 and fonts[0] == fonts[1]


@pytest.mark.parametrize("encoder", ["libx264", "libx265", "libsvtav1", "libaom-av1", "libvpx-vp9", "libvvenc"])
def test_colours_and_mastering_data_are_the_sources(everything: Path, tmp_path: Path, encoder: str) -> None:
    output = tmp_path / "out.mkv"
    fast = {"libx264": "ultrafast", "libx265": "ultrafast", "libsvtav1": "12", "libvvenc": "faster"}
    _encode(everything, output, encoder=encoder, preset=fast.get(encoder, "8"), crf=40.0, pix_format="yuv420p10le")
    before, after = _picture(everything), _picture(output)
    assert before["colours"] == (9, 16, 9, 1) and before["side"].keys() == {
        "MASTERING_DISPLAY_METADATA",
        "CONTENT_LIGHT_LEVEL",
    }
    assert {**after, "side": None} == {**before, "side": None}
    assert after["side"].keys() == before["side"].keys()
    assert after["side"]["CONTENT_LIGHT_LEVEL"] == before["side"]["CONTENT_LIGHT_LEVEL"]
    assert _mastering(after) == pytest.approx(_mastering(before), rel=0.01)
    assert after["aspect"] == Fraction(4, 3)


def _mastering(picture: dict[str, Any]) -> list[float]:
    """AVMasteringDisplayMetadata: ten rationals, three primaries, the white point, the least and the greatest luminance."""
    data = picture["side"]["MASTERING_DISPLAY_METADATA"]
    ints = [int.from_bytes(data[n : n + 4], "little") for n in range(0, 80, 4)]
    return [top / bottom for top, bottom in zip(ints[::2], ints[1::2], strict=True)]


@pytest.mark.parametrize("name", ["out.mkv", "out.mp4", "out.mov", "out.webm"])
def test_a_varying_rate_keeps_its_times(everything: Path, tmp_path: Path, clips: Clips, name: str) -> None:
    plain = clips.make("plain.mkv", ["-i", file_url(everything), "-map", "0:v:0", "-c", "copy"])
    output = tmp_path / name
    _encode(plain, output, encoder="libvpx-vp9" if name == "out.webm" else "libx264", preset=None)
    assert _times(output) == pytest.approx(_times(plain), abs=0.0015)


def test_mp4_converts_what_it_must_and_says_what_it_cannot_hold(everything: Path, tmp_path: Path, clips: Clips) -> None:
    output = tmp_path / "out.mp4"
    with pytest.raises(UserError, match=r"\.mp4 cannot hold attachment .*\.mkv"):
        _encode(everything, output)
    assert list(tmp_path.iterdir()) == []
    less = clips.make(
        "less.mkv", ["-i", file_url(everything), "-map", "0", "-map", "-0:t", "-map", "-0:v:1", "-c", "copy"]
    )
    report = _encode(less, output)
    assert "subtitle subrip fra, converted to mov_text" in report.streams
    assert _times(output, "subtitle") == pytest.approx(_SUBTITLE_TIMES, abs=0.0015)
    kept = [stream for stream in _streams(output) if stream["type"] in ("audio", "subtitle")]
    assert [stream["codec"] for stream in kept] == ["aac", "ac3", "mov_text"]
    assert [stream["tags"].get("language") for stream in kept] == ["eng", "ger", "fra"]
    assert [stream["disposition"] & 0x49 for stream in kept[:2]] == [1, 8] and kept[2]["disposition"] & 0x40
    with av.open(str(output)) as made:
        assert [chapter["metadata"]["title"] for chapter in made.chapters()] == ["One", "Two"]
        assert made.metadata["title"] == "The Film" and made.metadata["artist"] == "Someone"

    back = tmp_path / "back.mkv"
    report = _encode(output, back)
    assert "subtitle mov_text fra, converted to subrip" in report.streams
    assert _times(back, "subtitle") == pytest.approx(_SUBTITLE_TIMES, abs=0.0015)
    tags = [stream["tags"] for stream in _streams(back)]
    assert tags[2]["title"] == "Kommentar"
    with av.open(str(back)) as made:
        assert not {"MAJOR_BRAND", "COMPATIBLE_BRANDS"} & set(made.metadata)


def test_a_cover_goes_between_mp4_and_matroska(tmp_path: Path, clips: Clips) -> None:
    cover = clips.lavfi("cover.png", "color=blue:size=64x64", ["-frames:v", "1", "-update", "1"])
    video = clips.lavfi("video.mkv", "testsrc2=size=160x90:rate=25:duration=0.4")
    inputs = ["-i", file_url(video), "-i", file_url(cover), "-map", "0", "-map", "1"]
    film = clips.make("covered.mp4", [*inputs, "-c", "copy", "-disposition:v:1", "attached_pic"])
    outputs = [tmp_path / "a.mkv", tmp_path / "b.mp4"]
    _encode(film, outputs[0])
    _encode(outputs[0], outputs[1])
    for output in outputs:
        assert _packets(output, "video", 1) == [cover.read_bytes()]
        assert _streams(output)[1]["disposition"] == 0x400


def test_audio_is_encoded_where_it_is_asked_for(everything: Path, tmp_path: Path) -> None:
    report = _encode(everything, tmp_path / "out.mkv", acodec="libopus")
    assert [line for line in report.streams if line.startswith("audio")] == [
        "audio aac eng, encoded with libopus",
        "audio ac3 ger, encoded with libopus",
    ]
    after = [stream for stream in _streams(tmp_path / "out.mkv") if stream["type"] == "audio"]
    assert [stream["codec"] for stream in after] == ["opus", "opus"]
    assert after[1]["tags"] == {"language": "ger", "title": "Kommentar"}


@pytest.mark.parametrize(
    ("options", "name", "said"),
    [
        ({}, "out.webm", "cannot hold|cannot encode"),
        ({"acodec": "nonsense"}, "out.mkv", "cannot encode film.mkv to out.mkv"),
        ({}, "out.avi", "ends in .mkv"),
        ({"crf": 99.0}, "out.mkv", "libx264 takes 0 to 51"),
    ],
)
def test_what_cannot_be_made_is_said_before_anything_is(
    everything: Path, tmp_path: Path, options: dict[str, Any], name: str, said: str
) -> None:
    with pytest.raises(UserError, match=said):
        _encode(everything, tmp_path / name, **options)
    assert not [path for path in tmp_path.iterdir() if path.name != "encoding"]


@pytest.mark.parametrize(
    ("film", "sound", "pictures"), [("late.ts", "0.3", "0"), ("late.ts", "0", "0.7"), ("late.mpg", "0.3", "0")]
)
@pytest.mark.parametrize("name", ["out.mkv", "out.mp4"])
def test_sound_and_pictures_stay_together_where_times_begin_late(
    tmp_path: Path, clips: Clips, film: str, sound: str, pictures: str, name: str
) -> None:
    """A transport stream begins at 1.4 s, its sound 0.3 s after its pictures, or its pictures 0.7 s after its sound."""
    made = [
        *("-itsoffset", pictures, "-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=1.2"),
        *("-itsoffset", sound, "-f", "lavfi", "-i", "sine=440:duration=1"),
        *("-c:v", "mpeg2video" if film == "late.mpg" else "libx264", "-b:v", "2M", "-bf", "2", "-c:a", "mp2"),
    ]
    source = clips.make(film, made)
    output = tmp_path / name
    _encode(source, output)

    def apart(path: Path) -> float:
        return _times(path, "audio")[0] - _times(path)[0]

    assert abs(apart(source)) > 0.2
    assert apart(output) == pytest.approx(apart(source), abs=0.0015)


def test_a_turned_film_stands_upright(tmp_path: Path, clips: Clips) -> None:
    upright = clips.lavfi("upright.mp4", "testsrc2=size=160x90:rate=25:duration=0.4")
    turned = clips.make("turned.mp4", ["-display_rotation", "90", "-i", file_url(upright), "-c", "copy"])
    report = _encode(turned, tmp_path / "out.mp4")
    with av.open(report.output) as made:
        frame = next(made.decode(video=0))
        assert (frame.width, frame.height, frame.rotation) == (90, 160, 0)


def test_pictures_that_change_size_are_brought_to_the_first_ones(tmp_path: Path, clips: Clips) -> None:
    parts = [clips.lavfi("part.ts", f"testsrc2=size={size}:rate=25:duration=0.4") for size in ("160x90", "320x180")]
    both = tmp_path / "both.ts"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))
    report = _encode(both, tmp_path / "out.mkv")
    assert report.frames == 20 and report.checked


def test_interlaced_pictures_are_warned_of(tmp_path: Path, clips: Clips) -> None:
    source = "testsrc2=size=160x96:rate=50:duration=0.6,interlace"
    film = clips.lavfi("laced.mkv", source, ["-c:v", "libx264", "-qp", "12", "-flags", "+ildct+ilme"])
    told = encoded(film, tmp_path / "out.mkv")
    assert len(told) == 1 and "interlaced" in told[0]


def test_tags_that_mp4_has_no_name_for_are_kept_under_their_own(everything: Path, tmp_path: Path, clips: Clips) -> None:
    film = clips.make("tagged.mkv", ["-i", file_url(everything), "-map", "0:v:0", "-c", "copy"])
    for name in ("out.mp4", "out.mkv"):
        assert encoded(film, tmp_path / name) == []
        with av.open(str(tmp_path / name)) as made:
            assert {key.lower(): value for key, value in made.metadata.items()}["studio"] == "A Studio"


def test_a_timecode_is_kept(tmp_path: Path, clips: Clips) -> None:
    video = "testsrc2=size=160x90:rate=25:duration=0.4"
    film = clips.lavfi("timed.mov", video, ["-c:v", "libx264", "-timecode", "01:00:00:00"])
    for name, key in (("out.mkv", "TIMECODE"), ("out.mov", "timecode")):
        assert encoded(film, tmp_path / name) == []
        with av.open(str(tmp_path / name)) as made:
            assert made.streams.video[0].metadata[key] == "01:00:00:00"


def test_data_that_has_no_place_is_told_of(tmp_path: Path, clips: Clips) -> None:
    (tmp_path / "data.bin").write_bytes(bytes(300))
    inputs = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=160x90:rate=25:duration=0.4",
        "-f",
        "data",
        "-i",
        str(tmp_path / "data.bin"),
    ]
    film = clips.make("data.ts", [*inputs, "-map", "0", "-map", "1", "-c:v", "libx264", "-c:d", "copy"])
    (told,) = encoded(film, tmp_path / "out.mkv")
    assert "data" in told and "is left out" in told


def test_sound_and_pictures_stay_together_after_an_edit_list(tmp_path: Path, clips: Clips) -> None:
    """A cut between key frames: the file begins with frames and sound that are decoded and not shown."""
    inputs = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=160x90:rate=25:duration=3",
        "-f",
        "lavfi",
        "-i",
        "sine=440:duration=3",
    ]
    whole = clips.make("whole.mp4", [*inputs, "-c:v", "libx264", "-g", "100", "-c:a", "aac"])
    film = clips.make("cut.mp4", ["-ss", "1.3", "-i", file_url(whole), "-c", "copy"])
    shown = _shown(film)
    for name in ("out.mkv", "out.mp4"):
        _encode(film, tmp_path / name)
        assert _shown(tmp_path / name) == pytest.approx(shown, abs=0.0015)
        assert len(_packets(tmp_path / name, "audio")) == len(_packets(film, "audio"))


def _shown(path: Path) -> list[float]:
    """First and last time of a picture and of sound that a player shows."""
    times = []
    for kind in ("video", "audio"):
        with av.open(file_url(path)) as container:
            decoded = [frame.time for frame in container.decode(**{kind: 0})]
            times += [float(decoded[0]), float(decoded[-1])]
    return times
