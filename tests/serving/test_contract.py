"""What the endpoints answer, asked of a served process."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from serving import schemas
from serving.errors import CODES
from serving.examples import ANSWERS, FIGURES, FORMS, REQUESTS
from tests.conftest import EXAMPLE
from tests.serving.process import Served
from zhuti.tagger import Tagger

REPORT = EXAMPLE.read_text(encoding="utf-8")
HEADERS = {"401": "WWW-Authenticate", "405": "Allow", "429": "Retry-After", "503": "Retry-After"}
SHORT = "一、选准用好干部\n全年调整干部86人次。\n二、抓好人才工作\n引进高层次人才40名,举办干部培训班12期。"


def same(given: list[dict[str, Any]], own: list[dict[str, Any]]) -> None:
    """The same units, scores to a thousandth: other batches round otherwise."""
    assert len(given) == len(own)
    for one, other in zip(given, own, strict=True):
        assert {name: one[name] for name in one if name != "themes"} == {name: other[name] for name in other if name != "themes"}
        assert [theme["code"] for theme in one["themes"]] == [theme["code"] for theme in other["themes"]]
        assert [theme["score"] for theme in one["themes"]] == pytest.approx([theme["score"] for theme in other["themes"]], abs=1e-3)


def test_tag_gives_the_result_contract(server: Served, tagger: Tagger) -> None:
    answer = server.post(json={"text": REPORT})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body["model"] == "zhuti-small"
    same(body["units"], json.loads(json.dumps([unit.as_dict() for unit in tagger.tag(REPORT)])))
    assert "\\u" not in answer.text
    schemas.TagResponse.model_validate(body)


def test_a_blank_text_has_no_units(server: Served) -> None:
    assert server.post(json={"text": " \n"}).json() == {"model": "zhuti-small", "units": []}


def test_evidence_on_request(server: Served) -> None:
    units = server.post(json={"text": "举办干部培训班。", "explain": 3}).json()["units"]
    assert [len(unit["evidence"]) for unit in units] == [3]


def test_top_k_and_min_score(server: Served) -> None:
    plain, best, all_of_them, none, both = (
        server.post(json={"text": SHORT} | options).json()["units"]
        for options in ({}, {"top_k": 5}, {"min_score": 0}, {"min_score": 1}, {"top_k": 32, "min_score": 0.05})
    )
    assert [len(unit["themes"]) for unit in best] == [5] * 4
    assert [len(unit["themes"]) for unit in all_of_them] == [32] * 4
    assert [[theme["code"] for theme in unit["themes"]] for unit in none] == [[unit["primary"]] for unit in plain]
    assert "chosen" not in plain[0]
    for unit, default in zip((*best, *all_of_them, *none, *both), plain * 4, strict=True):
        assert unit["chosen"] == [theme["code"] for theme in default["themes"]]
    for unit, every, primary in zip(both, all_of_them, plain, strict=True):
        assert unit["primary"] == unit["themes"][0]["code"] == primary["primary"]
        scores = [theme["score"] for theme in every["themes"]]
        assert scores == sorted(scores, reverse=True)
        assert [theme["score"] for theme in unit["themes"][1:]] == [score for score in scores[1:] if score >= 0.05]


def test_theme_level_gives_the_themes_of_the_leaves(server: Served) -> None:
    leaves = server.post(json={"text": REPORT}).json()["units"]
    themes = server.post(json={"text": REPORT, "level": "theme"}).json()["units"]
    for leaf, theme in zip(leaves, themes, strict=True):
        assert [entry["code"] for entry in theme["themes"]] == list(dict.fromkeys(entry["parent"] for entry in leaf["themes"]))
        assert theme["primary"] == theme["themes"][0]["parent"] == leaf["primary"].split(".")[0]
        assert theme["uncertain"] == leaf["uncertain"]
        assert all(0 <= entry["score"] <= 1 for entry in theme["themes"])
    wide = server.post(json={"text": SHORT, "level": "theme", "top_k": 32}).json()["units"]
    assert [len(unit["themes"]) for unit in wide] == [11] * 4


def test_without_context_each_unit_is_as_if_alone(server: Served, tagger: Tagger) -> None:
    units = server.post(json={"text": SHORT, "context": False, "top_k": 32}).json()["units"]
    alone = server.post("/tag_sentences", json={"sentences": [unit["text"] for unit in units], "top_k": 32}).json()["results"]
    for unit, result in zip(units, alone, strict=True):
        own = {theme["code"]: theme["score"] for theme in result["unit"]["themes"]}
        assert {theme["code"]: theme["score"] for theme in unit["themes"]} == pytest.approx(own, abs=1e-3)
    together = server.post(json={"text": SHORT, "top_k": 32}).json()["units"]
    assert [unit["themes"] for unit in together] != [unit["themes"] for unit in units]


def test_sentences_of_one_document_give_each_other_context(server: Served, tagger: Tagger) -> None:
    sentences, documents = ["人才工作", "引进一批。", "引进一批。", "引进一批。"], ["a", "a", "b", None]
    body = server.post("/tag_sentences", json={"sentences": sentences, "documents": documents, "top_k": 32}).json()
    assert (body["model"], body["failed"]) == ("zhuti-small", 0)
    assert [result["index"] for result in body["results"]] == [0, 1, 2, 3]
    assert [result.get("document") for result in body["results"]] == documents
    scores = [{theme["code"]: theme["score"] for theme in result["unit"]["themes"]} for result in body["results"]]
    assert scores[1] != pytest.approx(scores[2], abs=1e-2)
    assert scores[2] == pytest.approx(scores[3], abs=1e-3)
    schemas.SentencesResponse.model_validate(body)


def test_taxonomy_and_model(server: Served) -> None:
    taxonomy = server.get("/taxonomy").json()
    schemas.TaxonomyResponse.model_validate(taxonomy)
    assert sum(len(theme["leaves"]) for theme in taxonomy["themes"]) == 32
    model = server.get("/model").json()
    schemas.ModelResponse.model_validate(model)
    assert model["name"] == "zhuti-small"
    assert 0 < model["figures"]["leaf_micro_f1"] < 1
    assert len(model["files"]["encoder.bin"]["sha256"]) == 64
    assert re.fullmatch("[0-9a-f]{12}", model["revision"])
    assert model["card"].startswith("#")


def test_probes(server: Served) -> None:
    assert (server.get("/livez").json(), server.get("/readyz").json()) == ({"status": "alive"}, {"status": "ready", "model": "zhuti-small"})


def test_the_other_examples_of_the_description_are_true(server: Served) -> None:
    for form in FORMS.values():
        options = {name: str(value) for name, value in form.items() if name != "file"}
        answer = server.post("/tag_file", files={"file": ("a.txt", form["file"].encode())}, data=options)
        assert (answer.status_code, answer.json()["text"]) == (200, form["file"])
    server.post(json={"text": SHORT})
    lines = server.get("/metrics").text.splitlines()
    help_line, type_line, figure = FIGURES.splitlines()
    assert {help_line, type_line} <= set(lines)
    assert figure.split()[0] in [line.split()[0] for line in lines]


@pytest.mark.parametrize("path", sorted(REQUESTS))
def test_the_examples_of_the_description_are_answered(server: Served, path: str) -> None:
    for name, body in REQUESTS[path].items():
        answer = server.post(path, json=body)
        assert answer.status_code == 200
        assert answer.json().get("failed", 0) == (name == "one that fails")


def test_the_answers_of_the_description_are_those_that_come(server: Served) -> None:
    """Places and kinds are the same; scores, hashes and request ids may differ."""
    text = REQUESTS["/tag"]["report"]["text"]
    given = {
        "TagResponse": server.post(json={"text": text}),
        "FileResponse": server.post("/tag_file", files={"file": ("a.txt", text.encode())}),
        "SentencesResponse": server.post("/tag_sentences", json=REQUESTS["/tag_sentences"]["one that fails"]),
        "TaxonomyResponse": server.get("/taxonomy"),
        "ModelResponse": server.get("/model"),
        "HealthResponse": server.get("/livez"),
        "ReadyResponse": server.get("/readyz"),
    }
    assert set(given) == set(ANSWERS)
    for name, answer in given.items():
        model = getattr(schemas, name)
        shown, body = model.model_validate(ANSWERS[name]).model_dump(), model.model_validate(answer.json()).model_dump()
        assert set(shown) <= set(body)
        if name in ("HealthResponse", "ReadyResponse"):
            assert ANSWERS[name] == answer.json()
        if name in ("TagResponse", "FileResponse"):
            for one, other in zip(shown["units"], body["units"], strict=True):
                fields = ("index", "start", "end", "text", "role")
                assert [one[field] for field in fields] == [other[field] for field in fields]
        if name == "SentencesResponse":
            assert shown["results"][0]["unit"]["text"] == body["results"][0]["unit"]["text"]
            assert {**shown["results"][1]["error"], "request_id": ""} == {**body["results"][1]["error"], "request_id": ""}


def test_the_description_names_every_path_and_every_error_with_its_shape(server: Served) -> None:
    document = server.get("/openapi.json").json()
    assert set(document["paths"]) == {
        "/tag", "/tag_sentences", "/tag_file", "/taxonomy", "/model", "/livez", "/readyz", "/metrics", "/openapi.json"
    }  # fmt: skip
    assert document["openapi"] == "3.1.0"
    assert document["components"]["schemas"]["ErrorFields"]["properties"]["code"]["enum"] == list(CODES.values())
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path not in ("/metrics", "/openapi.json"):
                assert "example" in operation["responses"]["200"]["content"]["application/json"]
            for status, response in operation["responses"].items():
                if status != "200":
                    content = response["content"]["application/json"]
                    assert content["schema"] == {"$ref": "#/components/schemas/ErrorResponse"}
                    schemas.ErrorResponse.model_validate(content["example"])
                if status in HEADERS:
                    assert HEADERS[status] in response["headers"]
    for path in ("/tag", "/tag_sentences", "/tag_file"):
        statuses = {int(status) for status in document["paths"][path]["post"]["responses"]}
        assert statuses == {200, 400, 401, 405, 413, 415, 422, 429, 500, 503, 504}


def test_metrics_count_what_was_tagged(server: Served) -> None:
    revision = server.get("/model").json()["revision"]
    model = f'model="zhuti-small",revision="{revision}"'
    before = server.figures()
    units = server.post(json={"text": REPORT}).json()["units"]
    after = server.figures()

    def grown(name: str) -> float:
        return after[name] - before.get(name, 0)

    assert grown(f"zhuti_sentences_total{{{model}}}") == len(units)
    assert grown(f"zhuti_uncertain_sentences_total{{{model}}}") == sum(unit["uncertain"] for unit in units)
    boilerplate = sum(unit["role"] == "boilerplate" or unit["primary"] == "none.boilerplate" for unit in units)
    assert grown(f"zhuti_boilerplate_sentences_total{{{model}}}") == boilerplate
    cadres = sum(unit["primary"].startswith("cadres.") for unit in units)
    assert grown(f'zhuti_themes_total{{{model},theme="cadres"}}') == cadres > 0
    assert grown('zhuti_requests_total{method="POST",route="/tag",status="200"}') == 1
    assert grown('zhuti_request_seconds_count{route="/tag"}') == 1
    assert grown("zhuti_batch_sentences_sum") == len(units)
    assert after["zhuti_queue_depth"] == after["zhuti_active_requests"] == 0
    assert after[f'zhuti_model_info{{{model},taxonomy="1"}}'] == 1
