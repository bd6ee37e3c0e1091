"""Derive the table of known sources from the curves that vmaf-tune's own model was trained on.

Usage: python make_known_sources.py        (needs scipy: pip install 'vmaf-tune[train]')
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import numpy as np

from vmaftune import models
from vmaftune.corpus.population import curve_through
from vmaftune.corpus.rows import CorpusRow, parse_rows

OUTPUT = Path(__file__).parent / "src" / "vmaftune_plugin_template" / "known_sources.json"
ROWS = "mlp_v1.rows.jsonl.gz"
ENCODER, PRESET = "libx264", "medium"
CRFS = np.arange(9.0, 52.0, 3.0)
SOURCES_PER_KIND = 2


def main() -> None:
    clips: dict[str, list[CorpusRow]] = defaultdict(list)
    for row in parse_rows(models.read(models.find("mlp_v1"), ROWS), ROWS):
        if (row.encoder, row.preset) == (ENCODER, PRESET) and row.clip == row.source:
            clips[row.source].append(row)
    sources = []
    of_kind: dict[str, int] = defaultdict(int)
    for name in sorted(clips):
        tallest = max(row.height for row in clips[name])
        rows = [row for row in clips[name] if row.height == tallest]
        kind = rows[0].kind
        of_kind[kind] += 1
        if of_kind[kind] <= SOURCES_PER_KIND:
            curve = curve_through({row.crf: row.vmaf_mean for row in rows}, CRFS)
            features = [float(f"{value:.5g}") for value in rows[0].features]
            sources.append({"kind": kind, "features": features, "vmaf": np.round(curve, 2).tolist()})
    table = {
        "encoder": ENCODER,
        "preset": PRESET,
        "feature_schema": rows[0].feature_schema,
        "crfs": CRFS.tolist(),
    }
    head = "".join(f"{json.dumps(key)}: {json.dumps(value)},\n" for key, value in table.items())
    body = ",\n".join(json.dumps(source) for source in sources)
    OUTPUT.write_text(f'{{{head}"sources": [\n{body}\n]}}\n', encoding="utf-8")
    print(f"{OUTPUT.name}: {len(sources)} sources, {OUTPUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
