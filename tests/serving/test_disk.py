"""What a journal or a user relies on is on the disk, its name too, before anything is said of it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from serving.batch import disk
from serving.batch.direct import write_whole
from serving.batch.job import Format, Options
from serving.batch.journal import Journal
from serving.batch.run import tag_batch
from tests.serving.batchfiles import sentences, write_jsonl


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What is done to files, in order: ``push NAME``, ``name NAME``, ``note``, ``remove``."""
    steps: list[str] = []
    fsync, replace, note, remove = os.fsync, Path.replace, Journal._append, Journal.remove

    def watched_fsync(number: int) -> None:
        fsync(number)
        done("push", Path(f"/proc/self/fd/{number}").readlink())

    def watched_replace(path: Path, target: Path) -> Path:
        done("name", target)
        return replace(path, target)

    def done(what: str, path: Path) -> None:
        if path.is_relative_to(tmp_path):  # not what the library keeps in the user's cache
            steps.append(f"{what} {path.relative_to(tmp_path)}")

    def watched_note(journal: Journal, line: dict[str, object]) -> None:
        steps.append("note " + next(word for word in ("inputs", "file", "complete", "joined") if word in line))
        note(journal, line)

    def watched_remove(journal: Journal) -> None:
        steps.append("remove")
        remove(journal)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "replace", watched_replace)
    monkeypatch.setattr(Journal, "_append", watched_note)
    monkeypatch.setattr(Journal, "remove", watched_remove)
    return steps


def run(folder: Path, output: str, format: Format) -> int:
    source = write_jsonl(folder / "rows.jsonl", [*sentences(3), {"text": ""}])
    options = Options(format, f"{folder}/{output}", format != "html", None, None, explain=0, resume=False, shard_rows=4)
    return tag_batch([str(source)], None, "zhuti-small", options)


def test_a_file_is_named_noted_and_its_shards_removed_only_when_what_comes_before_is_on_the_disk(tmp_path: Path, steps: list[str]) -> None:
    assert run(tmp_path, "tagged.jsonl", "jsonl") == 3
    parts, journal = "tagged.jsonl.parts", "push tagged.jsonl.parts/journal.jsonl"
    assert steps == [
        "push .", "note inputs", journal,
        f"push {parts}/part-0000000.jsonl.part", f"name {parts}/part-0000000.jsonl", f"push {parts}", "note file", journal,
        "note complete", journal,
        "push tagged.rejects.jsonl.part", "name tagged.rejects.jsonl", "push .",
        f"push {parts}/joined.part", "name tagged.jsonl", "push .", "note joined", journal,
        "remove",
    ]  # fmt: skip


def test_a_page_and_its_rejects_too(tmp_path: Path, steps: list[str]) -> None:
    assert run(tmp_path, "tagged.html", "html") == 3
    rejects = ["push tagged.rejects.jsonl.part", "name tagged.rejects.jsonl", "push ."]
    assert steps == [*rejects, "push tagged.html.part", "name tagged.html", "push ."]


def test_storage_that_cannot_push_folders_is_no_error_and_a_failing_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(number: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", failing)
    code = errno.EINVAL
    disk.flush_folder(tmp_path)
    code = errno.EIO
    with pytest.raises(OSError, match="Input/output error"):
        disk.flush_folder(tmp_path)
    with pytest.raises(OSError, match="Input/output error"):
        write_whole(tmp_path / "a.txt", lambda out: out.write("x"))
    assert list(tmp_path.iterdir()) == []
