"""`fake_server_session`: servers of any app that all tests share."""

from collections.abc import Callable

import pytest

Session = Callable[..., pytest.RunResult]

API = """
    @pytest.fixture(scope="session")
    def api(fake_server_session):
        return fake_server_session(app)
"""


def test_one_server_serves_all_tests(session: Session) -> None:
    """The server is the same one; trace and plan are each test's own, and it is stopped at last."""
    result = session(
        """
        URLS = []

        def test_first(api):
            URLS.append(api.url)
            api.fail(503)
            assert [get("/a", api.url), get("/b", api.url)] == [503, 200]

        @pytest.mark.resilience(unmet=True)
        def test_second(api):
            assert [api.url] == URLS
            assert get("/", api.url) == 200
            assert api.trace.statuses == [200]
            api.fail(503, times=3)

        def test_third(request):
            api = request.getfixturevalue("api")
            assert get("/", api.url) == 200
        """,
        conftest=API
        + """
    SERVERS = set()

    @pytest.fixture(autouse=True)
    def _seen(api):
        assert api.running
        SERVERS.add(api)

    def pytest_terminal_summary(terminalreporter):
        terminalreporter.write_line(f"running: {[server.running for server in SERVERS]}")
""",
    )

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["running: [[]False]"])


def test_each_call_makes_another_one(session: Session) -> None:
    """Two calls, two servers, each with random numbers of its own; options are FakeServer's."""
    result = session(
        """
        def test_two(one, other):
            assert one.url != other.url
            assert one.plan.seed + 1 == other.plan.seed
            assert (get("/", one.url), get("/", other.url), get("/", other.url)) == (200, 200, 200)
            assert (len(one.trace), len(other.trace), other.trace.forgotten) == (1, 1, 1)
        """,
        conftest="""
        @pytest.fixture(scope="session")
        def one(fake_server_session):
            return fake_server_session(app)

        @pytest.fixture(scope="module")
        def other(fake_server_session):
            return fake_server_session(app, keep=1)
        """,
    )

    result.assert_outcomes(passed=1)


def test_each_test_is_judged(session: Session) -> None:
    """What a test plans and never meets fails it, and no other, however it came by the server."""
    result = session(
        """
        def test_first(api):
            api.fail(503)

        def test_second(api):
            assert get("/", api.url) == 200

        def test_third(request):
            request.getfixturevalue("api").fail(503)

        def test_of_others(fake_server):
            assert get("/", fake_server(app).url) == 200
        """,
        conftest=API,
    )

    result.assert_outcomes(passed=4, errors=2)
    result.stdout.fnmatch_lines(
        [
            "ERROR test_it.py::test_first - Failed: fake_server_session: a planned fault *",
            "ERROR test_it.py::test_third - Failed: fake_server_session: a planned fault *",
        ]
    )


def test_fakes_bring_their_variables(session: Session) -> None:
    """A class derived from Fake, or an instance: its variables are there for whom it serves."""
    result = session(
        """
        def test_first(github):
            assert os.environ["GITHUB_URL"] == github.url
            assert get("/repos/acme/anvil/issues/1") == 404
            github.issues["acme", "anvil", 1] = {"title": "too heavy"}
            github.stop()

        def test_without_it(fake_server):
            assert "GITHUB_URL" not in os.environ

        def test_second(github):
            assert get() == 200
            assert github.trace.statuses == [200]

        def test_instance(fake_server_session):
            from acme_fakes import GitHub

            github = fake_server_session(GitHub())
            assert os.environ["GITHUB_URL"] == github.url
        """,
        conftest="""
        @pytest.fixture(scope="session")
        def github(fake_server_session):
            from acme_fakes import GitHub

            return fake_server_session(GitHub)
        """,
    )

    result.assert_outcomes(passed=4)


def test_what_is_no_app_is_refused(session: Session) -> None:
    """The error names the fixture that was called."""
    result = session("""
        def test_it(fake_server_session):
            assert repr(fake_server_session) == "<fake_server_session: call it with an app>"
            fake_server_session(42)
        """)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*fake_server_session wants a WSGI application or a class derived from Fake, got 42*"]
    )
