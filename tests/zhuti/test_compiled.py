"""The compiled graph in the user's cache gives the same vectors as a fresh one, and is never run when it is not whole."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import SHIPPED
from zhuti import compiled
from zhuti.by_openvino import OpenVinoRuntime

SEQUENCES = [[0, 9, 120, 77, 2], [0, 31, 2000, 4, 5, 6, 2]]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "zhuti"


def vectors(*, keep: bool = True) -> np.ndarray:
    return OpenVinoRuntime(SHIPPED, keep=keep, threads=None).vectors(SEQUENCES)


def test_a_kept_graph_gives_the_same_vectors_to_the_last_bit(cache: Path) -> None:
    fresh = vectors(keep=False)
    assert not cache.exists()
    first = vectors()
    [kept] = cache.iterdir()
    written = kept.stat()
    os.utime(kept, (0, 0))
    second = vectors()
    assert np.array_equal(fresh, first)
    assert np.array_equal(fresh, second)
    assert [path.name for path in cache.iterdir()] == [kept.name]
    assert kept.stat().st_ino == written.st_ino  # taken, not made anew
    assert kept.stat().st_mtime > 0  # and marked as used


def test_a_torn_or_damaged_one_is_made_anew(cache: Path) -> None:
    expected = vectors()
    [kept] = cache.iterdir()
    whole = kept.read_bytes()
    for damaged in (whole[:1_000_000], whole[: len(whole) // 2] + b"\x01" + whole[len(whole) // 2 + 1 :], b""):
        kept.write_bytes(damaged)
        assert np.array_equal(vectors(), expected)
        renewed = kept.read_bytes()
        assert hashlib.sha256(renewed[:-32]).digest() == renewed[-32:]


def test_old_ones_are_let_go(cache: Path) -> None:
    cache.mkdir()
    old = [cache / f"encoder-{age:032d}.blob" for age in range(6)]
    for age, path in enumerate(old):
        path.write_bytes(b"")
        os.utime(path, (1000 - age, 1000 - age))
    (cache / "other").write_bytes(b"")
    vectors()
    assert {path for path in old if path.exists()} == set(old[:3])
    assert len(list(cache.iterdir())) == 5


@pytest.mark.parametrize("place", ["/dev/null/cache", "/proc/cache"])
def test_without_a_place_to_write_it_works_all_the_same(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", place)
    assert vectors().shape == (2, 384)


def test_a_full_disk_keeps_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.mkdir()
    monkeypatch.setattr(compiled.Path, "replace", _full)
    assert vectors().shape == (2, 384)
    assert list(cache.iterdir()) == []


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")
