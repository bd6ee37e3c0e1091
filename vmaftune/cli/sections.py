"""The help of commands with many options: ``--help`` shows the usual ones, on one screen, ``--help-all`` all by section."""

from __future__ import annotations

from typing import Any

import click

_ALL = "vmaftune.help_all"
_OTHER = "Options"

SECTIONS = {
    _OTHER: (),
    "The encode": (
        *("pix_format", "vfilter", "enc", "safe", "acodec", "verify"),
        *("per_shot", "shot_floor", "compare_one_crf"),
    ),
    "The search": (
        "min_score",
        "min_xpsnr",
        "tolerance",
        "max_probes",
        "explore",
        "min_crf",
        "max_crf",
        "crf_increment",
        "bd_rate",
        "step_score",
    ),
    "Samples": ("video_stream", "samples", "sample_every", "sample_duration", "min_samples"),
    "Scores": ("metric", "vmaf_model", "vmaf_generation", "vmaf_scale", "vmaf_threads", "pool", "final_score"),
    "Plugins": ("plugins", "no_plugins", "predictor", "model", "strict_plugins"),
    "This host": ("config", "ffmpeg", "cache", "cache_dir", "queue", "scheduler", "ship"),
    "Output": ("plot", "report", "csv_", "as_json", "events"),
}
"""Sections of ``--help-all`` by the options in them; an option that stands in none is in the first."""

USUAL = frozenset(
    (
        *("pix_format", "vfilter", "enc", "acodec", "per_shot", "final_score", "tolerance", "samples", "plugins"),
        *("report", "csv_", "as_json"),
    )
)
"""Those that ``--help`` shows besides the ones that stand in no section."""


class SectionedCommand(click.Command):
    """A command with ``--help-all``."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.params.append(
            click.Option(
                ["--help-all"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_show_all,
                help="Show all options, by section, and exit.",
            )
        )

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As of click.Command."""
        shown: dict[str, list[tuple[str, str]]] = {title: [] for title in SECTIONS}
        left_out = 0
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            title = next((title for title, names in SECTIONS.items() if parameter.name in names), _OTHER)
            if _ALL in ctx.meta:
                shown[title].append(record)
            elif title == _OTHER or parameter.name in USUAL:
                shown[_OTHER].append(record)
            else:
                left_out += 1
        for title, records in shown.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)
        if left_out:
            formatter.write_paragraph()
            formatter.write_text(f"{left_out} more: {ctx.command_path} --help-all")


def _show_all(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        context.meta[_ALL] = True
        click.echo(context.get_help(), color=context.color)
        context.exit()
