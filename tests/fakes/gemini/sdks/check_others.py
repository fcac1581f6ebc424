"""What docs/gemini.md says of the other clients is what they do; `make sdks` runs this."""

import pytest

from tests.fakes.gemini.sdks import table


@pytest.mark.parametrize("name", ["others", "others-streams"])
def test_the_table_is_true(name: str) -> None:
    """Exceptions, attempts and waits; those of @google/genai to the second."""
    untrue = table.untrue(name, table.of_the_others(name))
    if untrue:
        pytest.fail("docs/gemini.md is untrue; `make sdks WRITE=1` mends it\n" + "\n".join(untrue))
