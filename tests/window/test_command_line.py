"""The program as a whole: started as a user starts it, in a process of its own."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from astropy.io import fits

import jviz

PROGRAM = [sys.executable, "-m", "jviz"]


@pytest.fixture
def environment(own_folders):
    """Without any display; folders of its own."""
    drop = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return {name: value for name, value in os.environ.items() if name not in drop}


@pytest.fixture
def image_file(tmp_path):
    path = tmp_path / "field.fits"
    y, x = np.mgrid[:80, :100]
    fits.PrimaryHDU(np.exp(-((x - 50) ** 2 + (y - 40) ** 2) / 300).astype(np.float32)).writeto(path)
    return path


def size_of(path):
    from PIL import Image

    with Image.open(path) as picture:
        return picture.size, len(picture.convert("RGB").getcolors(1 << 24))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
def test_without_a_display_the_window_becomes_a_picture(environment, image_file, tmp_path):
    run = subprocess.run(
        [*PROGRAM, str(image_file)], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    assert "no display" in run.stdout
    assert str(tmp_path / "jviz.png") in run.stdout
    size, colours = size_of(tmp_path / "jviz.png")
    assert size == (1400, 900)
    assert colours > 50
    assert "Traceback" not in run.stderr


def test_a_screenshot_has_the_size_and_theme_that_are_asked_for(environment, image_file, tmp_path):
    means = {}
    for theme in ("dark", "light"):
        picture = tmp_path / f"{theme}.png"
        command = [*PROGRAM, str(image_file), "--screenshot", str(picture), "--size", "900x700", "--theme", theme]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert run.returncode == 0, run.stderr
        assert size_of(picture)[0] == (900, 700)
        from PIL import Image

        with Image.open(picture) as image:
            means[theme] = np.asarray(image.convert("L")).mean()
    assert means["light"] > means["dark"] + 20


def test_a_session_file_opens_as_it_was(environment, image_file, tmp_path):
    session = jviz.Session()
    session.open(image_file)
    session.view("image", data="field", colormap="viridis")
    path = session.save(tmp_path / "work.jviz")
    session.close()
    picture = tmp_path / "out.png"
    command = [*PROGRAM, str(path), "--screenshot", str(picture)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    from PIL import Image

    with Image.open(picture) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    # Viridis ends in a yellow that nothing else of the window has.
    assert ((abs(pixels - (253, 231, 37)) < 12).all(axis=2)).sum() > 20


def test_a_bad_file_is_one_sentence_and_an_exit_code(environment, tmp_path):
    (tmp_path / "bad.fits").write_bytes(b"this is no FITS file")
    command = [*PROGRAM, str(tmp_path / "bad.fits"), "--screenshot", str(tmp_path / "out.png")]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert run.returncode == 1
    assert run.stderr.startswith("jviz: ")
    assert "bad.fits" in run.stderr
    assert run.stderr.count("\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT for another process")
def test_ctrl_c_closes_the_window_properly(image_file, own_folders):
    code = f"""
import sys
from PySide6.QtCore import QTimer
from jviz.window import app
real = app.launch
def launch(*arguments, **options):
    window = real(*arguments, **options)
    # A job that never ends must not keep the window.
    def endless(job):
        import time
        while True:
            job.report(0)
            time.sleep(0.01)
    def look():
        if window.startup.is_done and window.session.data:
            window.session.jobs.submit("Endless", endless)
            window.keeper._autosave.save_now().result(20)
            print("ready", flush=True)
            timer.stop()
    timer = QTimer(window, interval=50)
    timer.timeout.connect(look)
    timer.start()
    return window
app.launch = launch
sys.exit(app.run([{str(image_file)!r}]))
"""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout.readline() == "ready\n"
        time.sleep(0.3)
        run.send_signal(signal.SIGINT)
        _, error = run.communicate(timeout=30)
    assert (run.returncode, error) == (130, "")
    assert not list((own_folders / "data" / "recovery").glob("*"))


def test_warnings_go_to_the_log_and_not_to_the_terminal(environment, image_file):
    code = f"""
import sys, warnings
from PySide6.QtCore import QTimer
from jviz.window import app
real = app.launch
def launch(*arguments, **options):
    window = real(*arguments, **options)
    def warn():
        warnings.warn("an oddity of a file", UserWarning)
        print([record.level for record in window.context.records.lines() if "an oddity" in record.text])
        window.close_at_once()
    QTimer.singleShot(0, window, warn)
    return window
app.launch = launch
sys.exit(app.run([{str(image_file)!r}]))
"""
    run = subprocess.run([sys.executable, "-c", code], env={**environment, "QT_QPA_PLATFORM": "offscreen"},
                         capture_output=True, text=True, timeout=120)  # fmt: skip
    assert (run.returncode, run.stdout, run.stderr) == (0, "[30]\n", "")


START = """
import sys, threading
import jviz
from jviz.window.app import application
keep = application()
late = ("jviz.plugins.", "jviz.viewers.spectrum", "jviz.viewers.catalog", "jviz.viewers.cube")
print(sorted(m for m in sys.modules if m.startswith(late)))
heard = []
session = jviz.Session()
session.views_awaited.connect(lambda kinds: heard.append((sorted(map(str, kinds)), threading.current_thread().name)))
for id, arguments in (("file.open", {"paths": [sys.argv[1]]}), ("file.save_session", {"path": sys.argv[2]}),
                      ("file.open_session", {"path": sys.argv[2]}), ("file.open", {"paths": [sys.argv[2]]})):
    session.submit(id, **arguments).result()
for kinds, thread in heard:
    print(kinds, thread != threading.main_thread().name)
"""


def test_a_start_imports_the_viewer_of_images_only_and_others_while_their_files_are_read(tmp_path):
    table = tmp_path / "stars.csv"
    table.write_text("ra,dec\n1,2\n3,4\n")
    command = [sys.executable, "-c", START, str(table), str(tmp_path / "kept.jviz")]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    # Opened from its file, from a session, and from one that is added to what is there.
    first, *read = run.stdout.splitlines()
    assert first == "[]"
    assert read == ["['table'] True", "[] True", "[] True"] or read == ["['table'] True"] * 3
