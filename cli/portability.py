"""`face-archive identities export` and `import`: names that survive a move to another archive.

What is ported and how it is merged is `archive.portability`; here files are read and written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from archive.errors import ItemRejected, Permanent
from archive.ids import ContentKey, content_key
from archive.portability import (
    PictureRegions,
    PortedPeople,
    import_people,
    people_of,
    read_document,
    read_regions,
    regions_of,
    write_document,
    write_regions,
)
from cli.context import open_toolbox
from cli.deciding import DryRun, act_of
from cli.identity_rows import undo_command
from cli.output import emit, say

if TYPE_CHECKING:
    from resources.toolbox import Toolbox

_MOST_TOLD: Final = 20
_SIDECAR: Final = ".xmp"
_DIGEST: Final = re.compile("[0-9a-f]{64}")


def export_command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.json", help="Where to write; replaced if it is there.")
    ],
    *,
    xmp: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Also write each photo's faces as an XMP sidecar, named by the photo's SHA-256.",
        ),
    ] = None,
) -> None:
    """Write everybody with their names, faces and what you said of them into a file.

    Faces are named by the digest of their photo or video and their place in it, so that another
    archive of the same files finds them. It holds names: keep it as you keep the archive. The
    sidecars are those of digiKam, Lightroom and others (MWG regions).

    For example:

    - `face-archive identities export people.json`
    - `face-archive identities export people.json --xmp sidecars`
    """
    with open_toolbox() as toolbox:
        ported = toolbox.portability.ported()
        _write(file, "".join(write_document(ported)).encode())
        sidecars = 0 if xmp is None else _write_sidecars(toolbox, ported, xmp)
    row: dict[str, object] = {
        "people": len(ported.people),
        "named": sum(person.label is not None for person in ported.people),
        "faces": len(ported.faces),
        "contents": len(ported.content_keys),
        "links": len(ported.links),
        "sidecars": sidecars,
    }
    emit([row], title="Exported")


def import_command(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.json|DIR",
            help="A file of `identities export`, or a folder with XMP sidecars.",
        ),
    ],
    *,
    dry_run: DryRun = False,
) -> None:
    """Take over names, groups and corrections from another archive, as one decision.

    What you decided here stays; where the file says otherwise, that is told. Faces are those whose
    photo or video the archive has, byte for byte, and whose place agrees. Import again whenever
    more was read: nothing is done twice. A sidecar belongs to the picture beside it, or to the
    digest that is its name.

    For example:

    - `face-archive identities import people.json --dry-run`
    - `face-archive identities import sidecars`
    """
    ported = _read(source)
    with open_toolbox() as toolbox:
        imported = import_people(
            toolbox.portability,
            toolbox.corrections,
            ported,
            toolbox.engine_spec.model_name,
            act_of(f"import {source.name}"),
            dry_run=dry_run,
        )
    row = asdict(imported)
    emit(
        [{**row, "missing": len(imported.missing), "differences": len(imported.differences)}],
        title="Would be imported" if dry_run else "Imported",
        hide=("decision_id",),
    )
    _say_some("Nobody here is like", imported.missing)
    _say_some("Left as it is here:", imported.differences)
    if imported.decision_id is not None:
        say(f"To take it back: {undo_command(imported.decision_id)}")
    elif not dry_run:
        say("Nothing changes: it is so already.")


def register(app: typer.Typer) -> None:
    """Add the commands to the group of people."""
    app.command("export")(export_command)
    app.command("import")(import_command)


def _write(path: Path, content: bytes) -> None:
    """Replace a file as a whole: one that is cut short would be read as broken.

    Raises:
        Permanent: It cannot be written.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as exc:
        raise Permanent(f"{path} cannot be written: {exc.strerror}") from exc


def _write_sidecars(toolbox: Toolbox, ported: PortedPeople, folder: Path) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise Permanent(f"{folder} is no folder: {exc.strerror}") from exc
    written = 0
    sizes = toolbox.portability.photo_sizes(ported.content_keys)
    for key, picture in regions_of(ported, sizes):
        name = key.removeprefix("sha256:") + _SIDECAR
        _write(folder / name, write_regions(picture))
        written += 1
    return written


def _read(source: Path) -> PortedPeople:
    """Read what is imported.

    Raises:
        Permanent: It cannot be read, or is something else.
    """
    if source.is_dir():
        return people_of(dict(_sidecars(source)))
    try:
        return read_document(source.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as exc:
        raise Permanent(f"{source} cannot be read: {exc}") from exc


def _sidecars(folder: Path) -> Iterator[tuple[ContentKey, PictureRegions]]:
    """Read the sidecars of a folder and those below, and find whose they are."""
    for path in sorted(folder.rglob(f"*{_SIDECAR}")):
        key = _content_of(path)
        try:
            regions = read_regions(path.read_bytes())
        except ItemRejected as exc:
            say(f"{path.name} is left out: {exc}")
            continue
        if key is None:
            say(f"{path.name} is left out: no picture lies beside it, and its name is no digest")
        elif regions is not None:
            yield key, regions


def _content_of(sidecar: Path) -> ContentKey | None:
    """Name the content of a sidecar: by its own name, or by the picture that lies beside it.

    `photo.jpg.xmp` is how digiKam and darktable name it, `photo.xmp` how Lightroom does.
    """
    if _DIGEST.fullmatch(sidecar.stem):
        return ContentKey(f"sha256:{sidecar.stem}")
    beside = [sidecar.with_suffix(""), *sorted(sidecar.parent.glob(f"{_literal(sidecar.stem)}.*"))]
    for picture in beside:
        if picture != sidecar and picture.suffix != _SIDECAR and picture.is_file():
            with suppress(OSError):
                return content_key(sha256(picture.read_bytes()).digest())
    return None


def _literal(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)


def _say_some(what: str, texts: tuple[str, ...]) -> None:
    for text in texts[:_MOST_TOLD]:
        say(f"{what} {text}")
    if len(texts) > _MOST_TOLD:
        say(f"{what} {len(texts) - _MOST_TOLD} more")
