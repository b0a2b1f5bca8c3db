"""Files of a page folder at /: beside the API, never in its way."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from serving import app
from serving.settings import Settings


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    page = tmp_path / "page"
    page.mkdir()
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    (page / "index.html").write_text("<!doctype html><title>主题</title>", encoding="utf-8")
    (page / "page.js").write_text("export {};", encoding="utf-8")
    monkeypatch.setattr(app, "PAGE", page)
    return TestClient(app.Application(Settings(api_keys=("key",))).asgi)


def test_the_page_is_open_and_kept_within_its_own_sources(client: TestClient) -> None:
    index = client.get("/")
    assert (index.status_code, index.text) == (200, "<!doctype html><title>主题</title>")
    assert "script-src 'self'" in index.headers["content-security-policy"]
    script = client.get("/page.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["cache-control"] == "no-cache"
    assert client.get("/page.js", headers={"If-None-Match": script.headers["etag"]}).status_code == 304


def test_the_api_comes_first_and_nothing_else_is_served(client: TestClient) -> None:
    assert client.get("/tag").status_code == 401
    assert client.get("/tag", headers={"Authorization": "Bearer key"}).status_code == 405
    for path in ("/nothing.js", "/../secret", "/%2e%2e/secret", "/..%2fsecret"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    wrong = client.post("/page.js")
    assert (wrong.status_code, wrong.json()["error"]["code"], wrong.headers["allow"]) == (405, "method_not_allowed", "GET, HEAD")
    assert client.post("/nothing.js").status_code == 404
