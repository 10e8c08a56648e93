"""Fixtures: the embedded database, fresh or shared by a module's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tertulia.database import Database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A started embedded database of the test's own."""
    database = Database("", tmp_path / "postgres")
    await database.start()
    yield database
    await database.close()
