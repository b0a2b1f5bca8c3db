"""The Bento is built where no package index can be reached; the documented command serves it from a store of its own, in silence."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.serving.process import PATIENCE, Served
from tests.serving.test_silence import all_of, check_silence, listen

OPERATIONS = ROOT / "docs" / "operations.md"
NOWHERE = "http://127.0.0.1:9"
NOT_OURS = (
    "PYTHONPATH",
    "ZHUTI_MODEL",
    "BENTOML_DO_NOT_TRACK",
)  # which Bento runs, and whether it reports, is for the Bento and its command


def test_the_built_bento_serves(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in NOT_OURS} | listen(tmp_path)
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

    dockerfile = (source.parent / "env" / "docker" / "Dockerfile").read_text(encoding="utf-8")
    assert "ARG BENTOML_DO_NOT_TRACK=True\nENV BENTOML_DO_NOT_TRACK=$BENTOML_DO_NOT_TRACK\n" in dockerfile

    # A mark in the Bento's own copy shows that it is the one that runs, not the repository beside it.
    manifest = source / "models" / "zhuti-small" / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text(encoding="utf-8")) | {"name": "of the bento"}), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "log"
    environment = {name: value for name, value in environment.items() if not name.lower().endswith("_proxy")}
    environment |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}", "BENTOML_PORT": str(port)}
    [documented] = re.findall(r"^(?:\w+=\w+ )*bentoml serve .*$", OPERATIONS.read_text(encoding="utf-8"), re.MULTILINE)
    with log.open("wb") as out:
        process = subprocess.Popen(["env", *documented.split()], cwd=tmp_path, env=environment, stdout=out, stderr=out)
    server = Served(f"http://127.0.0.1:{port}", process, log)
    try:
        server.wait_for("/readyz", 200)
        answer = server.post(json={"text": "举办干部培训班12期。"}).json()
        assert answer["model"] == "of the bento"
        assert [unit["primary"] for unit in answer["units"]] == ["ideology.training"]
        assert server.post("/tag_file", files={"file": ("a.txt", "引进人才。".encode())}).json()["text"] == "引进人才。"
        assert "主题" in server.get("/").text
        assert Path(server.worker().cwd()) == source
        processes = all_of(server)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
    check_silence(tmp_path, processes)


def test_a_setting_that_does_not_fit_ends_the_start_once() -> None:
    environment = os.environ | {"ZHUTI_DEADLINE": "soon", "BENTOML_DO_NOT_TRACK": "True"}
    command = [sys.executable, "-m", "bentoml", "serve", "serving.service:Zhuti"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("zhuti: ZHUTI_DEADLINE=soon: ")
    assert "Traceback" not in ended.stderr
