"""A fault inside the service itself: answered in the one shape, logged without a word of the text."""

from __future__ import annotations

import json
import logging
import traceback
from typing import Any

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from serving.envelope import EnvelopeMiddleware
from serving.logs import JsonFormatter
from serving.metrics import Metrics
from tests.serving.test_engine import run
from tests.serving.test_errors import check


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    text = (await receive())["body"].decode()
    raise RuntimeError(f"cannot digest {text}")


def test_an_unforeseen_fault_is_a_500_that_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    client = TestClient(EnvelopeMiddleware(broken, frozenset({"/tag"}), metrics))
    with caplog.at_level(logging.INFO, "zhuti.service"):
        answer = client.post("/tag", content="秘密报告", headers={"X-Request-ID": "fault-1"})
    error = check(answer, 500, "its log has the request id")  # type: ignore[arg-type]
    assert error["request_id"] == "fault-1"
    assert "秘密" not in answer.text
    assert 'status="500"' in metrics.render().decode()
    rows = [json.loads(JsonFormatter().format(record)) for record in caplog.records]
    assert [(row["level"], row["message"], row["request_id"]) for row in rows] == [
        ("error", "a request failed", "fault-1"),
        ("info", "request", "fault-1"),
    ]
    assert rows[0]["exception"] == "RuntimeError"
    assert rows[0]["stack"][-1].startswith(f"{__file__}:")
    assert "秘密" not in json.dumps(rows, ensure_ascii=False)
    assert any("秘密" in line for record in caplog.records if record.exc_info for line in traceback.format_exception(record.exc_info[1]))


def test_a_caller_who_leaves_during_the_upload_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    async def reading(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()

    metrics, sent = Metrics(), []
    messages: list[Message] = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/tag", "headers": []}
    with caplog.at_level(logging.INFO, "zhuti.service"):
        run(EnvelopeMiddleware(reading, frozenset({"/tag"}), metrics)(scope, receive, send))
    assert [message.get("status") for message in sent] == [499, None]  # whoever waits for the end of the request sees it
    assert 'zhuti_requests_total{method="POST",route="/tag",status="499"} 1.0' in metrics.render().decode()
    assert [(record.levelname, record.message) for record in caplog.records] == [("INFO", "request")]
