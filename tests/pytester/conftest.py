"""A project with a third party's fake in it, and pytest sessions there."""

import importlib
import pkgutil
from collections.abc import Callable
from textwrap import dedent

import pytest

import pytest_resilience

# pytester forgets what an inner session imports: with half of our modules forgotten and half
# of them kept there would be two of everything, so all of them are kept.
for module in pkgutil.walk_packages(pytest_resilience.__path__, "pytest_resilience."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)

ACME_FAKES = '''
from pytest_resilience import Fake, route

class GitHub(Fake):
    """Issues of any repository, kept in memory."""

    def reset(self):
        self.issues = {}

    @property
    def environment(self):
        return {"GITHUB_URL": self.url, "GITHUB_TOKEN": "ghp_not+for/reports"}

    @route("GET", "/repos/<owner>/<repo>/issues/<int:number>")
    def get_issue(self, request, owner, repo, number):
        return self.issues.get((owner, repo, number)) or (404, {"message": "Not Found"})

    @route("GET", "/boom")
    def boom(self, request):
        raise ValueError("a bug in the fake")

class Picky(Fake):
    def __init__(self, region, **options):
        super().__init__(**options)

class Refusing(Fake):
    def __init__(self, **options):
        super().__init__(**{**options, "port": -1})
'''

ENTRY_POINTS = """
[pytest_resilience.fakes]
github = acme_fakes:GitHub
my-api = acme_fakes:GitHub
gone = acme_nowhere:Gone
thing = acme_fakes:route
picky = acme_fakes:Picky
refusing = acme_fakes:Refusing
"""

CLIENT = '''
import os
import urllib.error
import urllib.request

ISSUE = "/repos/acme/anvil/issues/1"

def get(path=ISSUE, url=None):
    """The status of one GET, or the name of what went wrong."""
    try:
        with urllib.request.urlopen((url or os.environ["GITHUB_URL"]) + path, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError as error:
        return type(error).__name__

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"fine"]
'''

HEADER = """
import os
import pytest
from client import ISSUE, app, get
from pytest_resilience import FOREVER, faults
"""

Session = Callable[..., pytest.RunResult]


def distribution(pytester: pytest.Pytester, name: str, entry_points: str) -> None:
    """Put a distribution on the path of sessions, as an installer would."""
    folder = pytester.mkdir(f"{name.replace('-', '_')}-1.0.dist-info")
    folder.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    folder.joinpath("entry_points.txt").write_text(entry_points)


@pytest.fixture
def acme(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder that has a third party's fakes installed, and a client."""
    distribution(pytester, "acme-fakes", ENTRY_POINTS)
    pytester.path.joinpath("acme_fakes.py").write_text(ACME_FAKES)
    pytester.path.joinpath("client.py").write_text(CLIENT)
    pytester.syspathinsert()
    monkeypatch.setenv("PYTHONPATH", str(pytester.path))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    # Plugins of others are loaded where a test is about them: hypothesis alone costs a second.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return pytester


@pytest.fixture
def session(acme: pytest.Pytester) -> Session:
    """Run the tests in this code, with these arguments, in a session of their own."""

    def run(
        code: str, *arguments: str, conftest: str = "", apart: bool = False
    ) -> pytest.RunResult:
        acme.path.joinpath("test_it.py").write_text(HEADER + dedent(code))
        if conftest:
            acme.path.joinpath("conftest.py").write_text(HEADER + dedent(conftest))
        start = acme.runpytest_subprocess if apart else acme.runpytest_inprocess
        return start("-p", "resilience", *arguments)

    return run
