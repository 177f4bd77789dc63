"""Opening lessons in a browser takes what the lab's own browser tests take."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))  # lab_browser
