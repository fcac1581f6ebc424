"""Fixtures: servers that a test gets, and that are gone after it."""

from collections.abc import Callable

import pytest

Session = Callable[..., pytest.RunResult]


def test_fake_server_serves_any_app(session: Session) -> None:
    """`fake_server(app)` is a server, several are several, and all are stopped in the end."""
    result = session("""
        SERVERS = []

        def test_two(fake_server):
            one, other = fake_server(app), fake_server(app, keep=1)
            SERVERS.extend([one, other])
            assert get("/", one.url) == get("/", other.url) == get("/", other.url) == 200
            assert one.trace.statuses == [200]
            assert (len(other.trace), other.trace.forgotten) == (1, 1)

        def test_stopped():
            assert [server.running for server in SERVERS] == [False, False]
        """)

    result.assert_outcomes(passed=2)


def test_fake_server_needs_no_app(session: Session) -> None:
    """`fake_server()` answers everything with 200, and takes options."""
    result = session("""
        def test_it(fake_server):
            server = fake_server(keep=1)
            server.fail(503)
            assert [get("/a", server.url), get("/b?c", server.url)] == [503, 200]
            assert server.trace.statuses == [200]
        """)

    result.assert_outcomes(passed=1)


def test_fake_server_takes_fakes(session: Session) -> None:
    """`fake_server` runs a class derived from Fake, or an instance, as well as an app."""
    result = session("""
        from acme_fakes import GitHub

        def test_class(fake_server):
            github = fake_server(GitHub, keep=2)
            assert os.environ["GITHUB_URL"] == github.url
            assert get() == 404

        def test_instance(fake_server):
            github = fake_server(GitHub())
            assert get() == 404
            assert github.trace.statuses == [404]
        """)

    result.assert_outcomes(passed=2)


def test_a_server_that_many_tests_are_given(session: Session) -> None:
    """It carries nothing from one test into the next but what its author has planned for all."""
    result = session("""
        from acme_fakes import GitHub

        GITHUB = GitHub(seed=7)
        GITHUB.fail(418, path="/tea", times=FOREVER)

        @pytest.mark.resilience(unmatched=True, unmet=True, errors=True)
        def test_leaves_much_behind(fake_server):
            GITHUB.fail(418)
            github = fake_server(GITHUB)
            github.fail(503, times=2)
            assert [get("/nowhere"), get("/boom"), get(ISSUE)] == [418, 503, 503]
            assert [get("/nowhere"), get("/boom")] == [404, 500]
            github.fail(faults.never_read())

        def test_does_nothing_wrong(fake_server):
            GITHUB.fail(429)
            github = fake_server(GITHUB)
            assert [get(), get(), get("/tea")] == [429, 404, 418]
            assert github.trace.statuses == [429, 404, 418]

        def test_for_all(fake_server_session):
            assert fake_server_session(GITHUB).trace.statuses == []
            assert get("/tea") == 418
        """)

    result.assert_outcomes(passed=3)


def test_a_factory_that_was_kept_is_refused(session: Session) -> None:
    """Its test has ended: a server that it made would run for ever, and nobody would judge it."""
    result = session("""
        KEPT = []

        def test_keeps(fake_server):
            KEPT.append(fake_server)

        def test_uses():
            KEPT[0]()
        """)

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["E *ResilienceError: fake_server has ended with its test, nobody would stop or judge *"]
    )


def test_fake_server_stops_what_it_can(session: Session) -> None:
    """A server that cannot be stopped, or pointed at, keeps no other one running."""
    result = session("""
        from pytest_resilience import FakeServer

        SERVERS = []

        class Stubborn(FakeServer):
            def stop(self):
                super().stop()
                raise OSError("will not")

        class Nowhere(FakeServer):
            @property
            def environment(self):
                raise OSError("no address")

        def test_stubborn(fake_server):
            SERVERS.extend(fake_server(kind()) for kind in (FakeServer, Stubborn, Stubborn))

        def test_nowhere(fake_server):
            SERVERS.append(Nowhere())
            fake_server(SERVERS[-1])

        def test_stopped():
            assert [server.running for server in SERVERS] == [False] * 4
        """)

    result.assert_outcomes(passed=2, failed=1, errors=1)
    result.stdout.fnmatch_lines(["*OSError: no address", "*OSError: will not"], consecutive=False)


def test_fake_server_refuses_what_it_cannot_serve(session: Session) -> None:
    """Something that is no app is refused where it is handed over, in one line."""
    result = session("""
        from acme_fakes import GitHub

        def test_no_app(fake_server):
            fake_server(42)

        def test_made_already(fake_server):
            fake_server(GitHub(), keep=3)
        """)

    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "*wants a WSGI application or a class derived from Fake, got 42",
            "*fake_server takes no options with GitHub(...), it is made already: *",
        ]
    )


def test_each_test_has_a_fake_of_its_own(session: Session) -> None:
    """A function-scoped fake is clean: nothing of the test before is in it."""
    result = session("""
        def test_first(fake_github):
            fake_github.issues["acme", "anvil", 1] = {"title": "too heavy"}
            fake_github.fail(503)
            assert [get(), get()] == [503, 200]

        def test_second(fake_github):
            assert get() == 404
            assert fake_github.trace.statuses == [404]
        """)

    result.assert_outcomes(passed=2)


def test_session_fakes_share_what_is_stored(session: Session) -> None:
    """A session's fake keeps what it stores; trace, plan and errors are each test's own."""
    result = session("""
        def test_first(fake_github_session):
            fake_github_session.issues["acme", "anvil", 1] = {"title": "too heavy"}
            fake_github_session.down()

        @pytest.mark.resilience(unmet=True, unmatched=True, errors=True)
        def test_second(fake_github_session):
            assert get() == 200
            assert (get("/nowhere"), get("/boom")) == (404, 500)
            fake_github_session.fail(503, times=FOREVER)

        def test_third(fake_github_session):
            assert fake_github_session.trace.statuses == []
            assert get() == 200

        def test_without_it():
            assert "GITHUB_URL" not in os.environ

        def test_dynamic(request):
            assert "GITHUB_URL" not in os.environ
            github = request.getfixturevalue("fake_github_session")
            assert get() == 200
            assert github.trace.statuses == [200]
        """)

    result.assert_outcomes(passed=5)


def test_session_fakes_serve_wider_fixtures(session: Session) -> None:
    """A module's fixture can use a session's fake, its variables included."""
    result = session(
        """
        def test_first(stored):
            assert get() == 200

        def test_second(request):
            request.getfixturevalue("stored")
            assert get() == 200
        """,
        conftest="""
        @pytest.fixture(scope="module")
        def stored(fake_github_session):
            assert os.environ["GITHUB_URL"] == fake_github_session.url
            fake_github_session.issues["acme", "anvil", 1] = {"title": "too heavy"}
        """,
    )

    result.assert_outcomes(passed=2)


def test_session_fakes_are_up_for_each_test(session: Session) -> None:
    """A test that stops a session's fake does not take it from the others."""
    result = session("""
        def test_first(fake_github_session):
            fake_github_session.stop()

        def test_second(fake_github_session):
            assert get() == 404
        """)

    result.assert_outcomes(passed=2)


def test_session_fakes_can_be_overridden(session: Session) -> None:
    """A user's `fake_github_session` may stand on ours, asked for in any way, in any test."""
    result = session(
        """
        def test_first(request):
            assert request.getfixturevalue("fake_github_session").stored
            assert get() == 200

        def test_second(request):
            assert request.getfixturevalue("fake_github_session").stored
            assert get() == 200
        """,
        conftest="""
        @pytest.fixture(scope="session")
        def fake_github_session(fake_github_session):
            fake_github_session.issues["acme", "anvil", 1] = {"title": "too heavy"}
            fake_github_session.stored = True
            return fake_github_session
        """,
    )

    result.assert_outcomes(passed=2)


def test_session_fakes_are_judged_by_test(session: Session) -> None:
    """What a test leaves in a session's fake fails that test, and no other."""
    result = session("""
        def test_first(fake_github_session):
            get("/nowhere")

        def test_second(fake_github_session):
            assert get() == 404
        """)

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["ERROR test_it.py::test_first - Failed: fake_github_session*"])


@pytest.mark.parametrize(
    "way",
    [
        "def test_it(fake_github):\n    assert get() == 404",
        "def test_it(request):\n    request.getfixturevalue('fake_github')\n    assert get()",
        "@pytest.mark.usefixtures('fake_github')\ndef test_it():\n    assert get() == 404",
        "class TestIt:\n    def test_it(self, fake_github):\n        assert get() == 404",
        "@pytest.mark.parametrize('n', [404])\ndef test_it(n, fake_github):\n    assert get() == n",
        "def test_it(through_conftest):\n    assert get() == 404",
        "def test_it(fake_my_api):\n    assert get() == 404",
        (
            "import unittest\n"
            "@pytest.mark.usefixtures('fake_github')\n"
            "class TestIt(unittest.TestCase):\n"
            "    def test_it(self):\n"
            "        self.assertEqual(get(), 404)"
        ),
        (
            "import unittest\n"
            "class TestIt(unittest.TestCase):\n"
            "    @pytest.fixture(autouse=True)\n"
            "    def _github(self, fake_github):\n"
            "        self.github = fake_github\n"
            "    def test_it(self):\n"
            "        self.assertEqual(get(), 404)\n"
            "        self.assertEqual(self.github.trace.statuses, [404])"
        ),
    ],
)
def test_other_peoples_fakes_have_a_fixture(session: Session, way: str) -> None:
    """Whatever is installed under the entry point group can be asked for, in any way."""
    through = "@pytest.fixture\ndef through_conftest(fake_github):\n    return fake_github\n"

    result = session(way, conftest=through)

    result.assert_outcomes(passed=1)


def test_a_fixture_of_ones_own_stands_on_ours(session: Session) -> None:
    """A user's `fake_github` may override ours and ask for it."""
    result = session(
        "def test_it(fake_github):\n    assert get() == 200\n",
        conftest="""
        @pytest.fixture
        def fake_github(fake_github):
            fake_github.issues["acme", "anvil", 1] = {"title": "too heavy"}
            return fake_github
        """,
    )

    result.assert_outcomes(passed=1)


def test_fixtures_lists_all(session: Session) -> None:
    """`pytest --fixtures` lists the fixtures of installed fakes with ours."""
    result = session("def test_it():\n    pass\n", "--fixtures")

    result.stdout.fnmatch_lines_random(  # pytest orders them by the text of their place
        [
            "fake_vault -- *",
            "fake_vault_session [[]session scope[]] -- *",
            "fake_gemini -- *",
            "fake_server -- *",
            "fake_github -- *",
            "    The fake github (acme_fakes:GitHub), of this test alone.",
            "fake_github_session [[]session scope[]] -- *",
            "fake_my_api -- *",
        ]
    )


def test_an_unknown_fake_names_the_nearest(session: Session) -> None:
    """A fixture that does not exist is told with the nearest one that does."""
    result = session("""
        def test_it(fake_githbu):
            pass

        def test_dynamic(request):
            request.getfixturevalue("fake_vualt")

        def test_nothing_like_it(fake_database):
            pass
        """)

    result.assert_outcomes(errors=2, failed=1)
    result.stdout.fnmatch_lines_random(
        [
            "E * fixture 'fake_githbu' not found; did you mean 'fake_github'?",
            "E * fixture 'fake_vualt' not found; did you mean 'fake_vault'?",
            "E * fixture 'fake_database' not found",
            "* fixtures of installed fakes: *fake_github, fake_github_session*",
        ]
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (
            "fake_gone",
            (
                "the fake 'gone' of acme-fakes (acme_nowhere:Gone) cannot be loaded: "
                "ModuleNotFoundError: No module named 'acme_nowhere'"
            ),
        ),
        (
            "fake_thing",
            "the fake 'thing' of acme-fakes (acme_fakes:route) is not a class derived from Fake: *",
        ),
        (
            "fake_picky",
            (
                "the fake 'picky' of acme-fakes (acme_fakes:Picky) cannot be made by "
                "Picky(seed=*, keep=None): TypeError: *'region'"
            ),
        ),
        ("fake_refusing", "*port*-1*"),
    ],
)
def test_a_broken_fake_says_so(session: Session, name: str, reason: str) -> None:
    """A fake that cannot be loaded is an error in one line that names who offers it."""
    result = session(f"def test_it({name}):\n    pass\n")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"{name} cannot be built: {reason}"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*During handling*")


def test_two_fakes_of_one_name_are_an_error(session: Session, acme: pytest.Pytester) -> None:
    """When two distributions offer the same name, nobody guesses which was meant."""
    folder = acme.mkdir("other_fakes-1.0.dist-info")
    folder.joinpath("METADATA").write_text(
        "Metadata-Version: 2.1\nName: other-fakes\nVersion: 1.0\n"
    )
    folder.joinpath("entry_points.txt").write_text(
        "[pytest_resilience.fakes]\ngithub = other_fakes:GitHub\n"
    )

    result = session("def test_it(fake_github):\n    pass\n")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            (
                "fake_github cannot be built: several fakes are named 'github': "
                "the fake 'github' of acme-fakes (acme_fakes:GitHub) and "
                "the fake 'github' of other-fakes (other_fakes:GitHub); uninstall all but one"
            )
        ]
    )


def test_a_test_may_stop_and_start_over_itself(session: Session) -> None:
    """A server that its test stops, starts again or starts over is left in peace at the end."""
    result = session("""
        def test_stopped(fake_github):
            fake_github.stop()

        def test_started_again(fake_github):
            fake_github.stop()
            fake_github.start()
            assert os.environ["GITHUB_URL"] == fake_github.url
            assert get() == 404

        def test_started_over(fake_github):
            get("/nowhere")
            fake_github.fail(503, times=2)
            fake_github.start_over()
            assert get() == 404

        def test_down(fake_github):
            fake_github.down()

        def test_clean():
            assert "GITHUB_URL" not in os.environ
        """)

    result.assert_outcomes(passed=5)


def test_the_engine_stays_for_the_session(session: Session) -> None:
    """The engine's thread starts with the first server and ends with the session."""
    result = session("""
        import threading

        ENGINES = []

        def engines():
            return [t.ident for t in threading.enumerate() if t.name == "pytest-resilience-engine"]

        def test_before():
            assert engines() == []

        def test_first(fake_server):
            fake_server(app)
            ENGINES.extend(engines())

        def test_between():
            assert engines() == ENGINES

        def test_second(fake_server):
            fake_server(app)
            assert engines() == ENGINES
            assert len(ENGINES) == 1
        """)

    result.assert_outcomes(passed=4)
