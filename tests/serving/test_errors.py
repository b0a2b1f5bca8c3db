"""Every error status, in the one shape, and nothing that a caller sends brings the service down."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from serving.errors import CODES
from tests.serving.process import PATIENCE, Served

JSON = {"Content-Type": "application/json"}


def check(answer: httpx.Response, status: int, *words: str) -> dict[str, Any]:
    """:return: the fields of an error that has this status and says these words."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"error"}
    error: dict[str, Any] = answer.json()["error"]
    assert set(error) == {"code", "message", "detail", "request_id"}
    assert error["code"] == CODES[status]
    assert error["request_id"] == answer.headers["x-request-id"]
    for word in words:
        assert word in error["message"]
    return error


def test_nothing_there_and_wrong_methods(server: Served) -> None:
    check(server.get("/nothing"), 404, "/nothing", "/openapi.json")
    check(server.get("/schema.json"), 404)
    check(server.post("/healthz"), 404)
    for path in ("/tag", "/tag_sentences", "/tag_file"):
        answer = server.get(path)
        check(answer, 405, path, "GET")
        assert answer.headers["allow"] == "POST"
    for path in ("/taxonomy", "/model", "/livez", "/readyz", "/metrics", "/openapi.json"):
        check(server.post(path), 405, path)
    check(httpx.request("BREW", server.url + "/tag"), 405)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=gbk"},
        {"Content-Type": "application/vnd.bentoml+pickle"},
        JSON | {"Content-Encoding": "gzip"},
    ],
)
def test_other_media_types(server: Served, headers: dict[str, str]) -> None:
    check(server.post(content='{"text": "干部。"}'.encode(), headers=headers), 415)


@pytest.mark.parametrize("charset", ["undefined", "gbk", '"Undefined"', "idna"])
def test_forms_in_another_charset(server: Served, charset: str) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nx\r\n--b--\r\n'
    kind = "multipart/form-data; boundary=b; charset="
    check(server.post("/tag_file", content=part, headers={"Content-Type": kind + charset}), 415, "multipart/form-data", "UTF-8")
    assert server.post("/tag_file", content=part, headers={"Content-Type": kind + "UTF-8"}).status_code == 200


def test_a_field_that_does_not_fit_is_named(server: Served) -> None:
    error = check(server.post(json={"text": "干部。", "top_k": 0, "level": "word", "x": 1}), 422)
    assert sorted(problem["field"] for problem in error["detail"]) == ["level", "top_k", "x"]
    error = check(server.post(json={"text": "干部。", "x" * 1000: 1}), 422)
    assert error["detail"][0]["field"] == "x" * 60
    assert len(error["message"]) < 120
    check(server.post("/tag_sentences", json={"sentences": ["甲"], "documents": []}), 422, "0 document ids for 1 sentences")


def malformed() -> list[tuple[str, bytes, int]]:
    """Path, body and status of 200 and more bodies that are wrong in known ways."""
    good = json.dumps({"text": "一、选准用好干部\n全年调整干部86人次。", "level": "leaf", "explain": 1}, ensure_ascii=False)
    listed = json.dumps({"sentences": ["全年调整干部86人次。"], "documents": ["a"]}, ensure_ascii=False)
    cut = [("/tag", good.encode()[:end], 400) for end in range(len(good.encode()))]
    cut += [("/tag_sentences", listed.encode()[:end], 400) for end in range(len(listed.encode()))]
    other = [good.encode("gb18030"), good.encode("utf-16"), b"\xff" + good.encode(), good.encode() + b"}", b"NaN", b"[" * 100_000]
    other += [b'{"text": "a", "min_score": NaN}', b'{"text": "a", "min_score": Infinity}', b'{"text": 1' + b"0" * 5000 + b"}", b"\0"]
    wrong = [
        (path, value, 422) for path in ("/tag", "/tag_sentences") for value in (b"[]", b"{}", b"5", b"null", b'"text"', b"true", b"1e999")
    ]
    fields = {
        "text": (5, None, [], {}, True, "", ["a"], "\ud800", "好\udc00"),
        "level": ("", "both", 1, None),
        "top_k": (0, -1, 33, 1.5, "3", [], True),
        "min_score": (-0.1, 1.1, "0.5", [], True),
        "explain": (-1, 11, 1.5, "1", None, []),
        "context": ("yes", 1, None, []),
        "Text": ("a",),
        "\ud800": (1,),
    }
    wrong += [("/tag", json.dumps({"text": "甲。"} | {name: value}).encode(), 422) for name, values in fields.items() for value in values]
    lists = ({"sentences": value} for value in (None, [], "a", 5, {"a": 1}, {}))
    documents = ({"sentences": ["甲"], "documents": value} for value in ("a", [1], [], ["a", "b"], [["a"]], {}))
    wrong += [("/tag_sentences", json.dumps(body).encode(), 422) for body in (*lists, *documents)]
    return cut + [("/tag", body, 400) for body in other] + wrong


def test_malformed_bodies_are_refused_with_a_reason(server: Served) -> None:
    bodies = malformed()
    assert len(bodies) >= 200
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        for path, body, status in bodies:
            check(client.post(path, content=body, headers=JSON), status)
        assert client.post("/tag", json={"text": "干部。"}).status_code == 200


def test_items_that_do_not_fit_among_sixty(server: Served) -> None:
    poison = {7: 5, 20: None, 21: "", 33: " \n", 40: {"text": "干部。"}, 59: "长" * 5001, 12: "半\ud800个"}
    sentences = [poison.get(index, f"全年调整干部{index}人次。") for index in range(60)]
    answer = server.post("/tag_sentences", content=json.dumps({"sentences": sentences, "documents": ["d"] * 60}), headers=JSON)
    assert answer.status_code == 200
    body = answer.json()
    assert body["failed"] == len(poison)
    for index, result in enumerate(body["results"]):
        assert (result["index"], "error" in result, "unit" in result) == (index, index in poison, index not in poison)
        if index in poison:
            assert result["error"]["code"] == ("too_large" if index == 59 else "invalid_request")
            assert result["error"]["request_id"] == answer.headers["x-request-id"]
        else:
            assert (result["unit"]["index"], result["unit"]["text"]) == (index, sentences[index])


def test_request_ids_and_trace_are_kept(server: Served) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = server.get("/nothing", headers={"X-Request-ID": "my-id.1", "traceparent": trace})
    assert check(answer, 404)["request_id"] == "my-id.1"
    assert answer.headers["traceparent"] == trace
    for bad in ("a b", "x" * 129, "<script>"):
        assert server.get("/livez", headers={"X-Request-ID": bad}).headers["x-request-id"] != bad
    assert "traceparent" not in server.get("/livez", headers={"traceparent": "00-zz"}).headers
    lines = [json.loads(line) for line in server.log.read_text(encoding="utf-8").splitlines()]
    [line] = [line for line in lines if line.get("request_id") == "my-id.1"]
    assert (line["status"], line["route"], line["trace_id"]) == (404, "other", "0af7651916cd43dd8448eb211c80319c")


def test_no_text_in_the_log(server: Served) -> None:
    server.post(json={"text": "秘密报告的内容甲乙丙。"})
    server.post(content='{"text": "秘密报告的内容甲乙丙。"'.encode(), headers=JSON)
    server.post(json={"text": "秘密报告的内容甲乙丙。", "秘密报告": 1})
    server.get("/秘密报告")
    log = server.log.read_text(encoding="utf-8")
    assert "秘密" not in log
    assert "\\u79d8" not in log
    assert "%E7%A7%98" not in log
    assert all(json.loads(line) for line in log.splitlines())


def test_security_headers_on_every_answer(server: Served) -> None:
    for answer in (
        server.get("/livez"),
        server.get("/nothing"),
        server.post(json={"text": "干部。"}),
        server.post(content=b"{", headers=JSON),
    ):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert (answer.headers["x-content-type-options"], answer.headers["referrer-policy"]) == ("nosniff", "no-referrer")
        assert answer.headers["cache-control"] == ("no-cache" if answer.status_code == 404 else "no-store")
        assert "server" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers
