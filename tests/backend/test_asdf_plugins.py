"""ASDF in this process."""

import subprocess
import sys


def test_what_is_stored_as_asdf_is_read_without_the_pipelines(tmp_path):
    code = (
        "import sys; from jviz.backend.asdf_plugins import asdf_library; asdf = asdf_library();"
        "asdf.AsdfFile({'a': 1}).write_to(sys.argv[1]); f = asdf.open(sys.argv[1]); assert f['a'] == 1; f.close();"
        "heavy = {'jwst', 'stpipe', 'stcal', 'crds', 'specutils', 'ndcube', 'dask', 'matplotlib', '_pytest'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "a.asdf"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
