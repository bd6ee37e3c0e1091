"""What a training leaves behind: the model, its report, its plots, the table it was made from, and an entry in a registry."""

from __future__ import annotations

from pathlib import Path

from vmaftune.media.facts import shown
from vmaftune.models.full_reference import CANONICAL_6
from vmaftune.state import atomic
from vmaftune.tiny.export import OPERATORS
from vmaftune.tiny.fit import Made
from vmaftune.tiny.register import data_file, register_tiny
from vmaftune.tiny.report import model_card, summary
from vmaftune.tiny.table import FrameTable
from vmaftune.tiny.tablefile import write_table
from vmaftune.tiny.written import READABLE_FILE, write_report

TABLE_FILE = "table.npz"


def publish(folder: Path, table: FrameTable, made: Made, registry: Path | None) -> str:
    """Write model, report, plots and table into ``folder``, then register the model in ``registry`` where there is one.

    Returns:
        What was made and how good it is, in a few lines.

    Raises:
        UserError, VmafTuneError: as of models.register.
        OSError: something could not be written.
    """
    name = made.report.model
    model = folder / f"{name}.onnx"
    atomic.write(model, made.content)
    write_table(table, folder / TABLE_FILE)
    write_report(folder, made.report, made.judged, made.said)
    lines = [*summary(made.report), f"{shown(model)}, {shown(folder / READABLE_FILE)}"]
    if registry is not None:
        data = (folder / TABLE_FILE).read_bytes()
        card = model_card(made.report, data=data_file(data), operators=sorted(OPERATORS), features=CANONICAL_6)
        entry = register_tiny(registry, name, made.content, made.report, data, card)
        lines.append(f"registered {entry.version} in {shown(registry)}; its card: {entry.card}")
    return "\n".join(lines)
