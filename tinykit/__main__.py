"""``python -m tinykit``: the same as the command ``tinykit``."""

import sys

from .cli import main

sys.exit(main())
