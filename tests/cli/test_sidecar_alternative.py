"""gbdt-sidecar beside ridge-sidecar: nobody has to choose who does not use it, and who does sees what it learned."""

from __future__ import annotations

from tests.cli.conftest import Program, capture_lines


def test_an_alternative_is_looked_after_once_it_is_used(program: Program) -> None:
    (program.home / "captures.jsonl").write_text(capture_lines(12))
    assert program("sidecar", "record", "captures.jsonl").out.startswith("ridge-sidecar learned")
    assert "gbdt-sidecar" not in program("sidecar", "status").out
    assert program("sidecar", "record", "captures.jsonl", "--plugin", "gbdt-sidecar").code == 0
    states = program("sidecar", "status", "--json").json["states"]
    assert {(s["plugin"], s["state"]["captures"], s["state"]["sources"]) for s in states} == {
        ("gbdt-sidecar", 48, 12),
        ("ridge-sidecar", 48, 12),
    }
    ended = program("sidecar", "show", "libx264")
    assert ended.code == 2 and "--plugin with one of gbdt-sidecar, ridge-sidecar" in ended.complaint()
    shown = program("sidecar", "show", "libx264", "--plugin", "gbdt-sidecar")
    assert shown.code == 0 and "level" in shown.out
