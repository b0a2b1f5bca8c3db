"""The file that names what was not tagged."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from serving.batch.disk import flush, flush_folder, rename
from serving.batch.tables import Reject


def write_rejects(rejects: Iterable[Reject], path: Path) -> None:
    """Write the rejects of a whole run, or take those of an earlier run to the same output away."""
    partial = path.with_name(path.name + ".part")
    some = False
    try:
        with partial.open("w", encoding="utf-8", errors="backslashreplace") as out:
            for reject in rejects:
                out.write(json.dumps(asdict(reject), ensure_ascii=False) + "\n")
                some = True
            flush(out)
        if some:
            rename(partial, path)
        else:
            path.unlink(missing_ok=True)
            flush_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)
