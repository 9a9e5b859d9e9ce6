"""Who owns what is in a database."""

import os

from jviz.backend.owners import lives, new_owner


def test_a_program_that_has_the_number_of_an_earlier_one_is_not_it():
    mine = new_owner()
    assert mine != new_owner()
    assert lives(mine)
    pid, started, own = mine.split()
    assert int(pid) == os.getpid()
    assert not lives(f"{pid} {int(started) - 1000} {own}")
    assert not lives(f"{2**22 + 7} {started} {own}")
    assert not lives(pid)  # as earlier versions wrote it
    assert not lives("")
