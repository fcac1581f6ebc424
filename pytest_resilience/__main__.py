"""``python -m pytest_resilience`` is the command ``pytest-resilience``."""

import sys

from pytest_resilience.cli import main

sys.exit(main())
