"""The command ``jviz``: opens the window, runs scripts, tells what is in files."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NoReturn, Union, get_args, get_origin

from jviz import __version__
from jviz.errors import JvizError

__all__ = ["main"]

USAGE = """\
jviz [FILES…]                      open files, folders or a session (.jviz) in the window
  jviz run SCRIPT.py [ARGUMENTS…]    run a saved script without a window
  jviz info FILES… [--header]        say what is in files
  jviz simulate [INSTRUMENT]         simulate raw exposures, their reference files and their truth
  jviz FILES… --screenshot out.png   write the window to a picture instead of showing it
  jviz --demo                        open simulated sample data"""

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process by default.

    Returns
    -------
    int
        0; 1 when something failed, 2 when the command line makes no sense, 130 after Ctrl+C.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    command = {"run": run_script, "info": info, "simulate": simulate}.get(arguments[0] if arguments else "")
    try:
        code = command(arguments[1:]) if command is not None else window(arguments)
        sys.stdout.flush()
    except JvizError as error:
        return complain(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has seen enough; nothing may be written at the exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # a bug of jviz, told in one line like everything else
        if os.environ.get("JVIZ_DEBUG"):
            raise
        return complain(f"This should not have happened: {type(error).__name__}: {error}. "
                        "Set JVIZ_DEBUG=1 to see where, and report it.")  # fmt: skip
    return code


def complain(text: str, code: int = FAILED) -> int:
    """Write one sentence to stderr and return the exit code."""
    print(f"jviz: {text}", file=sys.stderr)
    return code


# --- the window -------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """A parser that ends with one sentence."""

    def error(self, message: str) -> NoReturn:
        complain(f"{message}. See {self.prog} --help.", WRONG_USE)
        raise SystemExit(WRONG_USE)


def window_parser() -> argparse.ArgumentParser:
    """Return the parser of ``jviz [FILES…]``."""
    parser = _Parser("jviz", usage=USAGE, description="Explore astronomical data, above all JWST data.")
    parser.add_argument("files", nargs="*", metavar="FILES", help="files, folders or a session")
    parser.add_argument("--demo", action="store_true", help="open simulated sample data, made on the spot")
    parser.add_argument("--screenshot", type=Path, metavar="OUT.png", help="write the window to a picture and end")
    parser.add_argument("--size", type=_size, metavar="WxH", help="of the window, in pixels")
    parser.add_argument("--theme", choices=["system", "dark", "light"], help="colours of the window, for this once")
    parser.add_argument("--version", action="version", version=f"jviz {__version__}")
    return parser


def window(arguments: list[str]) -> int:
    """Open the window, or draw it into a picture where none can be shown."""
    try:
        given = window_parser().parse_args(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    files = [existing(path) for path in given.files]
    screenshot = given.screenshot or _instead_of_a_window()
    if given.demo:
        from jviz.backend.demo import sample_files

        files += sample_files()
    run = _window_of_qt()
    return run(files, theme=given.theme, size=given.size, screenshot=screenshot)


def existing(path: str) -> Path:
    """Return a path that exists, or raise `JvizError`."""
    if os.path.lexists(path):
        return Path(path)
    raise JvizError(f"There is no file {path}; check its name and folder.")


def _instead_of_a_window() -> Path | None:
    """Tell when no window can be shown, and return where it is drawn then."""
    from jviz.display import problem

    why = problem()
    if not why:
        return None
    picture = Path("jviz.png")
    print(f"No window can be shown, because {why}; what it would show is written to {picture.absolute()}.")
    return picture


def _window_of_qt() -> Any:
    """Import the window; says what is missing when Qt cannot be loaded."""
    from jviz.display import apt_command, missing_packages, problem

    if problem():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    try:
        from jviz.window import run
    except ImportError as error:
        if "PySide6" not in f"{error} {error.name}" and not str(error).startswith("lib"):
            raise
        missing = missing_packages()
        way = f"install what it needs with: {apt_command(missing)}" if missing else "install PySide6-Essentials again"
        raise JvizError(f"Qt cannot be loaded ({error}); {way}.") from error
    return run


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().replace("×", "x").partition("x")
    if not (width.isdigit() and height.isdigit() and 200 <= int(width) <= 20000 and 200 <= int(height) <= 20000):
        raise argparse.ArgumentTypeError(f"{text!r} is no size; give width and height in pixels, such as 1400x900")
    return int(width), int(height)


# --- scripts ----------------------------------------------------------------------------------------


def run_script(arguments: list[str]) -> int:
    """Run a Python program as ``jviz run`` does: without a window, pictures drawn in memory."""
    import runpy

    if not arguments or arguments[0].startswith("-"):
        return complain("say which script to run: jviz run SCRIPT.py [ARGUMENTS…].", WRONG_USE)
    script = existing(arguments[0])
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    before = sys.argv, sys.path[:]
    sys.argv = [str(script), *arguments[1:]]
    sys.path.insert(0, str(script.absolute().parent))
    try:
        runpy.run_path(str(script), run_name="__main__")
    except JvizError as error:
        return complain(f"{_place(script, error)}: {error}")
    except SystemExit as end:
        return _exit_code(end)
    except Exception as error:
        if os.environ.get("JVIZ_DEBUG"):
            raise
        return complain(f"{_place(script, error)}: {type(error).__name__}: {error}")
    finally:
        sys.argv, sys.path[:] = before
    return 0


def _place(script: Path, error: Exception) -> str:
    """Name the line of the script that failed."""
    line = error.lineno if isinstance(error, SyntaxError) else None
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == str(script):
            line = step.tb_lineno
        step = step.tb_next
    return f"{script.name}, line {line}" if line else script.name


def _exit_code(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)
    return FAILED


# --- what is in files -------------------------------------------------------------------------------


def info(arguments: list[str]) -> int:
    """Print what files hold: products, arrays, tables, world coordinates, on demand the headers."""
    import warnings

    from jviz.describe import describe

    parser = _Parser("jviz info", description="Say what is in files.")
    parser.add_argument("files", nargs="+", metavar="FILES")
    parser.add_argument("--header", action="store_true", help="print every header too")
    try:
        given = parser.parse_args(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    code = 0
    for number, path in enumerate(given.files):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what a user should know is among the notes
                text = describe(existing(path), header=given.header)
            print(("\n" if number else "") + text)
        except JvizError as error:
            code = complain(str(error))
    return code


# --- simulated exposures ------------------------------------------------------------------------------


def simulate(arguments: list[str]) -> int:
    """Simulate exposures as the command ``simulate.exposures`` does, and print where they are."""
    from jviz.backend.simulate import plan_of
    from jviz.backend.simulate import simulate as simulated

    try:
        given = vars(_simulate_parser().parse_args(arguments))
    except SystemExit as end:
        return int(end.code or 0)
    folder = given.pop("folder")
    made = simulated(plan_of(**given), folder, progress=_told)
    for path in (*made.exposures, *made.truths, made.catalogue):
        print(path)
    print(f"Their reference files: CRDS_PATH={made.cache}", file=sys.stderr)
    return 0


def _simulate_parser() -> argparse.ArgumentParser:
    """Return a parser that takes what the command takes."""
    from jviz.commands import find
    from jviz.window.docstrings import parameter_docs

    declared = find("simulate.exposures")
    documented = parameter_docs(declared.function)
    parser = _Parser("jviz simulate", description=declared.summary)
    for name, parameter in declared.parameters.items():
        given = [kind for kind in _either(declared.hints[name]) if kind is not type(None)]
        is_choice = get_origin(given[0]) is Literal
        kinds = list(get_args(given[0])) if is_choice else given
        kind = type(kinds[0]) if is_choice else kinds[0]
        words = [name] if parameter.kind is parameter.POSITIONAL_OR_KEYWORD else [f"--{name.replace('_', '-')}"]
        more = {"nargs": "?"} if words == [name] else {}
        default = "" if parameter.default is None else f" [{parameter.default}]"
        text = documented.get(name, "").partition(") ")[2].replace("%", "%%")
        parser.add_argument(*words, type=kind, default=parameter.default, choices=kinds if is_choice else None,
                            metavar=None if is_choice else kind.__name__, help=text + default, **more)  # fmt: skip
    return parser


def _either(hint: Any) -> tuple[Any, ...]:
    """Return the types of which a value may be one."""
    return get_args(hint) if isinstance(hint, UnionType) or get_origin(hint) is Union else (hint,)


def _told(done: float, total: float = 1.0, text: str = "") -> None:
    """Say on a terminal how far the work is."""
    if text and sys.stderr.isatty():
        print(f"{100 * done / total:3.0f} %  {text}", file=sys.stderr)
