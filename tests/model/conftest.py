"""What tests of the model share."""

import pytest

import jviz


@pytest.fixture
def session():
    """An empty session whose settings are of nobody else."""
    session = jviz.Session(settings={})
    yield session
    session.close()
