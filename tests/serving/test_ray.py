"""The engine ray against the local one, to the byte: a killed actor, two machines, a run that the other engine began."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from ray.cluster_utils import Cluster

from tests.conftest import ROOT
from tests.serving.batchfiles import PATIENCE, read_any, read_jsonl, sentences, start, tag, wait_until, write_jsonl, write_parquet

ROWS = [row | {"text": " "} if place % 75 == 74 else row for place, row in enumerate(sentences(560))]
SENTENCES = ["--unit", "sentence", "--shard-rows", "20"]
DOCUMENTS = ["--text-column", "text", "--shard-rows", "15"]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of Parquet files, across whose border a shard lies; some rows cannot be tagged."""
    folder = tmp_path_factory.mktemp("rows")
    write_parquet(folder / "a.parquet", ROWS[:105])
    write_parquet(folder / "b.parquet", ROWS[105:])
    return folder


@pytest.fixture(scope="module")
def undisturbed(rows: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed") / "shards"
    assert tag(rows, *SENTENCES, "-f", "jsonl", "-o", f"{folder}/").returncode == 3
    return folder


@pytest.fixture
def two_machines(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A cluster of two nodes with one CPU each. :return: its address."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_worker_niceness", "0")
    node = {"num_cpus": 1, "object_store_memory": 100 << 20, "include_dashboard": False}
    cluster = Cluster()
    try:
        for _ in range(2):
            add_node(cluster, node)
        yield cluster.address
    finally:
        cluster.shutdown()


def add_node(cluster: Cluster, node: dict[str, Any]) -> None:
    """Try again where a busy machine takes longer than the 30 s that Ray waits for a node."""
    for left in (2, 1, 0):
        try:
            cluster.add_node(**node)
            return
        except Exception as error:
            if not left or "timed out during startup" not in str(error):
                raise


def shards_noted(folder: Path) -> int:
    journal = folder / "journal.jsonl"
    return journal.read_bytes().count(b'{"file"') if journal.exists() else 0


def wait_for_shards(process: subprocess.Popen[bytes], folder: Path, shards: int) -> None:
    wait_until(process, lambda: shards_noted(folder) >= shards)


def actors(process: int) -> list[int]:
    """Processes of actors that a run has started, found as its descendants."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended
    found = []
    for one in parents:
        above = one
        while above in parents and above != process:
            above = parents[above]
        with suppress(OSError):
            if above == process and b"ShardTagger" in Path(f"/proc/{one}/cmdline").read_bytes():
                found.append(one)
    return found


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_killed_actor_changes_nothing_in_the_output(rows: Path, undisturbed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    process = start(rows, *SENTENCES, "-f", "jsonl", "-o", f"{folder}/", "--engine", "ray")
    wait_for_shards(process, folder, 2)
    victims = actors(process.pid)
    assert victims
    os.kill(victims[0], signal.SIGKILL)
    wait_until(process, lambda: victims[0] not in actors(process.pid))
    assert shards_noted(folder) < len(ROWS) / 20, "the run was over before an actor was killed; it needs more rows"
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 3, errors.decode()
    assert contents(folder) == contents(undisturbed)  # the journal and the rejects among them
    tagged = [row for shard in sorted(folder.glob("part-*")) for row in read_jsonl(shard)]
    rejects = read_jsonl(folder / "rejects.jsonl")
    assert [row["nr"] for row in tagged] == [row["nr"] for row in ROWS if row["text"] != " "]
    blank = [place for place, row in enumerate(ROWS) if row["text"] == " "]
    assert [(Path(reject["file"]).name, reject["row"]) for reject in rejects] == [
        ("a.parquet", place + 1) if place < 105 else ("b.parquet", place - 104) for place in blank
    ]
    assert f"{len(tagged):,} rows tagged, {len(rejects)} not" in errors.decode()


def test_two_machines_go_on_with_what_the_local_engine_began(two_machines: str, tmp_path: Path) -> None:
    texts: dict[str, list[str]] = {}
    for row in sentences(165):
        texts.setdefault(row["document"], []).append(row["text"])
    reports = [{"id": name, "text": "\n".join(lines)} for name, lines in texts.items()]
    source = tmp_path / "reports"
    source.mkdir()
    write_jsonl(source / "a.jsonl", [*reports[:1], {"id": "blank", "text": ""}])
    write_jsonl(source / "b.jsonl", reports[1:])
    assert tag(source, *DOCUMENTS, "-o", tmp_path / "whole.parquet").returncode == 3
    cut = tmp_path / "cut.parquet"
    process = start(source, *DOCUMENTS, "-o", cut)
    wait_for_shards(process, tmp_path / "cut.parquet.parts", 2)
    process.kill()
    process.communicate(timeout=PATIENCE)
    assert not cut.exists()
    assert shards_noted(tmp_path / "cut.parquet.parts") < 165 / 15, "the run was over before it was killed; it needs more rows"
    resumed = tag(source, *DOCUMENTS, "-o", cut, "--resume", "--engine", "ray", "--address", two_machines)
    assert resumed.returncode == 3, resumed.stderr.decode()
    assert cut.read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert read_any(cut)[0]["id"] == reports[0]["id"]
    assert read_jsonl(tmp_path / "cut.rejects.jsonl") == read_jsonl(tmp_path / "whole.rejects.jsonl")
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["reports"]


def test_the_local_engine_goes_on_with_what_ray_began(rows: Path, undisturbed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    arguments = [rows, *SENTENCES, "-f", "jsonl", "-o", f"{folder}/"]
    process = start(*arguments, "--engine", "ray")
    wait_for_shards(process, folder, 2)
    orphans = actors(process.pid)
    process.kill()
    process.communicate(timeout=PATIENCE)
    for orphan in orphans:  # Ray ends them too, a little later
        with suppress(ProcessLookupError):
            os.kill(orphan, signal.SIGKILL)
    assert shards_noted(folder) < len(ROWS) / 20, "the run was over before it was killed; it needs more rows"
    (folder / "part-0000009.jsonl.0123.part").write_bytes(b"half")
    resumed = tag(*arguments, "--resume")
    assert resumed.returncode == 3, resumed.stderr.decode()
    assert contents(folder) == contents(undisturbed)


def test_an_input_that_changes_meanwhile_stops_the_run(rows: Path, tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "rows.jsonl", ROWS)
    process = start(source, *SENTENCES, "-o", tmp_path / "tagged.jsonl", "--engine", "ray")
    wait_until(process, (tmp_path / "tagged.jsonl.parts" / "journal.jsonl").exists)
    os.utime(source)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert errors.decode().splitlines()[-1].startswith(f"zhuti: {source}: was changed while the batch was running")
    assert list(tmp_path.glob("tagged*")) == []


@pytest.mark.parametrize(("arguments", "message"), [
    (["rows", "--address", "auto"], "--address is that of a Ray cluster: add --engine ray"),
    (["--text", "一", "--engine", "ray"], "--engine ray reads files and folders that all machines share, not --text or standard input"),
    (["-", "--engine", "ray"], "--engine ray reads files and folders that all machines share, not --text or standard input"),
    (["rows", "--engine", "ray"], "--engine ray writes jsonl, csv or parquet to --output, found no --output"),
    (["rows", "--engine", "ray", "-o", "x.txt"], "--engine ray writes jsonl, csv or parquet to --output, found --format table"),
    (["rows", "--engine", "ray", "-o", "/dev/null", "-f", "csv"], "--engine ray writes a file or a folder; --output /dev/null is neither"),
])  # fmt: skip
def test_what_ray_cannot_do_is_said_in_one_sentence(arguments: list[str], message: str) -> None:
    refused = tag(*arguments)
    assert refused.returncode == 2
    assert refused.stderr.decode() == f"zhuti: {message}\n"


@pytest.mark.parametrize(("address", "message"), [
    ("ray://10.0.0.1:10001", "--address ray://10.0.0.1:10001: expected HOST:PORT or auto, on a machine of the cluster"),
    ("127.0.0.1:9", "--address 127.0.0.1:9: no Ray cluster answers there: [Errno 111] Connection refused"),
    ("auto", "--address auto: no Ray cluster can be used there: "),
])  # fmt: skip
def test_a_cluster_that_cannot_be_used_is_told(address: str, message: str, rows: Path, tmp_path: Path) -> None:
    refused = tag(rows, *SENTENCES, "-o", tmp_path / "tagged.jsonl", "--engine", "ray", "--address", address)
    assert refused.returncode == 1
    assert refused.stderr.decode().splitlines()[-1].startswith(f"zhuti: {message}")
    assert list(tmp_path.glob("tagged*")) == []


def test_without_the_extra_it_is_said_how_to_install_it(rows: Path, tmp_path: Path) -> None:
    arguments = ["tag", str(rows), "-o", str(tmp_path / "tagged.jsonl"), "--engine", "ray"]
    code = f"import sys; sys.modules['ray'] = None; from zhuti.cli import app; app({arguments!r})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=False)
    assert run.returncode == 1
    assert run.stderr.decode() == "zhuti: --engine ray needs Ray; install the extra in the clone: pip install -e '.[ray]'\n"
