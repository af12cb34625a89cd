"""Weights that are the same in each run, and no processes that compile beside the tests."""

import os

import pytest
import torch

# Read when the compiler is first imported; by default it keeps processes of its own.
os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)
