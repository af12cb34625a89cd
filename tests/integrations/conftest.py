"""What tests of integrations share."""

from collections.abc import Iterator

import pytest

from autolog.instrument import faults


@pytest.fixture(autouse=True)
def no_swallowed_errors() -> Iterator[None]:
    """Fails a test in which an error of ours was kept from the user's program."""
    faults.clear()
    yield
    swallowed = faults.recent()
    faults.clear()
    assert not swallowed, swallowed[0].text
