"""Start the service as a process that runs until it is stopped."""

from __future__ import annotations

import os
from pathlib import Path

from serving.settings import Settings

ROOT = Path(__file__).resolve().parent.parent


def serve_forever(host: str, port: int, model: str) -> None:
    """Run BentoML's supervisor in this process; it starts the worker, restarts it if it dies, and on SIGTERM drains requests and stops.

    :raises SettingsError: for an environment variable that does not fit.
    """
    os.environ |= {"ZHUTI_MODEL": model, "BENTOML_DO_NOT_TRACK": "True"}
    Settings.from_environment()
    import bentoml

    bentoml.serve("serving.service:Zhuti", host=host, port=port, working_dir=str(ROOT), blocking=True)
