"""Connect to a Ray cluster, or start one on this machine for the time of a run; nothing is reported to anybody."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from zhuti.errors import ZhutiError

_OBJECT_STORE = 512 << 20  # bytes for the shards that are on their way; a cluster that is there already has its own
_PATIENCE = 10.0  # seconds


class ClusterError(ZhutiError):
    """The cluster cannot be used; the message says why."""


def check(address: str | None) -> None:
    """:raises ClusterError: if Ray is not installed or nothing answers at the address; Ray itself would try for minutes."""
    if find_spec("ray") is None:
        raise ClusterError("--engine ray needs Ray; install the extra in the clone: pip install -e '.[ray]'")
    if address in (None, "auto"):
        return
    host, _, port = address.rpartition(":")
    if not port.isdecimal() or not host or "/" in host:
        raise ClusterError(f"--address {address}: expected HOST:PORT or auto, on a machine of the cluster")
    try:
        socket.create_connection((host, int(port)), _PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(f"--address {address}: no Ray cluster answers there: {error}") from None


@contextmanager
def cluster(address: str | None) -> Iterator[Any]:
    """:return: the module ``ray``, connected and quiet. :raises ClusterError: if there is no cluster, or it breaks down."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_worker_niceness", "0")  # as the local engine; Ray's 15 stands back behind everything else
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # what users must know comes as an exception
    import ray
    import ray.data

    settings: dict[str, Any] = {} if address else {"include_dashboard": False, "object_store_memory": _OBJECT_STORE}
    try:
        ray.init(address or "local", logging_level=logging.ERROR, log_to_driver=False, **settings)
    except Exception as error:  # Ray raises that class itself where a node takes too long to start
        raise ClusterError(f"--address {address or 'local'}: no Ray cluster can be used there: {str(error).splitlines()[0]}") from error
    try:
        _configure(ray)
        yield ray
    except ray.exceptions.RayError as error:
        raise ClusterError(f"the Ray cluster gave up: {str(error).strip().splitlines()[-1]}; --resume goes on with what is done") from error
    finally:
        ray.shutdown()


def _configure(ray: Any) -> None:
    for handler in logging.getLogger("ray.data").handlers:
        if isinstance(handler, logging.StreamHandler):  # its log file stays
            handler.setLevel(logging.CRITICAL)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.target_max_block_size = 1  # byte: every shard is a block of its own, so that they spread over the actors
