"""``python -m tinykit.cli``."""

import sys

from . import main

sys.exit(main())
