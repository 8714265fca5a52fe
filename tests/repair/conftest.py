"""The catalogue of answers, which the damages are done to, is read where it lies."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "answers"))
