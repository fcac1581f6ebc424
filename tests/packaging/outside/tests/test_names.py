"""A plugin that is installed must not take anybody's names."""

from pathlib import Path

import examples
import fakes
import tests

HERE = Path(__file__).parents[1]


def test_fakes_is_this_projects() -> None:
    """`import fakes` gives the project its own package."""
    assert Path(fakes.__file__) == HERE / "fakes" / "__init__.py"
    assert fakes.FORECAST[examples.CITY] == "snow"


def test_examples_and_tests_are_this_projects() -> None:
    """`import examples` and `import tests` do too."""
    assert Path(examples.__file__) == HERE / "examples" / "__init__.py"
    assert Path(tests.__file__) == HERE / "tests" / "__init__.py"
