"""Where a batch writes, and what of it a second run finds: links, devices, its own output among the inputs, a folder that got nothing."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from serving.batch.journal import Journal, JournalError
from tests.conftest import EXAMPLE
from tests.serving.batchfiles import read_csv, read_jsonl, tag, write_csv, write_jsonl
from tests.serving.test_profile import profile

SENTENCE = ("--unit", "sentence")


def test_a_line_end_in_a_cell_stays_in_its_cell(tmp_path: Path) -> None:
    rows = [{"text": f"引进人才。{end}", "x": f"甲{end}乙"} for end in ("\r", "\n", "\r\n", "")]
    source = write_jsonl(tmp_path / "rows.jsonl", rows)
    assert tag(source, *SENTENCE, "-o", tmp_path / "out.csv").returncode == 0
    assert [{name: row[name] for name in ("text", "x")} for row in read_csv(tmp_path / "out.csv")] == rows
    assert (tmp_path / "out.csv").read_bytes().endswith(b"\n")
    assert not (tmp_path / "out.csv").read_bytes().endswith(b"\r\n")


def test_an_input_is_not_replaced_by_what_is_made_of_it(tmp_path: Path) -> None:
    report = tmp_path / "a.txt"
    report.write_text("引进人才。", encoding="utf-8")
    (tmp_path / "link.txt").symlink_to(report)
    for run in (tag(report, "-o", tmp_path / "link.txt"), tag(tmp_path / "link.txt", "-f", "jsonl", "-o", report)):
        assert run.returncode == 2
        assert "would be replaced by --output" in run.stderr.decode()
    assert profile(str(report), "-o", str(report)).returncode == 2
    assert report.read_text(encoding="utf-8") == "引进人才。"


def test_rejects_of_the_run_itself_are_no_input(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "rows.jsonl", [{"text": "引进人才。"}, {"text": 7}])
    arguments = (source, *SENTENCE, "-o", tmp_path / "tagged.jsonl")
    assert tag(*arguments).returncode == 3
    run = tag(tmp_path / "tagged.rejects.jsonl", *arguments)
    assert run.returncode == 3
    assert f"{tmp_path}/tagged.rejects.jsonl: is of this run's own output, left out" in run.stderr.decode()
    assert [row["text"] for row in read_jsonl(tmp_path / "tagged.jsonl")] == ["引进人才。"]


def test_a_run_without_other_inputs_than_its_own_output_leaves_that_alone(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "rows.jsonl", [{"text": "引进人才。"}, {"text": 7}])
    tagged, rejects = tmp_path / "tagged.jsonl", tmp_path / "tagged.rejects.jsonl"
    assert tag(source, *SENTENCE, "-o", tagged).returncode == 3
    before = tagged.read_bytes(), rejects.read_bytes()
    run = tag(rejects, *SENTENCE, "-o", tagged)
    assert (run.returncode, run.stderr.decode()) == (
        1,
        f"zhuti: nothing to tag: {rejects}: is of this run's own output, left out\n",
    )
    assert (tagged.read_bytes(), rejects.read_bytes()) == before


def test_an_input_that_is_not_there_is_told_though_the_output_has_its_name(tmp_path: Path) -> None:
    run = tag(tmp_path / "rows.jsonl", "-o", tmp_path / "rows.jsonl")
    assert run.returncode == 1
    assert f"{tmp_path}/rows.jsonl: no such file" in run.stderr.decode()
    assert not (tmp_path / "rows.jsonl").exists()


@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
def test_standard_output_by_name_is_not_emptied_where_it_is_a_file(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("引进人才。", encoding="utf-8")
    everything = tmp_path / "all.jsonl"
    everything.write_text("before\n", encoding="utf-8")
    for arguments in (["tag", "a.txt", "-f", "jsonl", "-o", name], ["profile", "a.txt", "-f", "csv", "-o", name]):
        with everything.open("a", encoding="utf-8") as out:
            subprocess.run([sys.executable, "-m", "zhuti.cli", *arguments], stdout=out, cwd=tmp_path, check=True)
    lines = everything.read_text(encoding="utf-8").splitlines()
    assert (lines[0], json.loads(lines[1])["text"]) == ("before", "引进人才。")
    assert [line.split(",")[:2] for line in lines[2:]] == [["report", "sentences"], ["a", "1"]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "all.jsonl"]


@pytest.mark.parametrize("content", [b"my own log, one line", b"[1]\n", b'{"mine": 1}\n{"zhuti": 1}\n'])
def test_a_journal_of_something_else_stays_as_it_is(content: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "journal.jsonl").write_bytes(content)
    for resume in ([], ["--resume"]):
        run = tag(EXAMPLE, "-f", "jsonl", "-o", f"{folder}/", *resume)
        assert (run.returncode, run.stderr.decode()) == (
            2,
            f"zhuti: {folder}/journal.jsonl: is not a journal of zhuti; name another folder\n",
        )
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"journal.jsonl": content}


def test_a_table_on_standard_input_is_not_gone_on_with_as_a_text(tmp_path: Path) -> None:
    arguments = ("-", "-f", "jsonl", "-o", f"{tmp_path}/out/", "--resume")
    table = "text\n引进人才。\n".encode()
    assert tag(*arguments, "--text-column", "text", stdin=table).returncode == 0
    assert tag(*arguments, "--text-column", "text", stdin=table).returncode == 0
    run = tag(*arguments, stdin=table)
    assert run.returncode == 2
    assert "the input - has changed since this run was begun" in run.stderr.decode()


def test_the_file_behind_a_link_is_replaced_and_not_the_link(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("引进人才。", encoding="utf-8")
    for ending in ("jsonl", "html"):
        made = tmp_path / f"2026.{ending}"
        made.write_text("old", encoding="utf-8")
        link = tmp_path / f"latest.{ending}"
        link.symlink_to(made)
        assert tag(tmp_path / "a.txt", "-o", link).returncode == 0
        assert link.is_symlink()
        assert "引进人才。" in made.read_text(encoding="utf-8")
    (tmp_path / "shares.csv").write_text("old", encoding="utf-8")
    (tmp_path / "latest.csv").symlink_to(tmp_path / "shares.csv")
    assert profile(str(tmp_path / "a.txt"), "-o", str(tmp_path / "latest.csv")).returncode == 0
    assert (tmp_path / "latest.csv").is_symlink()
    assert (tmp_path / "shares.csv").read_text(encoding="utf-8").startswith("report,sentences,")


def test_a_profile_goes_to_a_device_and_not_in_its_place() -> None:
    device = Path("/dev/fd/1")
    before = device.lstat().st_ino
    run = profile(str(EXAMPLE), "-f", "csv", "-o", str(device))
    assert (run.returncode, device.lstat().st_ino) == (0, before)
    assert [row["report"] for row in csv.DictReader(io.StringIO(run.stdout))] == ["lanshan-2024"]


def test_a_profile_is_no_folder(tmp_path: Path) -> None:
    run = profile(str(EXAMPLE), "-o", str(tmp_path))
    assert (run.returncode, run.stderr) == (2, f"zhuti: --output {tmp_path}: is a folder; name a file\n")


@pytest.mark.parametrize("name", ["x.xlsx", "x.png", "x.html"])
def test_an_ending_that_a_profile_is_not_written_in_is_told(name: str, tmp_path: Path) -> None:
    run = profile(str(EXAMPLE), "-o", str(tmp_path / name))
    assert (run.returncode, list(tmp_path.iterdir())) == (2, [])
    assert "is not written; name it .csv, .svg or .txt, or add --format" in run.stderr


@pytest.mark.parametrize(("name", "near"), [("x.json", "jsonl"), ("x.htm", "html"), ("x.tsv", "csv")])
def test_an_ending_that_is_not_written_is_told(name: str, near: str, tmp_path: Path) -> None:
    run = tag(EXAMPLE, "-o", tmp_path / name)
    assert run.returncode == 2
    assert f"is not written; name it .{near}, or add --format" in run.stderr.decode()
    assert tag(EXAMPLE, "-f", "jsonl", "-o", tmp_path / name).returncode == 0
    assert len(read_jsonl(tmp_path / name)) > 50


def test_a_folder_that_got_nothing_is_free_for_the_next_run(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("引进人才。", encoding="utf-8")
    folder = tmp_path / "tagged"
    assert tag(tmp_path / "archvie", "-f", "jsonl", "-o", f"{folder}/").returncode == 1
    assert [path.name for path in folder.iterdir()] == ["rejects.jsonl"]
    assert tag(tmp_path / "a.txt", "-f", "jsonl", "-o", f"{folder}/").returncode == 0
    assert sorted(path.name for path in folder.iterdir()) == ["journal.jsonl", "part-0000000.jsonl"]


def test_a_disk_that_takes_no_journal_is_told_as_that(tmp_path: Path) -> None:
    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    run = tag(EXAMPLE, "-o", tmp_path / "out.jsonl", limit=full)
    assert run.returncode == 1
    assert f"{tmp_path}/out.jsonl.parts: cannot be written: File too large; nothing was tagged yet" in run.stderr.decode()
    assert tag(EXAMPLE, "-o", tmp_path / "out.jsonl").returncode == 0


def test_storage_without_locks_is_not_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(OSError, match="No locks available") as raised:
        Journal(tmp_path / "parts", {}, resume=False)
    assert not isinstance(raised.value, JournalError)


def test_a_page_names_reports_by_the_column_that_is_given(tmp_path: Path) -> None:
    rows = [{"标题": "甲县年报", "text": "引进人才。"}, {"标题": "乙县年报", "text": "慰问老干部。"}]
    source = write_csv(tmp_path / "rows.csv", rows)
    assert tag(source, "--document-column", "标题", "-o", tmp_path / "x.html").returncode == 0
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert re.findall(r'class="name"><a href="#d\d">([^<]+)</a>', page) == ["甲县年报", "乙县年报"]


def test_linked_folders_are_read_and_a_circle_ends(tmp_path: Path) -> None:
    archive, elsewhere = tmp_path / "archive", tmp_path / "elsewhere"
    for folder in (archive, elsewhere):
        folder.mkdir()
        (folder / "a.txt").write_text(f"引进人才到{folder.name}。", encoding="utf-8")
    (archive / "2018").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(archive)
    run = tag(archive, "-f", "jsonl")
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    assert sorted(row["text"] for row in rows) == ["引进人才到archive。", "引进人才到elsewhere。"]


def test_a_glob_that_names_folders_reads_what_is_in_them(tmp_path: Path) -> None:
    for name in ("2018/甲.txt", "2019/b/乙.txt", "丙.txt"):
        (tmp_path / "r" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "r" / name).write_text(f"引进人才{name[-5]}。", encoding="utf-8")
    run = tag(f"{tmp_path}/r/*", "-f", "jsonl")
    assert [Path(json.loads(line)["document"]).name for line in run.stdout.splitlines()] == ["甲.txt", "乙.txt", "丙.txt"]
    run = tag(f"{tmp_path}/r/20*", "-f", "jsonl")
    assert [Path(json.loads(line)["document"]).name for line in run.stdout.splitlines()] == ["甲.txt", "乙.txt"]


def test_files_of_other_endings_are_read_as_what_they_start_like(tmp_path: Path) -> None:
    (tmp_path / "page.shtml").write_text("<!DOCTYPE html><html><script>var x</script><p>引进人才。</p></html>", encoding="utf-8")
    (tmp_path / "old.doc").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0")
    (tmp_path / "rows.json").write_text('[{"text": "引进人才。"}]', encoding="utf-8")
    run = tag(*(tmp_path / name for name in ("page.shtml", "old.doc", "rows.json")), "-f", "jsonl")
    assert run.returncode == 3
    assert [json.loads(line)["text"] for line in run.stdout.splitlines()] == ["引进人才。"]
    assert f"{tmp_path}/old.doc: is an old .doc or an encrypted file; save it as .docx" in run.stderr.decode()
    assert f"{tmp_path}/rows.json: tables are read from .jsonl, .csv or .parquet files, found '.json'" in run.stderr.decode()
