"""The mark by which a folder that this project wrote is known, down to its files' content.

Only what carries the mark, with those files and no others, is ever replaced: what somebody else
put there, or changed, cannot be made again.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mindflood.errors import UserError
from mindflood.files import read_json, write_json

MARK = "mindflood.json"
_CHUNK = 2**20


def write_mark(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write ``folder/mindflood.json``: ``facts``, and ``files``, the SHA-256 of each file there."""
    files = {name: _sha256(folder / name) for name in sorted(_names(folder))}
    write_json(folder / MARK, {**facts, "files": files})


def check_replaceable(folder: Path) -> None:
    """Check that nothing would be lost with what is at ``folder``.

    Raises:
        UserError: it is something else than an empty folder or one that is as
            :func:`write_mark` left it.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not folder.is_dir() or folder.is_symlink():
        raise UserError(f"{folder}: there is something that is no folder; choose another name")
    if not (folder / MARK).is_file():
        raise UserError(
            f"{folder}: is not empty and has no {MARK}, the mark of an export; choose another "
            "folder, or remove this one yourself"
        )
    marked = read_json(folder / MARK)
    files = marked.get("files") if isinstance(marked, dict) else None
    if not isinstance(files, dict):
        raise UserError(f"{folder / MARK}: expected the key 'files'; choose another folder")
    there = _names(folder)
    for name in sorted(there):
        if name not in files:
            _keep(folder, name, "is not of the export")
        if _sha256(folder / name) != files[name]:
            _keep(folder, name, "was changed after the export")


def _keep(folder: Path, name: str, why: str) -> None:
    raise UserError(
        f"{folder / name}: {why} and would be lost; move it elsewhere or choose another folder"
    )


def _names(folder: Path) -> set[str]:
    """Everything below a folder but its mark, links and empty folders included."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.name != MARK or path.parent != folder
    }


def _sha256(path: Path) -> str | None:
    """Of a regular file's content; None for anything else."""
    if path.is_symlink() or not path.is_file():
        return None
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
