"""The encoder's graph, compiled for this CPU, kept in the user's cache: a command starts in half the time.

What is kept is named by the hash of all it depends on and ends with its own hash, so that a stale, torn or damaged
file is never run; where nothing can be kept, the graph is compiled each time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from zhuti.artifact import file_hash

DEVICE = "CPU"
_KEPT = 4  # of some 30 MB each; the ones used last
_DIGEST = hashlib.sha256().digest_size
_CONVERTER = "openvino.tools.ovc"


def import_openvino() -> Any:
    """OpenVINO without its model converter, which only training needs and which takes as long to load as all the rest.

    OpenVINO itself goes on where the converter cannot be imported; it is still there as ``openvino.tools.ovc``.
    """
    absent = _CONVERTER not in sys.modules
    if absent:
        sys.modules[_CONVERTER] = None  # type: ignore[assignment]
    try:
        import openvino
    finally:
        if absent:
            sys.modules.pop(_CONVERTER, None)  # another thread may have done so
    return openvino


def compile_graph(file: Path, settings: dict[str, Any], *, keep: bool) -> Any:
    """Compile a graph, or take it from the cache.

    :param file: its ``.xml``; its ``.bin`` stands beside it.
    :param settings: of OpenVINO.
    :param keep: whether to use the cache: for models that are used again and again.
    :return: the compiled model.
    :raises RuntimeError: if OpenVINO cannot run the graph.
    """
    openvino = import_openvino()
    core = openvino.Core()
    kept = _place(openvino, core, file, settings) if keep else None
    if kept is None:
        return core.compile_model(file, DEVICE, settings)
    with contextlib.suppress(OSError, RuntimeError):
        data = kept.read_bytes()
        if hashlib.sha256(memoryview(data)[:-_DIGEST]).digest() == data[-_DIGEST:]:
            graph = core.import_model(data[:-_DIGEST], DEVICE, settings)
            kept.touch()
            return graph
    graph = core.compile_model(file, DEVICE, settings)
    with contextlib.suppress(OSError, RuntimeError):
        _keep(kept, graph.export_model())
    return graph


def _place(openvino: Any, core: Any, file: Path, settings: dict[str, Any]) -> Path | None:
    """:return: where the compiled graph stands or will stand; None where there is no cache to write to."""
    cpu = [core.get_property(DEVICE, name) for name in ("FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES")]
    files = [file_hash(part) for part in (file, file.with_suffix(".bin"))]
    key = hashlib.sha256(json.dumps([openvino.get_version(), cpu, settings, files]).encode()).hexdigest()
    folder = user_cache_path("zhuti", appauthor=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder / f"encoder-{key[:32]}.blob" if folder.is_absolute() else None


def _keep(path: Path, exported: BytesIO) -> None:
    """Write under another name and rename, so that another process never reads half of it; then let go of old ones."""
    data = exported.getbuffer()
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        partial = Path(file.name)
        try:
            file.write(data)
            file.write(hashlib.sha256(data).digest())
            file.flush()
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    for old in sorted(path.parent.glob("encoder-*.blob"), key=lambda kept: kept.stat().st_mtime)[:-_KEPT]:
        old.unlink(missing_ok=True)
