"""Make the sample set data/gestures again: synthetic, the same every time.

    python data/make_gestures.py [FOLDER]

An existing folder is moved to FOLDER.old first.
"""

import sys
from pathlib import Path

from tinykit.data import synthetic


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "gestures"
    if folder.exists():
        folder.rename(folder.with_name(folder.name + ".old"))
    dataset = synthetic.gestures().save(folder)
    size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    print(dataset.describe())
    print(f"fingerprint {dataset.fingerprint}, {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
