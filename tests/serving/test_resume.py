"""Nothing is lost or repeated: kill -9, Ctrl-C, a full disk and changed inputs, all on real processes."""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from importlib.metadata import version
from itertools import count
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import EXAMPLE, ROOT
from tests.serving.batchfiles import (
    COMMAND,
    PATIENCE,
    noted,
    read_any,
    read_jsonl,
    sentences,
    start,
    tag,
    wait_until,
    write_csv,
    write_jsonl,
)

SHORT = [row for row in sentences(600) if len(row["text"]) <= 16]
ROWS = [SHORT[nr * nr % len(SHORT)] | {"nr": nr, "document": f"report-{nr // 700}"} for nr in range(4000)]  # repeated ones are quick


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4,000 sentences in documents that span shards, some rows of which cannot be tagged."""
    rows = [row | {"text": " "} if place % 501 == 500 else row for place, row in enumerate(ROWS)]
    return write_csv(tmp_path_factory.mktemp("source") / "rows.csv", rows)


def options(source: Path, output: Path | str) -> list[str]:
    return [str(source), "--unit", "sentence", "-f", "jsonl", "-o", str(output), "--shard-rows", "300"]


@pytest.fixture(scope="module")
def undisturbed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    assert tag(*options(source, folder / "tagged.jsonl")).returncode == 3
    assert tag(*options(source, f"{folder}/shards/")).returncode == 3
    return folder


def stop_after_shards(process: subprocess.Popen[bytes], folder: Path, shards: int, number: int) -> tuple[int, str]:
    """Send a signal once some shards are noted. :return: exit code and standard error."""
    with held(process, folder, shards):
        process.send_signal(number)
    _, errors = process.communicate(timeout=PATIENCE)
    return process.returncode, errors.decode()


@contextlib.contextmanager
def held(process: subprocess.Popen[bytes], folder: Path, shards: int) -> Iterator[None]:
    """Hold a run once some shards are noted, so that it is not over before something is done to it."""
    journal = folder / "journal.jsonl"
    wait_until(process, lambda: noted(journal) > shards)
    process.send_signal(signal.SIGSTOP)
    assert process.poll() is None, "the run was over before it was held; it needs more rows"
    assert b'"complete"' not in journal.read_bytes(), "all shards were done before the run was held; it needs more rows"
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def run_with_kills(arguments: list[str], journal: Path, chance: random.Random, most: int) -> int:
    """Start a run again and again, killing it each time, until it finishes by itself. :return: how often it was killed.

    One in five dies at once or while it loads, the others some shards later, at any point of what a shard goes through.
    """
    for kills in range(most):
        goal = noted(journal) + chance.randint(1, 3) * (chance.random() > 0.2)
        process = start(*arguments, "--resume")
        until = time.monotonic() + PATIENCE
        while process.poll() is None and noted(journal) < goal:
            assert time.monotonic() < until
            time.sleep(0.01)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0, 0.3))
        finished = process.poll() is not None
        process.kill()
        process.communicate()
        if finished:
            assert process.returncode == 3
            return kills
    assert tag(*arguments, "--resume").returncode == 3
    return most


@pytest.mark.parametrize("output", ["tagged.jsonl", "shards/"])
def test_kill_at_ten_random_points_changes_nothing_in_the_output(output: str, source: Path, undisturbed: Path, tmp_path: Path) -> None:
    chance = random.Random(output)
    kills = 0
    for attempt in count():
        if kills == 10:
            break
        folder = tmp_path / str(attempt)
        folder.mkdir()
        journal = folder / ("shards" if output.endswith("/") else f"{output}.parts") / "journal.jsonl"
        kills += run_with_kills(options(source, f"{folder}/{output}"), journal, chance, 10 - kills)
        if output.endswith("/"):
            assert contents(folder / "shards") == contents(undisturbed / "shards")
        else:
            assert contents(folder) == contents(undisturbed)
            assert [path for path in folder.iterdir() if path.is_dir()] == []


def test_an_undisturbed_run_holds_every_row_once(undisturbed: Path) -> None:
    numbers = [str(row["nr"]) for place, row in enumerate(ROWS) if place % 501 != 500]
    shards = sorted((undisturbed / "shards").glob("part-*.jsonl"))
    assert len(shards) == -(-len(ROWS) // 300)
    assert [row["nr"] for row in read_jsonl(undisturbed / "tagged.jsonl")] == numbers
    assert [row["nr"] for shard in shards for row in read_jsonl(shard)] == numbers
    assert [reject["row"] for reject in read_jsonl(undisturbed / "tagged.rejects.jsonl")] == [502 + 501 * nr for nr in range(7)]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_csv_and_parquet_go_on_too(ending: str, source: Path, tmp_path: Path) -> None:
    arguments = [str(source), "--unit", "sentence", "--shard-rows", "300", "-o"]
    assert tag(*arguments, tmp_path / f"whole.{ending}").returncode == 3
    cut = tmp_path / f"cut.{ending}"
    code, _ = stop_after_shards(start(*arguments, str(cut)), tmp_path / f"cut.{ending}.parts", 2, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert not cut.exists()
    assert tag(*arguments, cut, "--resume").returncode == 3
    assert read_any(cut) == read_any(tmp_path / f"whole.{ending}")
    if ending == "parquet":
        assert pq.read_metadata(cut).num_rows == len(ROWS) - 7


def test_a_finished_folder_stays_as_it_is(undisturbed: Path, source: Path) -> None:
    before = contents(undisturbed / "shards")
    again = tag(*options(source, f"{undisturbed}/shards/"), "--resume")
    assert again.returncode == 3
    assert contents(undisturbed / "shards") == before
    refused = tag(*options(source, f"{undisturbed}/shards/"))
    assert refused.returncode == 2
    assert "holds a run that was begun before; --resume goes on with it" in refused.stderr.decode()


def test_ctrl_c_says_what_is_safe_and_how_to_go_on(source: Path, undisturbed: Path, tmp_path: Path) -> None:
    arguments = options(source, tmp_path / "tagged.jsonl")
    code, errors = stop_after_shards(start(*arguments), tmp_path / "tagged.jsonl.parts", 3, signal.SIGINT)
    assert code == 130
    assert "Traceback" not in errors
    last = errors.splitlines()[-1]
    assert last.startswith("zhuti: interrupted; ")
    assert last.endswith(f" tagged rows are safe in {tmp_path}/tagged.jsonl.parts; the same command with --resume goes on from there")
    assert [path.name for path in tmp_path.iterdir()] == ["tagged.jsonl.parts"]
    assert tag(*arguments).returncode == 2
    assert tag(*arguments, "--resume").returncode == 3
    assert contents(tmp_path) == contents(undisturbed)


def test_a_full_disk_leaves_what_can_be_gone_on_with(source: Path, undisturbed: Path, tmp_path: Path) -> None:
    arguments = options(source, tmp_path / "tagged.jsonl")
    bytes_of_a_shard = (undisturbed / "shards" / "part-0000000.jsonl").stat().st_size

    def full() -> None:  # no file may grow beyond this: shards fit, the joined file does not
        resource.setrlimit(resource.RLIMIT_FSIZE, (3 * bytes_of_a_shard, 3 * bytes_of_a_shard))

    run = tag(*arguments, limit=full)
    assert run.returncode == 1
    assert "Traceback" not in run.stderr.decode()
    assert f"zhuti: {tmp_path}/tagged.jsonl.parts: cannot be written: File too large; 3,993 tagged rows are safe in" in run.stderr.decode()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["tagged.rejects.jsonl"]

    def fuller() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_of_a_shard // 2, bytes_of_a_shard // 2))

    early = tag(*options(source, tmp_path / "early.jsonl"), limit=fuller)
    assert early.returncode == 1
    assert "File too large; nothing was finished yet; run the same command again" in early.stderr.decode()
    assert not (tmp_path / "early.jsonl.parts").exists()
    assert tag(*arguments, "--resume").returncode == 3
    assert contents(tmp_path) == contents(undisturbed)


@pytest.mark.parametrize("arguments", [("-f", "jsonl"), ("-f", "csv"), ()])
def test_output_that_takes_nothing_is_told(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        run = subprocess.run([*COMMAND, str(EXAMPLE), *arguments], stdout=full, stderr=subprocess.PIPE, cwd=ROOT, check=False)
    assert (run.returncode, run.stderr.decode()) == (1, "zhuti: standard output: cannot be written: No space left on device\n")
    device = tag(EXAMPLE, *arguments, "-o", "/dev/full")
    assert (device.returncode, device.stderr.decode()) == (1, "zhuti: --output /dev/full: cannot be written: No space left on device\n")
    assert Path("/dev/full").is_char_device()


def test_it_refuses_to_go_on_when_something_changed(source: Path, tmp_path: Path, model_copy: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    write_jsonl(rows, ROWS)
    output = tmp_path / "tagged.jsonl"
    arguments = [str(rows), "--unit", "sentence", "-o", str(output), "--shard-rows", "300", "--model", str(model_copy)]
    code, _ = stop_after_shards(start(*arguments), tmp_path / "tagged.jsonl.parts", 2, signal.SIGKILL)
    assert code == -signal.SIGKILL
    before = contents(tmp_path / "tagged.jsonl.parts")

    def refused(*changed: str) -> str:
        run = tag(*(changed or arguments), "--resume")
        assert run.returncode == 2
        assert {name: data for name, data in contents(tmp_path / "tagged.jsonl.parts").items() if name in before} == before
        assert not output.exists()
        return run.stderr.decode()

    assert "the options have changed (unit: 'sentence', now 'document')" in refused(
        *[a for a in arguments if a not in ("--unit", "sentence")]
    )
    assert "the options have changed (explain: 0, now 1)" in refused(*arguments, "--explain", "1")
    assert f"the input {source} has changed" in refused(str(source), *arguments[1:])
    manifest = model_copy / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert "the model has changed" in refused()
    manifest.write_text(manifest.read_text(encoding="utf-8")[:-1], encoding="utf-8")
    data = rows.read_bytes()
    rows.write_bytes(data + b'{"text": "x"}\n')
    assert f"the input {rows} has changed" in refused()
    rows.write_bytes(data)
    assert tag(*arguments, "--resume").returncode == 0
    assert [row["nr"] for row in read_jsonl(output)] == [row["nr"] for row in ROWS]


def test_another_text_and_another_zhuti_are_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    arguments = ["-o", f"{folder}/", "--shard-rows", "1", "--text"]
    assert tag(*arguments, "引进人才。慰问老干部。").returncode == 0
    refused = tag(*arguments, "慰问老干部。引进人才。", "--resume")
    assert refused.returncode == 2
    assert "the input --text has changed since this run was begun" in refused.stderr.decode()
    assert tag(*arguments, "引进人才。慰问老干部。", "--resume").returncode == 0
    journal = folder / "journal.jsonl"
    head, *rest = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    assert json.loads(head)["version"] == version("zhuti")
    journal.write_text(json.dumps(json.loads(head) | {"version": "0.0.9"}) + "\n" + "".join(rest), encoding="utf-8")
    refused = tag(*arguments, "引进人才。慰问老干部。", "--resume")
    assert refused.returncode == 2
    assert f"zhuti has changed (version 0.0.9, now {version('zhuti')}) since this run was begun" in refused.stderr.decode()


def test_two_runs_do_not_write_into_one_folder(source: Path, tmp_path: Path) -> None:
    arguments = options(source, f"{tmp_path}/shards/")
    first = start(*arguments)
    with held(first, tmp_path / "shards", 0):
        second = tag(*arguments, "--resume")
        first.kill()
    first.communicate(timeout=PATIENCE)
    assert second.returncode == 2
    assert "another zhuti is writing here" in second.stderr.decode()


def test_a_torn_journal_line_is_done_again(source: Path, undisturbed: Path, tmp_path: Path) -> None:
    arguments = options(source, f"{tmp_path}/shards/")
    stop_after_shards(start(*arguments), tmp_path / "shards", 3, signal.SIGKILL)
    journal = tmp_path / "shards" / "journal.jsonl"
    os.truncate(journal, journal.stat().st_size - 7)
    assert tag(*arguments, "--resume").returncode == 3
    assert contents(tmp_path / "shards") == contents(undisturbed / "shards")


def test_an_input_that_changes_meanwhile_stops_the_run(tmp_path: Path) -> None:
    rows = write_csv(tmp_path / "rows.csv", ROWS)
    process = start(*options(rows, tmp_path / "tagged.jsonl"))
    with held(process, tmp_path / "tagged.jsonl.parts", 0):
        os.utime(rows)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert errors.decode().splitlines()[-1].startswith(f"zhuti: {rows}: was changed while the batch was running")
    assert not (tmp_path / "tagged.jsonl").exists()


def test_a_file_is_not_gone_on_with_where_its_folder_was_begun(tmp_path: Path) -> None:
    """The sentences of a folder's reports carry their report's name, those of a lone report do not."""
    report = tmp_path / "reports" / "a.txt"
    report.parent.mkdir()
    report.write_text("\n".join(row["text"] for row in SHORT), encoding="utf-8")
    arguments = ["-o", f"{tmp_path}/shards/", "--shard-rows", "10"]
    stop_after_shards(start(str(report.parent), *arguments), tmp_path / "shards", 2, signal.SIGKILL)
    refused = tag(report, *arguments, "--resume")
    assert refused.returncode == 2
    assert "the options have changed (reports_named: True, now False)" in refused.stderr.decode()
