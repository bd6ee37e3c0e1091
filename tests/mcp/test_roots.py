"""Only files below the roots are read, whatever a name looks like, and only such as hold their pictures themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.mcp.conftest import Server, said
from vmaftune.errors import UserError
from vmaftune.mcp_server.roots import Roots


@pytest.fixture
def root(tmp_path: Path, clip: Path) -> Path:
    """A folder that may be read, with a film in it, beside one that may not."""
    for name in ("root/below", "outside", "root-beside"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("root/film.mkv", "root/below/-film 'two'.mkv", "outside/secret.mkv", "root-beside/secret.mkv"):
        (tmp_path / name).write_bytes(clip.read_bytes())
    return tmp_path / "root"


@pytest.mark.parametrize("name", ["film.mkv", "./below/../film.mkv", "below/-film 'two'.mkv", "../root/film.mkv"])
def test_what_is_below_is_found(root: Path, name: str) -> None:
    assert Roots([root]).video(name) == (root / name).resolve()
    assert Roots([root]).video(str(root / name)) == (root / name).resolve()


@pytest.mark.parametrize(
    "name",
    ["../outside/secret.mkv", "../outside/nosuch.mkv", "below/../../outside/secret.mkv", "../root-beside/secret.mkv"],
)
def test_what_is_outside_is_refused_whether_it_exists_or_not(root: Path, name: str) -> None:
    for spelled in (name, str(root / name), str((root / name).resolve())):
        with pytest.raises(UserError, match=r"is outside the folders that this server may read: .*root$"):
            Roots([root]).video(spelled)


def test_links_are_followed_first(root: Path) -> None:
    (root / "inside.mkv").symlink_to(root / "film.mkv")
    (root / "link.mkv").symlink_to(root.parent / "outside" / "secret.mkv")
    (root / "folder").symlink_to(root.parent / "outside")
    (root / "loop.mkv").symlink_to(root / "loop.mkv")
    assert Roots([root]).video("inside.mkv") == root / "film.mkv"
    for name in ("link.mkv", "folder/secret.mkv"):
        with pytest.raises(UserError, match="is outside"):
            Roots([root]).video(name)
    with pytest.raises(UserError):
        Roots([root]).video("loop.mkv")


def test_a_root_may_be_a_link_and_there_may_be_several(root: Path) -> None:
    (root.parent / "linked").symlink_to(root)
    roots = Roots([root.parent / "outside", root.parent / "linked"])
    assert roots.video("film.mkv") == root / "film.mkv"
    assert roots.video("secret.mkv") == root.parent / "outside" / "secret.mkv"
    assert roots.video(str(root.parent / "linked" / "film.mkv")) == root / "film.mkv"


@pytest.mark.parametrize("name", ["nosuch.mkv", ".", "below", "pipe.mkv"])
def test_what_is_no_file_is_none(root: Path, name: str) -> None:
    os.mkfifo(root / "pipe.mkv")
    with pytest.raises(UserError, match="there is no file"):
        Roots([root]).video(name)


@pytest.mark.parametrize("name", ["film.mkv\0.txt", "x" * 5000, "http://host/film.mkv", "concat:film.mkv|film.mkv"])
def test_a_name_is_only_a_name(root: Path, name: str) -> None:
    with pytest.raises(UserError):
        Roots([root]).video(name)


PLAYLISTS = {
    "list.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{0}\n#EXT-X-ENDLIST\n",
    "list.ffconcat": "ffconcat version 1.0\nfile '{0}'\n",
    "disguised.mkv": "ffconcat version 1.0\nfile '{0}'\n",
    "disguised.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{0}\n#EXT-X-ENDLIST\n",
    "list.mpd": "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'><BaseURL>{0}</BaseURL></MPD>",
    "list.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 1234 RTP/AVP 96\n",
    "words.txt": "nothing of a video: {0}\n",
}


@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_playlist_is_not_read(root: Path, name: str) -> None:
    (root / name).write_text(PLAYLISTS[name].format(root.parent / "outside" / "secret.mkv"))
    with pytest.raises(UserError, match="playlists are not read"):
        Roots([root]).video(name)


@pytest.mark.parametrize(
    "suffix", ["mkv", "mp4", "avi", "ts", "webm", "y4m", "ivf", "h264", "mov", "mxf", "nut", "gif"]
)
def test_what_people_have_is_read(root: Path, clip: Path, suffix: str) -> None:
    codec = {"webm": "libvpx", "ivf": "libvpx", "mxf": "mpeg2video", "gif": "gif", "y4m": "rawvideo"}.get(
        suffix, "libx264"
    )
    from tests.cli.conftest import ffmpeg

    ffmpeg("-i", clip, "-frames:v", "3", "-r", "25", "-c:v", codec, root / f"made.{suffix}")
    assert Roots([root]).video(f"made.{suffix}").name == f"made.{suffix}"


@pytest.mark.parametrize("name", [name for name in PLAYLISTS if name != "words.txt"])
def test_a_playlist_is_not_read_under_the_name_of_raw_video(root: Path, name: str) -> None:
    content = PLAYLISTS[name].format(root.parent / "outside" / "secret.mkv")
    for start in ("", "\ufeff", "\n \n"):
        (root / "list.yuv").write_text(start + content)
        for raw in (True, False):
            with pytest.raises(UserError, match="playlists are not read"):
                Roots([root]).video("list.yuv", raw=raw)


def test_raw_video_is_taken_only_where_it_is_read_as_raw(root: Path) -> None:
    (root / "film.yuv").write_bytes(bytes(range(256)) * 9)
    assert Roots([root]).video("film.yuv", raw=True) == root / "film.yuv"
    with pytest.raises(UserError, match="playlists are not read"):
        Roots([root]).video("film.yuv")


def test_the_server_refuses_what_its_roots_do(server: Server, root: Path) -> None:
    (root / "link.mkv").symlink_to(root.parent / "outside" / "secret.mkv")
    for name in ("../outside/secret.mkv", "link.mkv", "/etc/passwd"):
        result = server.call("vmaf_score", {"reference": "film.mkv", "distorted": name}, root)
        assert f"is outside the folders that this server may read: {root}" in said(result)
    for tool in ("crf_search", "predict_crf"):
        assert "is outside" in said(server.call(tool, {"source": "link.mkv"}, root))


def test_a_root_must_be_a_folder(program: Program, clip: Path) -> None:
    ended = program("mcp", "--root", clip)
    assert ended.code == 2 and "is not a folder" in ended.complaint()
    assert program("mcp").code == 2


def test_the_sdk_that_is_missing_is_named(program: Program, clips: Path) -> None:
    script = (
        "import sys\nsys.modules['mcp'] = sys.modules['mcp_types'] = None\n"
        f"from vmaftune.cli import main\nmain(['mcp', '--root', {str(clips)!r}])"
    )
    done = subprocess.run([sys.executable, "-c", script], env=program.env(), capture_output=True, text=True)
    assert done.returncode == 2 and "pip install 'mcp>=" in done.stderr
