"""Reads one uploaded file in a process of its own: ``python -m serving.reader NAME MAX_PAGES MAX_CHARACTERS < FILE``.

A file that makes its reader run or grow without end takes only this process with it. The answer on standard output is
``{"text"}`` or ``{"status", "message"}``, as JSON.
"""

from __future__ import annotations

import json
import resource
import sys

from zhuti.documents import DocumentError, DocumentTooLarge, UnsupportedFormat, read_document

MAX_MEMORY_BYTES = 2**30
MAX_CPU_SECONDS = 60


def read(data: bytes, name: str, max_pages: int, max_characters: int) -> dict[str, object]:
    """:return: the text, or the HTTP status and message of what is wrong."""
    try:
        text = read_document(data, name, max_pages=max_pages)
    except UnsupportedFormat as error:
        return {"status": 415, "message": str(error)}
    except DocumentTooLarge as error:
        return {"status": 413, "message": str(error)}
    except DocumentError as error:
        return {"status": 422, "message": str(error)}
    except (MemoryError, RecursionError):
        return {"status": 413, "message": f"{name}: needs too much memory to be read"}
    except Exception:  # the libraries that read files raise whatever they like on a damaged one
        return {"status": 422, "message": f"{name}: is not a readable file"}
    if len(text) > max_characters:
        return {"status": 413, "message": f"{name}: holds {len(text):,} characters; at most {max_characters:,} are tagged here"}
    return {"text": text}


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_SECONDS, MAX_CPU_SECONDS))
    name, pages, characters = sys.argv[1:]
    answer = read(sys.stdin.buffer.read(), name, int(pages), int(characters))
    sys.stdout.write(json.dumps(answer))
