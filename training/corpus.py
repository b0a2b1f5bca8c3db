"""Make data/sentences.jsonl from data/documents with zhuti's splitter: ``python -m training.corpus``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from zhuti.text import split

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ROOT / "data" / "documents"
SENTENCES = ROOT / "data" / "sentences.jsonl"


def render_sentences(documents: Path = DOCUMENTS) -> str:
    """Split every ``*.txt`` of a folder, in order of name.

    :param documents: folder of UTF-8 text files; line ends are kept as they are.
    :return: JSON lines ``{"id", "document", "start", "end", "text", "role"}``; ids are ``document:index``.
    """
    rows = []
    for path in sorted(documents.glob("*.txt")):
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read()
        for unit in split(text):
            row = {"id": f"{path.stem}:{unit.index:03d}", "document": path.stem} | asdict(unit)
            del row["index"]
            rows.append(json.dumps(row, ensure_ascii=False))
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    SENTENCES.write_text(render_sentences(), encoding="utf-8")
