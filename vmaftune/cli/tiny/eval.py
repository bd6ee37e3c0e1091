"""``vmaf-tune tiny eval``: how good a tiny model is on a corpus, and what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vmaftune.cli.options import host_options, json_option
from vmaftune.cli.output import print_json
from vmaftune.cli.tiny.corpus import corpus_options, read_corpus

_PATH = click.Path(path_type=Path)
_CORPUS = ("size", "pix_fmt", "targets_source", "tiny_cache", "jobs")


@click.command("eval")
@click.argument("model")
@click.argument("corpus", type=_PATH)
@click.option(
    "-o", "--output", type=_PATH, metavar="DIR", help="Also write eval_report.json, a report and its plots there."
)
@json_option
@corpus_options
@host_options
def command(model: str, corpus: Path, output: Path | None, as_json: bool, **options: Any) -> None:
    """Judge MODEL, an ONNX file or the name of a registered model, on CORPUS.

    MODEL takes canonical-6 (adm2, vif_scale0 to 3, motion2) as float32 of shape (n, 6) and gives VMAF. CORPUS is a folder with
    ref/ and dis/, or a file of vmaf-tune tiny features. Whether the model was trained on it is not known here.

    \b
    vmaf-tune tiny eval vmaf_tiny_v2 corpus
    """
    from vmaftune.cli.train import check_installed
    from vmaftune.jobs.session import Session
    from vmaftune.models.full_reference import open_tiny_model
    from vmaftune.tiny.evaluate import evaluated, said_of

    check_installed(("scipy", "matplotlib") if output is not None else ("scipy",))
    opened, content = open_tiny_model(model)
    table = read_corpus(corpus, Session(options), **{name: options[name] for name in _CORPUS})
    said = said_of(opened, table)
    report = evaluated(content, opened, table, said, name=Path(model).stem, split="not known")
    if output is not None:
        from vmaftune.tiny.written import write_report

        write_report(output, report, table, said)
    if as_json:
        print_json(report)
        return
    from vmaftune.tiny.report import summary

    click.echo("\n".join(summary(report)))
