"""``vmaf-tune sidecar export`` and ``import``: share what was learned, anonymised and signed, when the user says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vmaftune.cli.options import host_options
from vmaftune.cli.sidecar.chosen import Chosen, nothing_learned, one_chosen, sidecar_session
from vmaftune.cli.sidecar.options import consent, one_plugin_option, yes_option
from vmaftune.cli.sidecar.tables import counted
from vmaftune.errors import UserError, VmafTuneError, file_error
from vmaftune.learned.allowed import Census
from vmaftune.learned.bundle import Bundle, Learned, check_contents, opened, signed
from vmaftune.learned.key import SigningKey, fingerprint, require_cryptography
from vmaftune.state import atomic
from vmaftune.state.folders import share_key_file

_FILE = click.Path(path_type=Path)


@click.command("export")
@click.argument("file", type=_FILE)
@yes_option
@one_plugin_option
@host_options
def export(file: Path, yes: bool, **options: Any) -> int:
    """Write what was learned to FILE, for another host to import. Nothing is uploaded.

    The file holds numbers, encoders, presets and predictor versions; no name, path or hash of a source, nothing of this
    host, and days in place of times. It is signed with a key that is made for this on this host.

    \b
    vmaf-tune sidecar export learned.bundle
    """
    require_cryptography()
    if file.is_dir():
        raise UserError(f"{file} is a folder; name a file")
    session = sidecar_session(options)
    chosen = one_chosen(session, options["plugins"])
    contents = [
        Learned(
            predictor_version=state.predictor_version,
            encoder=state.encoder,
            captures=state.captures,
            sources=state.sources,
            content=chosen.inspection.exported(state.predictor_version, state.encoder),
        )
        for state in chosen.inspection.states()
        if state.captures
    ]
    if not contents:
        raise UserError(nothing_learned([chosen.name]))
    try:
        fields = check_contents(contents, session.manager.encoders)
    except ValueError as error:
        raise VmafTuneError(
            f"{chosen.name} exports what may not leave this host: {error}; nothing was written"
        ) from error
    click.echo(f"{file} will hold what {chosen.name} has learned, and nothing else; nothing is uploaded:")
    _describe(contents, fields)
    question = f"{'Replace' if file.exists() else 'Write'} {file}?"
    if not consent(question, yes, "nothing was written"):
        return 1
    key = SigningKey(share_key_file())
    try:
        content = signed(chosen.name, contents, key)
        atomic.write(file, content)
    except OSError as error:
        raise file_error(f"cannot write {error.filename or file}", error) from error
    public_key = key.public(make=True)
    assert public_key is not None
    click.echo(f"{file}: {len(content) / 1000:.1f} kB, signed by this host's key {fingerprint(public_key)}")
    return 0


@click.command("import")
@click.argument("file", type=_FILE)
@yes_option
@one_plugin_option
@host_options
def import_(file: Path, yes: bool, **options: Any) -> int:
    """Add what another host exported to FILE. Each capture is added once, whatever bundles it comes in and however often.

    Captures of predictor versions that are not in use here are kept for when they are (vmaf-tune sidecar status).

    \b
    vmaf-tune sidecar import learned.bundle
    """
    require_cryptography()
    bundle, public_key = opened(file)
    session = sidecar_session(options)
    chosen = one_chosen(session, options["plugins"] or (bundle.plugin,))
    if chosen.name != bundle.plugin:
        raise UserError(f"{file} holds what {bundle.plugin!r:.60} has learned, which is not for {chosen.name}")
    try:
        fields = check_contents(bundle.contents, session.manager.encoders)
    except ValueError as error:
        raise UserError(f"{file} cannot be taken in: {error}") from error
    own = SigningKey(share_key_file()).public(make=False) == public_key
    click.echo(
        f"{file} is signed by {'this host' if own else 'the key'} {fingerprint(public_key)}, and holds for {chosen.name}:"
    )
    _describe(bundle.contents, fields)
    if not consent("Add this to what was learned here?", yes, "nothing was added"):
        return 1
    _take_in(chosen, bundle)
    return 0


def _describe(contents: list[Learned], fields: Census) -> None:
    for learned in contents:
        captures, sources = counted(learned.captures, "capture"), counted(learned.sources, "source")
        click.echo(f"  {learned.encoder} with {learned.predictor_version}: {captures} of {sources}")
    each = (f"{name} {count} {kind}" for (name, kind), count in sorted(fields.items()))
    click.echo(f"  fields: {', '.join(each)}")


def _take_in(chosen: Chosen, bundle: Bundle) -> None:
    for learned in bundle.contents:
        where = (learned.predictor_version, learned.encoder)
        what = f"{learned.encoder} with {learned.predictor_version}"
        taken = chosen.inspection.take_in(*where, learned.content, bundle.identity)
        added = f"{counted(taken, 'capture')} added" if taken else "nothing added: all of it is known here"
        click.echo(f"{what}: {added}")
