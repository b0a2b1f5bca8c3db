"""Resident memory and time of `zhuti tag` over many rows: the one must stay flat, the other grow in proportion.

    python -m benchmarks.memory --rows 1000000 --input csv --output parquet     # or: make bench-memory

Writes JSON to standard output: what the rows are, seconds, peak memory, and memory and seconds at each tenth of the rows (MiB, Linux).
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from zhuti.text import split

ROOT = Path(__file__).resolve().parent.parent
FIELDS = ("id", "document", "text")


def rows(distinct: bool) -> Iterator[dict[str, str]]:
    """Rows without end from the reports in data/; ``distinct`` joins two: 379,000 texts before one repeats."""
    files = sorted((ROOT / "data" / "documents").glob("*.txt"))
    texts = [unit.text for file in files for unit in split(file.read_text(encoding="utf-8"))]
    number = 0
    while True:
        for place, text in enumerate(texts):
            other = texts[(place * 7 + number // len(texts)) % len(texts)]
            yield {"id": str(number), "document": str(number // 200), "text": text + other[:20] if distinct else text}
            number += 1


def write(path: Path, count: int, distinct: bool) -> None:
    some = islice(rows(distinct), count)
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, FIELDS)
            writer.writeheader()
            writer.writerows(some)
    elif path.suffix == ".jsonl":
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in some)
    else:
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = pa.schema([(name, pa.string()) for name in FIELDS])
        with pq.ParquetWriter(path, schema) as out:
            while part := list(islice(some, 100_000)):
                out.write_table(pa.Table.from_pylist(part, schema=schema))


def resident(pid: int) -> dict[str, float]:
    """:return: resident memory of a process now (``VmRSS``) and at most (``VmHWM``), in MiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return {name: int(size) / 1024 for name, size in re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB", status, re.MULTILINE)}


def finished(journal: Path) -> int:
    """:return: shards that are noted as done."""
    try:
        return max(0, journal.read_bytes().count(b"\n") - 1)
    except OSError:
        return 0


def measure(count: int, source: str, output: str, distinct: bool, model: str) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / f"rows.{source}"
        write(table, count, distinct)
        shard = min(10_000, max(1, count // 10))
        command = [sys.executable, "-m", "zhuti.cli", "tag", str(table), "--unit", "sentence", "--model", model]
        command += ["--shard-rows", str(shard), "-o", f"{folder}/tagged.{output}"]
        began = time.monotonic()
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
        journal = Path(f"{folder}/tagged.{output}.parts/journal.jsonl")
        tenths: list[tuple[float, float]] = []
        peak = 0.0
        while process.poll() is None:
            if sample := resident(process.pid):
                peak = sample["VmHWM"]
                if len(tenths) < 10 and finished(journal) * shard * 10 >= (len(tenths) + 1) * count:
                    tenths.append((sample["VmRSS"], time.monotonic() - began))
            time.sleep(0.1)
        if process.returncode:
            raise SystemExit(f"zhuti tag ended with exit code {process.returncode}")
        seconds = time.monotonic() - began
    joined, again = "two sentences joined, 379,000 rows before one repeats", "the same sentences over and over, each computed once a shard"
    return {
        "rows": count, "what": f"sentences of the five reports in data/: {joined if distinct else again}", "shard_rows": shard,
        "input": source, "output": output, "seconds": round(seconds, 1), "rows_per_second": round(count / seconds), "peak_mib": round(peak),
        "mib_at_each_tenth": [round(size) for size, _ in tenths], "seconds_at_each_tenth": [round(at, 1) for _, at in tenths],
    }  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--input", choices=("csv", "jsonl", "parquet"), default="csv")
    parser.add_argument("--output", choices=("csv", "jsonl", "parquet"), default="jsonl")
    parser.add_argument("--distinct", action="store_true", help="two sentences joined, so that none comes from the cache")
    parser.add_argument("--model", default="zhuti-small")
    arguments = parser.parse_args()
    figures = measure(arguments.rows, arguments.input, arguments.output, arguments.distinct, arguments.model)
    print(json.dumps(figures, ensure_ascii=False, indent=1))
