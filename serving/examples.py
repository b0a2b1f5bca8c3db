"""Requests and answers that the OpenAPI document shows; a test posts the requests to a served process and compares."""

from __future__ import annotations

from typing import Any

_TEXT = "一、选准用好干部\n全年调整干部86人次，其中提拔年轻干部32人。举办干部培训班12期。"
REQUESTS: dict[str, dict[str, dict[str, Any]]] = {
    "/tag": {
        "report": {"text": _TEXT},
        "explained": {"text": _TEXT, "explain": 2},
        "three best themes": {"text": _TEXT, "level": "theme", "top_k": 3, "context": False},
    },
    "/tag_sentences": {
        "lone sentences": {"sentences": ["全年调整干部86人次。", "举办干部培训班12期。"], "min_score": 0.3},
        "of two documents": {"sentences": ["人才工作", "引进高层次人才40名。", "老干部待遇落实到位。"], "documents": ["a", "a", "b"]},
        "one that fails": {"sentences": ["举办干部培训班12期。", ""]},
    },
}
FORMS: dict[str, dict[str, Any]] = {  # of /tag_file; the file's content stands for the file
    "a text": {"file": _TEXT},
    "explained": {"file": _TEXT, "level": "theme", "explain": 2},
}


def _unit(index: int, start: int, text: str, role: str, *themes: tuple[str, float]) -> dict[str, Any]:
    scores = [{"code": code, "parent": code.partition(".")[0], "score": score} for code, score in themes]
    place = {"index": index, "start": start, "end": start + len(text), "text": text, "role": role}
    return place | {"primary": themes[0][0], "uncertain": False, "themes": scores}


_UNITS = [
    _unit(0, 0, "一、选准用好干部", "heading", ("cadres.selection", 0.9978)),
    _unit(1, 9, "全年调整干部86人次，其中提拔年轻干部32人。", "body", ("cadres.selection", 0.9164), ("cadres.young", 0.8571)),
    _unit(2, 32, "举办干部培训班12期。", "body", ("ideology.training", 0.9775)),
]
_BLANK = {"code": "invalid_request", "message": "the sentence is blank", "detail": None, "request_id": "5f2b"}
ANSWERS: dict[str, dict[str, Any]] = {
    "TagResponse": {"model": "zhuti-small", "units": _UNITS},
    "FileResponse": {"model": "zhuti-small", "text": _TEXT, "units": _UNITS},
    "SentencesResponse": {
        "model": "zhuti-small",
        "failed": 1,
        "results": [
            {"index": 0, "unit": _unit(0, 0, "举办干部培训班12期。", "body", ("ideology.training", 0.9829))},
            {"index": 1, "error": _BLANK},
        ],
    },
    "TaxonomyResponse": {
        "version": 1,
        "themes": [
            {
                "code": "talent",
                "zh": "人才工作",
                "en": "Talent work",
                "leaves": [
                    {
                        "code": "talent.attraction",
                        "zh": "引才育才",
                        "en": "Attracting and developing talent",
                        "include": "人才政策、工程计划、引进、校地合作、招聘活动、离岸基地、人才数量与成效",
                        "exclude": "干部选调归 cadres.young",
                    }
                ],
            }
        ],
    },
    "ModelResponse": {
        "name": "zhuti-small",
        "kind": "encoder",
        "revision": "0123456789ab",
        "figures": {"leaf_micro_f1": 0.79},
        "files": {"taxonomy.yaml": {"bytes": 12345, "sha256": "0" * 64}},
        "card": "# zhuti-small\n",
    },
    "HealthResponse": {"status": "alive"},
    "ReadyResponse": {"status": "ready", "model": "zhuti-small"},
}
FIGURES = """# HELP zhuti_requests_total Answered requests.
# TYPE zhuti_requests_total counter
zhuti_requests_total{method="POST",route="/tag",status="200"} 3.0
"""
