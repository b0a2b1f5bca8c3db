from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.serving.chromium import chromium
from tests.serving.process import PATIENCE, Served, served


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The service as it is by default, but for its deadline."""
    with served(tmp_path_factory.mktemp("default")) as one:
        yield one


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=1000 * PATIENCE)
    with chromium() as one:
        yield one
