"""The model folder: its manifest, its files and their hashes. Nothing is loaded before it is verified."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zhuti.errors import ZhutiError
from zhuti.taxonomy import Taxonomy, TaxonomyError

MODELS = Path(__file__).resolve().parent.parent / "models"
DEFAULT = "zhuti-small"
MANIFEST = "manifest.json"
FORMAT = "zhuti-model"
VERSION = 1
_COMMON_FILES = {"taxonomy.yaml", "decision.json"}
FILES = {
    "encoder": _COMMON_FILES
    | {"encoder.xml", "encoder.onnx", "encoder.bin", "tokenizer.json", "head.safetensors", "lexical.safetensors", "context.safetensors"}
    | {"evidence.safetensors", "evidence.jsonl.gz"},
    "tfidf": _COMMON_FILES | {"baseline.skops"},
}


class ArtifactError(ZhutiError):
    """A model folder is missing, foreign or damaged; the message says which, and where."""


@dataclass(frozen=True)
class Artifact:
    """A verified model folder.

    :param path: the folder.
    :param manifest: parsed ``manifest.json``: kind, hashes of files and sources, seed, libraries, figures.
    :param taxonomy: the folder's own copy, which fixes the label order.
    """

    path: Path
    manifest: dict[str, Any]
    taxonomy: Taxonomy

    @property
    def name(self) -> str:
        return str(self.manifest["name"])

    @property
    def kind(self) -> str:
        return str(self.manifest["kind"])

    @property
    def revision(self) -> str:
        """Hash of the manifest, which holds the hashes of all files."""
        return file_hash(self.path / MANIFEST)[:12]

    @classmethod
    def load(cls, name_or_path: str | Path = DEFAULT) -> Artifact:
        """Find a model folder and verify every file of it.

        :param name_or_path: a folder, or the name of one in ``models/``.
        :raises ArtifactError: if there is none, or its files are not those of its manifest.
        """
        path = find(name_or_path)
        manifest = _read_manifest(path)
        for name, entry in manifest["files"].items():
            file = path / name
            if not file.is_file():
                raise ArtifactError(f"{path}: damaged model: {name} is missing")
            if file.stat().st_size != entry["bytes"] or file_hash(file) != entry["sha256"]:
                raise ArtifactError(f"{path}: damaged model: {name} is not the file its manifest describes (size or sha256 differs)")
        try:
            taxonomy = Taxonomy.load(path / "taxonomy.yaml")
        except TaxonomyError as error:
            raise ArtifactError(f"{path}: damaged model: {error}") from error
        return cls(path, manifest, taxonomy)


def find(name_or_path: str | Path) -> Path:
    """:return: the folder of a model given by path or by name. :raises ArtifactError: if there is none."""
    path = Path(name_or_path)
    if path.name == str(name_or_path) and (MODELS / path / MANIFEST).is_file():
        return MODELS / path  # a bare name is that of a model, whatever lies in the working directory
    if (path / MANIFEST).is_file():
        return path
    if path.is_dir():
        raise ArtifactError(f"{name_or_path}: not a zhuti model: there is no {MANIFEST} in this folder")
    known = sorted(path.parent.name for path in MODELS.glob(f"*/{MANIFEST}"))
    raise ArtifactError(f"unknown model {str(name_or_path)!r}: neither a model folder nor one of {', '.join(known) or 'none'} in {MODELS}")


def _read_manifest(path: Path) -> dict[str, Any]:
    place = path / MANIFEST
    try:
        manifest = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{place}: not a readable manifest: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ArtifactError(f"{place}: not a zhuti model: 'format' must be {FORMAT!r}")
    if manifest.get("version") != VERSION:
        raise ArtifactError(f"{place}: model version {manifest.get('version')!r}; this zhuti reads version {VERSION}")
    if manifest.get("kind") not in FILES:
        raise ArtifactError(f"{place}: model kind {manifest.get('kind')!r}; this zhuti runs {', '.join(FILES)}")
    if not isinstance(manifest.get("name"), str):
        raise ArtifactError(f"{place}: 'name' is missing")
    files = manifest.get("files")
    if not isinstance(files, dict) or not all(_is_entry(entry) for entry in files.values()):
        raise ArtifactError(f"{place}: 'files' must give the size and the sha256 of each file")
    for name in files:
        if Path(name).name != name:
            raise ArtifactError(f"{place}: the file name {name!r} leads out of the folder")
    missing = FILES[manifest["kind"]] - set(files)
    if missing:
        raise ArtifactError(f"{place}: 'files' does not list {', '.join(sorted(missing))}, which a model of kind {manifest['kind']!r} has")
    return manifest


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("sha256"), str) and isinstance(entry.get("bytes"), int)


def file_hash(path: Path) -> str:
    """:return: the sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(path: Path, fields: dict[str, Any]) -> None:
    """Write ``manifest.json`` over all the files that stand in a folder; the last step of making a model.

    :param fields: ``name``, ``kind`` and whatever else is to be recorded.
    """
    files = {
        file.name: {"sha256": file_hash(file), "bytes": file.stat().st_size}
        for file in sorted(path.iterdir())
        if file.is_file() and file.name not in (MANIFEST, "README.md")
    }
    manifest = {"format": FORMAT, "version": VERSION} | fields | {"files": files}
    (path / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
