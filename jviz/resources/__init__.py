"""Files that jviz needs at run time: icons and lists."""

from pathlib import Path

__all__ = ["resource"]


def resource(name: str) -> Path:
    """Return the path of a resource, such as ``"icons/jviz.svg"``.

    Raises
    ------
    FileNotFoundError
        When there is none of that name: the installation is damaged.
    """
    path = Path(__file__).parent / name
    if not path.is_file():
        raise FileNotFoundError(f"jviz has no resource {name}; install jviz again.")
    return path
