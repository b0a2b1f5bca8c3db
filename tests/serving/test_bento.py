"""The Bento is built where no package index can be reached, and tags when it is served from a store of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.serving.process import PATIENCE, Served

NOWHERE = "http://127.0.0.1:9"


def test_the_built_bento_serves(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "ZHUTI_MODEL")}
    environment |= {"BENTOML_HOME": str(tmp_path), "PIP_INDEX_URL": NOWHERE, "UV_OFFLINE": "1"}
    environment |= {name: NOWHERE for name in ("http_proxy", "https_proxy", "HTTPS_PROXY")}
    built = subprocess.run([sys.executable, "-m", "serving.bento"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    tag = built.stdout.split()[-1]
    name, version = tag.split(":")
    source = tmp_path / "bentos" / name / version / "src"
    assert sorted(path.name for path in source.iterdir()) == ["LICENSE", "bentofile.yaml", "models", "pyproject.toml", "serving", "zhuti"]
    assert not list(source.rglob("__pycache__"))
    requirements = (source.parent / "env" / "python" / "requirements.txt").read_text(encoding="utf-8")
    assert "openvino" in requirements
    assert "torch" not in requirements

    # A mark in the Bento's own copy shows that it is the one that runs, not the repository beside it.
    manifest = source / "models" / "zhuti-small" / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text(encoding="utf-8")) | {"name": "of the bento"}), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "log"
    environment = {name: value for name, value in environment.items() if not name.lower().endswith("_proxy")}
    with log.open("wb") as out:
        command = [sys.executable, "-m", "bentoml", "serve", tag, "--port", str(port)]
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=out, stderr=out)
    server = Served(f"http://127.0.0.1:{port}", process, log)
    try:
        server.wait_for("/readyz", 200)
        answer = server.post(json={"text": "举办干部培训班12期。"}).json()
        assert answer["model"] == "of the bento"
        assert [unit["primary"] for unit in answer["units"]] == ["ideology.training"]
        assert server.post("/tag_file", files={"file": ("a.txt", "引进人才。".encode())}).json()["text"] == "引进人才。"
        assert "主题" in server.get("/").text
        assert Path(server.worker().cwd()) == source
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
