"""The variables that point clients at a fake hold for the length of a test, and no longer."""

import os
from collections.abc import Callable

import pytest

Session = Callable[..., pytest.RunResult]

IS_CLEAN = """
def test_after():
    assert "GITHUB_URL" not in os.environ
    assert os.environ["GITHUB_TOKEN"] == "mine"
"""


@pytest.fixture(autouse=True)
def _mine(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the variables was set before, the other was not."""
    monkeypatch.setenv("GITHUB_TOKEN", "mine")
    monkeypatch.delenv("GITHUB_URL", raising=False)


@pytest.mark.parametrize(
    "body",
    [
        "def test_it(fake_github):\n    assert get() == 404",
        "def test_it(fake_github):\n    assert os.environ['GITHUB_TOKEN'] != 'mine'",
        "def test_it(fake_github):\n    pytest.skip('not today')",
        "def test_it(fake_github):\n    assert not 'this fails'",
        "def test_it(fake_github, needs_what_is_not_there):\n    pass",
        "def test_it(fake_github):\n    get('/nowhere')",
        "def test_it(fake_github):\n    os.environ.pop('GITHUB_URL')",
        "def test_it(fake_github):\n    os.environ['GITHUB_URL'] = 'elsewhere'",
        "def test_it(fake_github, monkeypatch):\n    monkeypatch.setenv('GITHUB_URL', 'x')",
        "def test_it(monkeypatch, fake_github):\n    monkeypatch.setenv('GITHUB_URL', 'x')",
        "def test_it(monkeypatch, fake_github):\n    monkeypatch.delenv('GITHUB_TOKEN')",
        (
            "def test_it(monkeypatch, request):\n"
            "    request.getfixturevalue('fake_github')\n"
            "    monkeypatch.setenv('GITHUB_URL', 'x')"
        ),
        "def test_it(fake_github_session):\n    assert get() == 404",
        "def test_it(fake_github, fake_my_api):\n    assert fake_my_api.url in os.environ.values()",
    ],
)
def test_variables_are_put_back(session: Session, body: str) -> None:
    """However a test ends, and whatever it did to them, the next one finds what was there."""
    result = session(f"{body}\n\n{IS_CLEAN}", "-rA")

    result.stdout.fnmatch_lines(["PASSED test_it.py::test_after"])
    assert "GITHUB_URL" not in os.environ
    assert os.environ["GITHUB_TOKEN"] == "mine"


@pytest.mark.parametrize("arguments", ["theirs, fake_github", "theirs, fake_server, fake_github"])
def test_a_fixture_before_the_fake_puts_its_variables_back(
    session: Session, arguments: str
) -> None:
    """What a fixture has set before the fake came, it takes away after the fake has gone."""
    result = session(f"""
        @pytest.fixture
        def theirs(monkeypatch):
            monkeypatch.setenv("GITHUB_URL", "theirs")
            yield
            assert os.environ["GITHUB_URL"] == "theirs"

        def test_it({arguments}):
            assert os.environ["GITHUB_URL"] == fake_github.url
            if "fake_server" in "{arguments}":
                other = fake_server(type(fake_github))
                assert os.environ["GITHUB_URL"] == other.url

        {IS_CLEAN.replace(chr(10), chr(10) + "        ")}
        """)

    result.assert_outcomes(passed=2)
    assert "GITHUB_URL" not in os.environ


def test_a_modules_own_variables_stay(session: Session) -> None:
    """A wider fixture's variables are put back by it, after ours were."""
    result = session("""
        @pytest.fixture(scope="module")
        def theirs():
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("GITHUB_URL", "theirs")
                yield

        class TestInside:
            def test_ours(self, theirs, fake_github):
                assert os.environ["GITHUB_URL"] == fake_github.url

            def test_theirs(self, theirs):
                assert os.environ["GITHUB_URL"] == "theirs"

            def test_last(self, theirs, fake_github):
                assert get() == 404
        """)

    result.assert_outcomes(passed=3)
    assert "GITHUB_URL" not in os.environ


@pytest.mark.parametrize(
    ("arguments", "mark"),
    [
        ((), "@pytest.mark.resilience(env=False)"),
        (("--resilience-env=no",), ""),
        (("-o", "resilience_env=false"), ""),
        (("-o", "resilience_env=true"), "@pytest.mark.resilience(env=False)"),
    ],
)
def test_variables_can_be_left_alone(
    session: Session, arguments: tuple[str, ...], mark: str
) -> None:
    """The marker, the option and the ini switch them off."""
    result = session(
        f"""
{mark}
def test_it(fake_github):
    assert "GITHUB_URL" not in os.environ
    assert os.environ["GITHUB_TOKEN"] == "mine"
""",
        *arguments,
    )

    result.assert_outcomes(passed=1)


SAYS = """
from pytest_resilience import Fake

class Parcels(Fake):
    {environment}

def test_it(fake_server):
    fake_server(Parcels)
"""


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        (
            "environment = property(lambda self: {'PARCELS_KEY': 735})",
            "*PlanError: Parcels.environment[[]'PARCELS_KEY'] is of type int: wanted texts, say *",
        ),
        (
            "environment = property(lambda self: {7: 'seven'})",
            "*PlanError: Parcels.environment[[]7] is of type str: wanted texts, *",
        ),
        (
            "environment = lambda self: {}",
            "*PlanError: Parcels.environment is of type method: wanted a property that is a *",
        ),
    ],
)
def test_variables_that_are_no_texts_are_refused(
    session: Session, environment: str, line: str
) -> None:
    """In one line that names the fake and the variable, and no value."""
    result = session(SAYS.format(environment=environment))

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([line])
