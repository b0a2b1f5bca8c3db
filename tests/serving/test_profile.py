"""`zhuti profile` on the reports in the repository: shares per report, year and place as table, CSV and chart."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from serving.batch.stream import Item
from serving.profile import group, report
from tests.conftest import ROOT
from tests.serving.batchfiles import write_csv, write_jsonl
from zhuti.tagger import Tagger
from zhuti.text import single_unit

REPORTS = ("chengdu-2018", "jilin-2023", "sichuan-2015", "xining-2013", "zhuzhou-2021")


def profile(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "zhuti.cli", "profile", *arguments]
    return subprocess.run(command, capture_output=True, cwd=ROOT, check=False, encoding="utf-8")


def test_csv_has_the_shares_of_what_the_library_tags(tagger: Tagger) -> None:
    run = profile("data/documents", "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(run.stdout)))
    assert run.returncode == 0, run.stderr
    assert [row["report"] for row in rows] == list(REPORTS)
    for row in rows:
        units = tagger.tag((ROOT / "data" / "documents" / f"{row['report']}.txt").read_text(encoding="utf-8"))
        counts = Counter(unit.primary.split(".")[0] for unit in units)
        del counts["none"]
        assert int(row["sentences"]) == counts.total()
        themes = [code for code in tagger.taxonomy.theme_codes if code != "none"]
        assert [row[code] for code in themes] == [f"{counts[code] / counts.total():.4f}" for code in themes]


def test_by_year_and_place(tmp_path: Path) -> None:
    assert profile("data/documents", "--by", "year", "-o", str(tmp_path / "years.csv")).returncode == 0
    years = list(csv.DictReader((tmp_path / "years.csv").open(encoding="utf-8")))
    assert [row["year"] for row in years] == ["2013", "2015", "2018", "2021", "2023"]
    table = profile("data/documents", "--by", "place")
    assert [place for place in ("chengdu", "jilin", "sichuan", "xining", "zhuzhou") if f"  {place} " in table.stdout] == [
        name.split("-")[0] for name in REPORTS
    ]


def test_the_chart_is_one_svg_with_a_bar_a_report(tmp_path: Path) -> None:
    assert profile("data/documents", "-o", str(tmp_path / "reports.svg")).returncode == 0
    root = ElementTree.parse(tmp_path / "reports.svg").getroot()
    space = "{http://www.w3.org/2000/svg}"
    pieces: Counter[str] = Counter()
    for rect in root.iter(f"{space}rect"):
        title = rect.find(f"{space}title")
        if title is not None and title.text:
            pieces[title.text.split(" (")[0]] += round(float(rect.attrib["width"]) * 10)
    assert list(pieces) == list(REPORTS)
    assert all(abs(width - 6400) <= 5 for width in pieces.values())


@pytest.mark.parametrize(
    ("source", "columns", "name", "year", "place"),
    [
        ("a/成都-2018.txt", {"document": "a/成都-2018.txt"}, ("a/成都-2018.txt",), "2018", "成都"),
        ("2018年成都市总结.txt", {"document": "2018年成都市总结.txt"}, ("2018年成都市总结.txt",), "2018", "成都市总结"),
        ("成都市2018年组织工作总结.txt", {}, ("成都市2018年组织工作总结.txt",), "2018", "成都市"),
        ("总结.txt", {}, ("总结.txt",), "-", "总结"),
        ("../成都/2018.txt", {}, ("../成都/2018.txt",), "2018", "成都"),
        ("年报/2018年/成都.txt", {}, ("年报/2018年/成都.txt",), "2018", "成都"),
        ("../2018.txt", {}, ("../2018.txt",), "2018", "-"),
        ("rows.csv", {"document": "甲县", "year": 2020, "place": "乙市"}, ("rows.csv", "甲县"), "2020", "乙市"),
        ("rows.csv", {"document": "甲县2019", "year": None}, ("rows.csv", "甲县2019"), "2019", "甲县"),
        ("./甲县2019.csv", {}, ("./甲县2019.csv", "甲县2019 1987"), "2019", "甲县"),
        ("rows.csv", {"document": "甲县", "year": "2018.0"}, ("rows.csv", "甲县"), "2018", "甲县"),
        ("rows.csv", {"document": "甲县", "year": "2018年"}, ("rows.csv", "甲县"), "2018", "甲县"),
        ("rows.csv", {"document": "甲县", "year": "去年"}, ("rows.csv", "甲县"), "去年", "甲县"),
        ("文号120188.txt", {}, ("文号120188.txt",), "-", "文号120188"),
    ],
)
def test_groups(source: str, columns: dict[str, object], name: tuple[str, ...], year: str, place: str) -> None:
    key = (0, 1987) if source.endswith(".csv") else (0,)
    item = Item(source, key, 1987, columns, single_unit("党费。"), "党费。")
    assert (report(item, "document", sentence=False), group(item, "year", "document"), group(item, "place", "document")) == (
        name,
        year,
        place,
    )


def test_reports_of_one_name_and_rows_of_a_table_stay_apart(tmp_path: Path) -> None:
    for folder in "甲乙":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "总结-2020.txt").write_text("引进人才12名。", encoding="utf-8")
    write_csv(tmp_path / "rows.csv", [{"text": "引进人才。举办干部培训班。"}, {"text": "慰问老干部。"}])
    run = profile(str(tmp_path / "甲"), str(tmp_path / "rows.csv"), "-f", "csv")
    assert [line.split(",")[:2] for line in run.stdout.splitlines()[1:]] == [["总结-2020", "1"], ["rows 2", "2"], ["rows 3", "1"]]
    run = profile(str(tmp_path / "甲"), str(tmp_path / "乙"), "-f", "csv")
    assert [line.split(",")[0] for line in run.stdout.splitlines()[1:]] == [f"{tmp_path}/{folder}/总结-2020.txt" for folder in "甲乙"]
    write_csv(tmp_path / "甲" / "a.csv", [{"document": "丙", "text": "引进人才。"}])
    write_csv(tmp_path / "乙" / "a.csv", [{"document": "丙", "text": "慰问老干部。"}])
    run = profile(f"{tmp_path}/*/a.csv", "--unit", "sentence", "-f", "csv")
    assert [line.split(",")[:2] for line in run.stdout.splitlines()[1:]] == [[f"{tmp_path}/{folder}/a.csv: 丙", "1"] for folder in "乙甲"]


def test_another_column_names_the_report(tmp_path: Path) -> None:
    rows = [
        {"role": "甲县2019", "text": "引进人才。"},
        {"role": "甲县2019", "text": "发展党员。"},
        {"role": "乙县2020", "text": "慰问老干部。"},
    ]
    path = write_csv(tmp_path / "rows.csv", rows)
    arguments = [str(path), "--unit", "sentence", "--document-column", "role", "-f", "csv"]
    run = profile(*arguments)
    assert [line.split(",")[:2] for line in run.stdout.splitlines()[1:]] == [["甲县2019", "2"], ["乙县2020", "1"]], run.stderr
    by_year = profile(*arguments, "--by", "year")
    assert [line.split(",")[:2] for line in by_year.stdout.splitlines()[1:]] == [["2019", "2"], ["2020", "1"]]
    nothing = profile(str(path), "--document-column", "none")
    assert (nothing.returncode, nothing.stderr.splitlines()[0]) == (1, f"zhuti: {path}: no column 'none'; found role, text")


def test_names_are_shown_as_they_are(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "rows.csv", [{"document": name, "text": "引进人才。"} for name in ("总结[a]", "总结[b]")])
    table = profile(str(path)).stdout
    assert "总结[a]" in table
    assert "总结[b]" in table


def test_names_of_any_characters_keep_the_chart_and_the_csv_whole(tmp_path: Path) -> None:
    names = ["<甲>&\x0b乙", "丙\r丁"]
    path = write_jsonl(tmp_path / "rows.jsonl", [{"document": name, "text": "引进人才。"} for name in names])
    assert profile(str(path), "-o", str(tmp_path / "x.svg")).returncode == 0
    texts = [text.text for text in ElementTree.parse(tmp_path / "x.svg").iter("{http://www.w3.org/2000/svg}text")]
    assert "<甲>&\ufffd乙 (1)" in texts
    assert profile(str(path), "-o", str(tmp_path / "x.csv")).returncode == 0
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
        assert [row["report"] for row in csv.DictReader(file)] == names


def test_unreadable_reports_are_told(tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_bytes(b"a\0")
    (tmp_path / "good-2020.txt").write_text("引进人才12名。", encoding="utf-8")
    run = profile(str(tmp_path), "-f", "csv")
    assert run.returncode == 3
    assert "bad.txt: is a binary file" in run.stderr
    assert [line.split(",")[:2] for line in run.stdout.splitlines()] == [["report", "sentences"], ["good-2020", "1"]]
    nothing = profile(str(tmp_path / "bad.txt"))
    assert (nothing.returncode, nothing.stdout) == (1, "")
