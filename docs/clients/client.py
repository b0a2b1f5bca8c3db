"""Each endpoint from Python: ``python docs/clients/client.py http://localhost:3000 report.txt``. It needs httpx.

Where the service has keys, one of them stands in the environment variable ZHUTI_KEY.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import httpx


def main(url: str, file: Path) -> None:
    headers = {"Authorization": f"Bearer {os.environ['ZHUTI_KEY']}"} if "ZHUTI_KEY" in os.environ else {}
    with httpx.Client(base_url=url, headers=headers, timeout=70) as service:
        # Is it there, and can it tag?
        print("alive:", service.get("/livez").json()["status"])
        print("ready:", service.get("/readyz").json()["status"])

        # A report: it is split into sentences, each with its themes, the primary first.
        answer = service.post("/tag", json={"text": "一、选准用好干部\n全年调整干部86人次。举办干部培训班12期。"}).raise_for_status()
        for unit in answer.json()["units"]:
            print(unit["start"], unit["end"], unit["text"], unit["primary"], [theme["score"] for theme in unit["themes"]])

        # Sentences that are split already; those with the same document give each other context. A bad one fails alone.
        body = {"sentences": ["人才工作", "引进高层次人才40名。", ""], "documents": ["a", "a", "b"], "level": "theme"}
        for result in service.post("/tag_sentences", json=body).raise_for_status().json()["results"]:
            print(result["index"], result["unit"]["primary"] if "unit" in result else result["error"]["message"])

        # A file: txt, md, html, docx or pdf. The offsets are those of the text that comes back with the tags.
        with file.open("rb") as content:
            answer = service.post("/tag_file", files={"file": (file.name, content)}, data={"explain": "1"}).raise_for_status()
        first = answer.json()["units"][0]
        print(len(answer.json()["units"]), "sentences; the first is like:", first["evidence"][0]["text"])

        # What the codes mean, and which model it is.
        for theme in service.get("/taxonomy").raise_for_status().json()["themes"]:
            print(theme["code"], theme["zh"], [leaf["code"] for leaf in theme["leaves"]])
        model = service.get("/model").raise_for_status().json()
        print(model["name"], model["revision"])

        # An error has one shape everywhere; its request_id stands in the service's log.
        refused = service.post("/tag", json={"text": ""})
        if refused.is_error:
            error = refused.json()["error"]
            print(refused.status_code, error["code"], error["message"], error["request_id"])

        # For machines: the description of all this, and figures for Prometheus.
        print(sorted(service.get("/openapi.json").json()["paths"]))
        print(next(line for line in service.get("/metrics").text.splitlines() if line.startswith("zhuti_sentences_total")))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python client.py URL FILE")
    main(sys.argv[1], Path(sys.argv[2]))
