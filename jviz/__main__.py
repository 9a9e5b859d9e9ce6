"""``python -m jviz`` is the command ``jviz``."""

import sys

from jviz.cli import main

sys.exit(main())
