"""The command line: scripts and files without a window, one sentence for each error."""

import os
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits

import jviz
from jviz import cli, display
from tests.model.test_convert import wcs_of


@pytest.fixture
def image_file(tmp_path):
    path = tmp_path / "field.fits"
    header = wcs_of(50, 40).to_header()
    header["BUNIT"] = "MJy/sr"
    units = [
        fits.PrimaryHDU(),
        fits.ImageHDU(np.ones((40, 50), np.float32), header, "SCI"),
        fits.ImageHDU(np.ones((40, 50), np.float32), name="ERR"),
        fits.BinTableHDU.from_columns([fits.Column("flux", "D", "Jy", array=np.ones(7))], name="SOURCES"),
    ]
    fits.HDUList(units).writeto(path)
    return path


def process(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "jviz", *map(str, arguments)], capture_output=True, text=True, check=False, **options
    )


def is_one_sentence(text):
    return text.startswith("jviz: ") and text.count("\n") == 1 and "Traceback" not in text


def test_version_and_help(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"jviz {jviz.__version__}\n"
    assert cli.main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(word in out for word in ("run SCRIPT.py", "info", "--screenshot", "--demo", "--theme", "--size"))


def test_version_and_help_import_nothing_heavy():
    code = (
        "import sys; from jviz.cli import main; main(['--version']); "
        "print([m for m in ('numpy', 'astropy', 'PySide6', 'glue') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"


def test_info_says_what_is_in_a_file(capsys, image_file):
    assert cli.main(["info", str(image_file)]) == 0
    out = capsys.readouterr().out
    words = "SCI", "40 × 50", "float32", "MJy/sr", "ERR", "7 rows", "SOURCES", "FITS WCS", "53.09999", "0.036 arc"
    for word in words:
        assert word in out, word
    assert "EXTNAME" not in out
    assert cli.main(["info", "--header", str(image_file)]) == 0
    out = capsys.readouterr().out
    assert "EXTNAME  = 'SCI'" in out
    assert "TFORM1" in out


def test_info_reads_every_real_file_or_says_why_not(shared_data, capsys):
    for path in sorted(shared_data.glob("*.fits*"))[::6]:
        code = cli.main(["info", str(path)])
        captured = capsys.readouterr()
        assert path.name in captured.out if code == 0 else is_one_sentence(captured.err), captured


def test_info_of_a_session(capsys, image_file, tmp_path):
    session = jviz.Session()
    session.open(image_file)
    session.save(tmp_path / "work.jviz")
    session.close()
    assert cli.main(["info", str(tmp_path / "work.jviz")]) == 0
    assert str(image_file) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["info", "nowhere.fits"], 1),
        (["info"], 2),
        (["nowhere.fits"], 1),
        (["--nonsense"], 2),
        (["--size", "5", "x.fits"], 2),
        (["--theme", "pink"], 2),
        (["run"], 2),
        (["run", "nowhere.py"], 1),
    ],
)
def test_errors_are_one_sentence(capsys, tmp_path, monkeypatch, arguments, code):
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == code
    captured = capsys.readouterr()
    assert is_one_sentence(captured.err), captured.err


def test_one_bad_file_does_not_hide_the_others(capsys, image_file, tmp_path):
    (tmp_path / "bad.fits").write_bytes(b"not FITS at all")
    assert cli.main(["info", str(tmp_path / "bad.fits"), str(image_file)]) == 1
    captured = capsys.readouterr()
    assert is_one_sentence(captured.err)
    assert "bad.fits" in captured.err
    assert "40 × 50" in captured.out


def test_a_script_runs_with_its_arguments(tmp_path, image_file):
    script = tmp_path / "mean.py"
    (tmp_path / "beside.py").write_text("factor = 2\n")
    script.write_text(
        "import sys, jviz, numpy as np\nfrom beside import factor\n"
        "session = jviz.Session()\nimage = session.open(sys.argv[1])[0]\n"
        "print(factor * image.get(np.ndarray).mean(), __name__)\n"
    )
    run = process("run", script, image_file)
    assert (run.returncode, run.stdout, run.stderr) == (0, "2.0 __main__\n", "")


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        ("import jviz\nsession = jviz.Session()\nsession.open('nowhere.fits')\n", 1, ("line 3", "nowhere.fits")),
        ("x = 1\n1 / 0\n", 1, ("line 2", "ZeroDivisionError")),
        ("x = (\n", 1, ("line 1", "SyntaxError")),
    ],
)
def test_a_failing_script_is_told_by_its_line(tmp_path, capsys, source, code, words):
    script = tmp_path / "bad.py"
    script.write_text(source)
    assert cli.main(["run", str(script)]) == code
    error = capsys.readouterr().err
    assert is_one_sentence(error)
    assert all(word in error for word in words), error


def test_exit_codes_of_scripts_are_kept(tmp_path, capsys):
    script = tmp_path / "exits.py"
    for line, code in (("raise SystemExit(7)", 7), ("raise SystemExit", 0), ("import sys; sys.exit('enough')", 1)):
        script.write_text(line)
        assert cli.main(["run", str(script)]) == code
    assert capsys.readouterr().err == "enough\n"


def test_a_script_of_a_session_runs(tmp_path, image_file):
    session = jviz.Session()
    session.open(image_file)
    view = session.view("image", data="field")
    view.stretch = "log"
    session.add(np.arange(6.0).reshape(2, 3), name="made")
    script = tmp_path / "work.py"
    script.write_text(session.script() + "print(session.names, session.views['Image 1'].stretch)\n")
    session.close()
    run = process("run", script)
    assert run.returncode == 0, run.stderr
    assert run.stdout == f"{session.names} log\n"


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT for another process")
def test_ctrl_c_ends_a_script_quietly(tmp_path):
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        pytest.skip("the tests run in the background, where shells have Ctrl+C ignored")
    script = tmp_path / "waits.py"
    script.write_text("import time\nprint('ready', flush=True)\ntime.sleep(60)\n")
    command = [sys.executable, "-m", "jviz", "run", str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout.readline() == "ready\n"
        run.send_signal(signal.SIGINT)
        _, error = run.communicate(timeout=10)
    assert (run.returncode, error) == (130, "")


@pytest.mark.skipif(os.name == "nt", reason="no head")
def test_a_reader_that_goes_away_is_no_error(image_file):
    command = f"{sys.executable} -m jviz info --header {image_file} | head -1; exit ${{PIPESTATUS[0]}}"
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


# --- displays ---------------------------------------------------------------------------------------


def test_no_display_is_told():
    assert "no display" in display.problem({}, "linux")
    assert display.problem({}, "darwin") == ""
    assert display.problem({"QT_QPA_PLATFORM": "vnc"}, "linux") == ""
    assert "offscreen" in display.problem({"QT_QPA_PLATFORM": "offscreen"}, "linux")


def test_a_display_that_does_not_answer_is_told(tmp_path):
    assert "does not answer" in display.problem({"DISPLAY": ":4711"}, "linux")
    assert "does not answer" in display.problem({"DISPLAY": "nonsense"}, "linux")
    stale = {"WAYLAND_DISPLAY": "wayland-9", "XDG_RUNTIME_DIR": str(tmp_path)}
    assert "no display" in display.problem(stale, "linux")


def test_a_wayland_socket_that_answers_is_a_display(tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "wayland-0"))
        server.listen()
        assert display.problem({"WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": str(tmp_path)}, "linux") == ""


def test_an_x_server_over_the_network_is_asked():
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1] - 6000
        found = display.problem({"DISPLAY": f"127.0.0.1:{number}.0"}, "linux")
        assert "does not answer" not in found


def test_missing_libraries_are_named_with_the_command():
    libraries = {"libnothing-at-all.so.7": "libnothing7", "libc.so.6": "libc6"}
    if sys.platform.startswith("linux"):
        assert display.missing_packages(libraries) == ["libnothing7"]
        assert display.apt_command(["libegl1"]).endswith("apt-get install -y libegl1")
