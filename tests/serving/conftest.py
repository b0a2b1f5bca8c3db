from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.serving.process import Served, served


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The service as it is by default."""
    with served(tmp_path_factory.mktemp("default")) as one:
        yield one
