from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT, SHIPPED
from zhuti.artifact import Artifact, ArtifactError, find, write_manifest
from zhuti.tagger import Tagger


def test_the_shipped_model_is_small_and_whole() -> None:
    artifact = Artifact.load()
    assert (artifact.name, artifact.kind) == ("zhuti-small", "encoder")
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) <= 45_000_000
    assert set(artifact.manifest["files"]) == {file.name for file in SHIPPED.iterdir()} - {"manifest.json", "README.md"}
    assert not [file for file in SHIPPED.iterdir() if file.suffix in (".pkl", ".pt", ".pickle", ".joblib")]


def test_the_shipped_model_was_trained_on_these_labels() -> None:
    from zhuti.artifact import file_hash

    assert {name: file_hash(ROOT / name) for name in Artifact.load().manifest["sources"]} == Artifact.load().manifest["sources"]


def test_the_model_card_carries_the_manifest_s_figures() -> None:
    card = (SHIPPED / "README.md").read_text(encoding="utf-8")
    for value in Artifact.load().manifest["figures"].values():
        assert f"{value:.3f}" in card


def test_every_file_is_verified(model_copy: Path) -> None:
    for name in Artifact.load(model_copy).manifest["files"]:
        file = model_copy / name
        data = file.read_bytes()
        file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(ArtifactError, match=f"damaged model: {name}"):
            Tagger.load(model_copy)
        file.unlink()
        with pytest.raises(ArtifactError, match=f"damaged model: {name} is missing"):
            Tagger.load(model_copy)
        file.write_bytes(data)
    Artifact.load(model_copy)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "not a zhuti model: 'format'"),
        ({"version": 99}, "model version 99; this zhuti reads version 1"),
        ({"kind": "llm"}, "model kind 'llm'"),
        ({"files": []}, "'files' must give the size"),
        ({"files": {"taxonomy.yaml": {}}}, "'files' must give the size"),
        ({"files": {"../taxonomy.yaml": {"sha256": "", "bytes": 0}}}, "leads out of the folder"),
        ({"files": {"taxonomy.yaml": {"sha256": "", "bytes": 0}}}, "does not list .*encoder.xml"),
        ({"name": None}, "'name' is missing"),
    ],
)
def test_foreign_manifests_are_refused(model_copy: Path, change: dict[str, object], message: str) -> None:
    manifest = json.loads((model_copy / "manifest.json").read_text(encoding="utf-8"))
    (model_copy / "manifest.json").write_text(json.dumps(manifest | change), encoding="utf-8")
    with pytest.raises(ArtifactError, match=message):
        Artifact.load(model_copy)


@pytest.mark.parametrize(
    ("names", "content"),
    [(("decision.json",), b"{}"), (("head.safetensors",), b"no tensors"), (("encoder.onnx", "encoder.xml"), b"<net/>")],
)
def test_files_that_fit_their_hashes_but_not_the_format_are_refused(names: tuple[str, ...], content: bytes, model_copy: Path) -> None:
    manifest = json.loads((model_copy / "manifest.json").read_text(encoding="utf-8"))
    for name in names:  # of the two graphs this CPU runs one
        (model_copy / name).write_bytes(content)
    write_manifest(model_copy, {key: value for key, value in manifest.items() if key != "files"})
    with pytest.raises(ArtifactError, match="cannot be run here"):
        Tagger.load(model_copy)


def test_a_folder_in_the_working_directory_does_not_take_a_model_s_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "zhuti-small").mkdir()
    (tmp_path / "zhuti-small" / "manifest.json").write_text("{}", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert find("zhuti-small") == SHIPPED


def test_what_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"not a zhuti model: there is no manifest\.json"):
        find(tmp_path)
    with pytest.raises(ArtifactError, match=r"unknown model 'zhuti-huge': neither a model folder nor one of .*zhuti-small"):
        find("zhuti-huge")
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(ArtifactError, match="not a readable manifest"):
        Artifact.load(tmp_path)


def test_a_baseline_with_foreign_types_is_refused(tmp_path: Path) -> None:
    import skops.io

    from training.baseline import fit_baseline, save_baseline
    from zhuti.model import BASELINE_FILE, BaselineModel

    class Foreign:
        pass

    import numpy as np

    pipeline = fit_baseline(["培训干部", "培训人才", "引进人才", "引进干部"], np.eye(2, dtype=np.float32)[[0, 0, 1, 1]])
    save_baseline(pipeline, tmp_path)
    assert BaselineModel(tmp_path).logits(["培训"], np.zeros((1, 6), np.int64))[0].shape == (1, 2)
    assert b"pickle" not in zipfile.ZipFile(tmp_path / BASELINE_FILE).read("schema.json")
    skops.io.dump({"a": Foreign()}, tmp_path / BASELINE_FILE)
    with pytest.raises(ArtifactError, match=r"types that are not allowed: .*Foreign"):
        BaselineModel(tmp_path)
