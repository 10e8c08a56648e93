"""Random input for the differential tests. The seed is fixed: a failure repeats."""

from __future__ import annotations

import random

import pytest


@pytest.fixture
def rng() -> random.Random:
    return random.Random(20260101)
