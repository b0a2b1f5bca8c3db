"""Start the service as a process that runs until it is stopped."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from serving.settings import Settings

ROOT = Path(__file__).resolve().parent.parent


def serve_forever(host: str, port: int, model: str) -> None:
    """Replace this process by BentoML's server; it drains requests and stops on SIGTERM.

    :raises SettingsError: for an environment variable that does not fit.
    """
    Settings.from_environment()
    environment = os.environ | {"ZHUTI_MODEL": model, "BENTOML_DO_NOT_TRACK": "True"}
    command = [
        sys.executable,
        "-m",
        "bentoml",
        "serve",
        "serving.service:Zhuti",
        "--host",
        host,
        "--port",
        str(port),
        "--working-dir",
        str(ROOT),
    ]
    os.execve(sys.executable, command, environment)
