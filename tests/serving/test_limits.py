"""Sizes, counts, keys, capacity and deadline, with settings small enough to meet them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import httpx
import pytest

from serving.settings import Settings, SettingsError
from tests.serving.process import PATIENCE, Served, held_requests, served, wait_until
from tests.serving.test_errors import JSON, check
from tests.zhuti.files import pdf_file

KEY = {"Authorization": "Bearer key-two"}
TEXT = "全年调整干部86人次。"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = {
        "api_keys": "key-one,key-two", "metrics": "key", "cors_origins": "https://a.example", "max_concurrent": 2, "max_json_bytes": 4000,
        "max_file_bytes": 9000, "max_characters": 1000, "max_sentences": 5, "max_sentence_characters": 100, "max_units": 20, "max_pages": 2,
        "max_entries": 120,
    }  # fmt: skip
    with served(tmp_path_factory.mktemp("strict"), **settings) as one:
        yield one


@pytest.mark.parametrize(
    ("path", "size"),
    [("/tag", 4001), ("/tag", 5_000_000), ("/tag_sentences", 4001), ("/tag_file", 9001), ("/tag_file", 30_000_000)],
)
def test_bodies_over_the_limit_by_length_and_chunked(strict: Served, path: str, size: int) -> None:
    parts = [b"-" * min(65_536, size - start) for start in range(0, size, 65_536)]
    kind = {"Content-Type": "multipart/form-data; boundary=b"} if path == "/tag_file" else JSON
    for content in (b"".join(parts), iter(parts)):
        error = check(strict.post(path, content=content, headers=kind | KEY), 413, "zhuti tag FILE")
        assert error["detail"] == {"limit_bytes": 9000 if path == "/tag_file" else 4000}


def test_no_path_beside_a_guarded_one_reaches_it(strict: Served) -> None:
    for path in ("/tag", "/tag_sentences", "/tag_file"):
        for end in ("%0A", "%0a%0A", "%00", "%7F"):
            check(strict.post(path + end, content=b"x" * 5_000_000, headers=JSON), 404, "control characters")


def test_texts_and_lists_over_the_limits(strict: Served) -> None:
    def post(path: str, body: object) -> httpx.Response:
        return strict.post(path, json=body, headers=KEY)

    assert post("/tag", {"text": "长" * 1000}).status_code == 200
    check(post("/tag", {"text": "长" * 1001}), 413, "1,001 characters", "1,000")
    assert post("/tag", {"text": "好。" * 20}).status_code == 200
    check(post("/tag", {"text": "好。" * 21}), 413, "21 sentences", "20")
    assert post("/tag_sentences", {"sentences": [TEXT] * 5}).json()["failed"] == 0
    check(post("/tag_sentences", {"sentences": [TEXT] * 6}), 413, "6 sentences", "5")
    check(post("/tag_sentences", {"sentences": ["长" * 300] * 4}), 413, "1,200 characters in all")
    assert post("/tag", {"text": "好。" * 10, "top_k": 32, "level": "theme", "explain": 1}).status_code == 200
    for options, asked in (
        ({"top_k": 12}, "12 themes and 0 "),
        ({"min_score": 0.9}, "32 themes and 0 "),
        ({"explain": 10}, "3 themes and 10 "),
    ):
        check(post("/tag", {"text": "好。" * 11} | options), 413, f"11 sentences with up to {asked}", "at most 120", "zhuti tag FILE")
    assert post("/tag_sentences", {"sentences": ["好。"] * 3 + [""] * 2, "min_score": 0}).json()["failed"] == 2
    check(post("/tag_sentences", {"sentences": ["好。"] * 4, "min_score": 0}), 413, "make 128 entries")
    pages = [strict.post("/tag_file", files={"file": ("a.pdf", pdf_file(["干部。"], pages=count))}, headers=KEY) for count in (2, 3)]
    assert pages[0].status_code == 200
    check(pages[1], 413, "3 pages", "at most 2", "zhuti tag FILE")
    [one, other] = post("/tag_sentences", {"sentences": ["长" * 100, "长" * 101]}).json()["results"]
    assert ("unit" in one, other["error"]["code"]) == (True, "too_large")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer key-three"},
        {"Authorization": "Bearer key-one,key-two"},
        {"Authorization": "Basic key-two"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer é".encode()},
        {"Authorization": "Bearer ???????"},
    ],
)
def test_without_a_known_key(strict: Served, headers: dict[str, str]) -> None:
    for path in ("/taxonomy", "/model", "/metrics"):
        answer = strict.get(path, headers=headers)
        check(answer, 401, "Authorization: Bearer KEY")
        assert answer.headers["www-authenticate"] == "Bearer"
        check(strict.get(path + "%0A", headers=headers), 404)
    check(strict.post(json={"text": TEXT}, headers=headers), 401)
    check(strict.post("/tag%0A", json={"text": TEXT}, headers=headers), 404)
    check(strict.post(content=b"x" * 5000, headers=JSON | headers), 401)
    assert [strict.get(path, headers=headers).status_code for path in ("/livez", "/readyz", "/openapi.json")] == [200] * 3


def test_with_a_key(strict: Served) -> None:
    for key in ("Bearer key-one", "bearer key-two"):
        assert strict.post(json={"text": TEXT}, headers={"Authorization": key}).status_code == 200
    assert "zhuti_sentences_total" in strict.get("/metrics", headers=KEY).text
    assert "key-" not in strict.log.read_text(encoding="utf-8")


def test_pages_of_configured_origins_may_ask(strict: Served) -> None:
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    allowed = httpx.options(strict.url + "/tag", headers=preflight | {"Origin": "https://a.example"})
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, "https://a.example")
    unknown = strict.post(json={"text": TEXT}, headers={"Origin": "https://a.example"})
    assert (unknown.status_code, unknown.headers["access-control-allow-origin"]) == (401, "https://a.example")
    refused = httpx.options(strict.url + "/tag", headers=preflight | {"Origin": "https://b.example"})
    assert "access-control-allow-origin" not in refused.headers
    check(refused, 400, "preflight", "origin")
    assert "Origin" in refused.headers["vary"]


def test_over_capacity_then_well(strict: Served) -> None:
    with held_requests(strict, 2, TEXT, **KEY) as (go, sent):
        answer = strict.post(json={"text": TEXT}, headers=KEY)
        check(answer, 429, "2 requests are at work")
        assert int(answer.headers["retry-after"]) >= 1
        assert [strict.get(path, headers=KEY).status_code for path in ("/livez", "/readyz", "/taxonomy", "/metrics")] == [200] * 4
        go.set()
        assert [future.result().status_code for future in sent] == [200, 200]
    assert strict.post(json={"text": TEXT}, headers=KEY).status_code == 200


def test_over_the_deadline_then_well(tmp_path: Path) -> None:
    long = "".join(f"{chr(0x4E00 + n % 20000)}{chr(0x4E00 + n // 7)}{chr(0x9000 - n % 997)}调整干部提拔年轻人才。" for n in range(2900))
    with served(tmp_path, deadline=0.5) as slow:
        check(slow.post(json={"text": long}), 504, "longer than 0.5 s")
        assert slow.get("/livez").status_code == 200
        answer = unfinished(slow)
        assert (answer.status, answer.getheader("content-type")) == (504, "application/json")
        assert "longer than 0.5 s" in json.load(answer)["error"]["message"]
        page = "<p>" + "<b>全年</b>调整干部。" * 300_000
        check(slow.post("/tag_file", files={"file": ("a.html", page.encode())}), 504)
        wait_until(lambda: not slow.worker().children())  # the reader of that file ends with its request
        wait_until(lambda: slow.post(json={"text": TEXT}).status_code == 200)


def unfinished(server: Served) -> HTTPResponse:
    """:return: the answer to a request that never sends all of its body."""
    connection = HTTPConnection(server.url.removeprefix("http://"), timeout=PATIENCE)
    connection.request("POST", "/tag", b"{", {"Content-Type": "application/json", "Content-Length": "100"})
    return connection.getresponse()


def test_settings_that_do_not_fit_are_told() -> None:
    settings = Settings.from_environment({"ZHUTI_API_KEYS": " a , b,", "ZHUTI_DEADLINE": "2.5"})
    assert (settings.api_keys, settings.deadline, settings.max_concurrent) == (("a", "b"), 2.5, 32)
    assert Settings().deadline == 60
    with pytest.raises(SettingsError, match="ZHUTI_DEADLINE=soon: "):
        Settings.from_environment({"ZHUTI_DEADLINE": "soon"})
    with pytest.raises(SettingsError, match="ZHUTI_MAX_PAGES=0: "):
        Settings.from_environment({"ZHUTI_MAX_PAGES": "0"})
    assert Settings.from_environment({"ZHUTI_SERVICE_HOST": "10.0.0.1", "ZHUTI_PORT_80_TCP_ADDR": "10.0.0.1"}) == Settings()
    for name in ("ZHUTI_API_KEY", "ZHUTI_KEY", "ZHUTI_api_keys"):
        with pytest.raises(SettingsError, match=f"{name} is not a setting of the service; there are ZHUTI_MODEL, ZHUTI_API_KEYS, "):
            Settings.from_environment({name: "secret"})


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ("", "holds no key"),
        (" , ,", "holds no key"),
        ("secret,密钥", "key 2 of 2 holds"),
        ("a secret", "key 1 of 1 holds"),
        ("\udc80", "key 1 of 1"),
    ],
)
def test_keys_that_would_let_others_in_are_refused_and_not_told(keys: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=f"ZHUTI_API_KEYS: {problem}") as caught:
        Settings.from_environment({"ZHUTI_API_KEYS": keys})
    assert "secret" not in str(caught.value)
