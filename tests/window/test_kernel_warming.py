"""Kernels are compiled in another process before they are wanted, once for each version of them."""

import pytest

import jviz
from jviz.backend.photometry import warming
from jviz.jobs import Job
from jviz.window.app import prepare_kernels


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


def test_it_is_known_whether_the_kernels_are_compiled():
    assert not warming.is_warm()
    told = []
    warming.warm(lambda done, total, text: told.append((done, total)))
    assert warming.is_warm()
    assert told == [(n, len(warming.MODULES)) for n in range(len(warming.MODULES))]


def test_other_source_is_compiled_anew(monkeypatch):
    warming.warm()
    name = warming._mark()
    monkeypatch.setattr(warming, "version", lambda package: "another")
    assert warming._mark() != name
    assert not warming.is_warm()


def test_a_window_has_it_done_by_a_worker(session):
    job = prepare_kernels(session)
    assert isinstance(job, Job)
    assert job.result(240) is None
    assert warming.is_warm()
    assert prepare_kernels(session) is None
