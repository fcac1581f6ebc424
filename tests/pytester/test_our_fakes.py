"""The fixtures of the fakes that come with the plugin."""

from collections.abc import Callable

import pytest

Session = Callable[..., pytest.RunResult]


def test_vault_and_gemini(session: Session) -> None:
    """`fake_vault` and `fake_gemini` are up, and the usual variables point at them."""
    result = session("""
        import json
        from urllib.request import Request, urlopen

        def read(path, **headers):
            with urlopen(Request(path, headers=headers)) as answer:
                return json.load(answer)

        def test_vault(fake_vault):
            fake_vault.put("secret/myapp", {"password": "s3cr3t"})
            token = {"X-Vault-Token": os.environ["VAULT_TOKEN"]}
            answer = read(os.environ["VAULT_ADDR"] + "/v1/secret/data/myapp", **token)
            assert answer["data"]["data"] == {"password": "s3cr3t"}
            assert {"VAULT_ROLE_ID", "VAULT_SECRET_ID"} <= set(os.environ)

        def test_vault_after_start_over(fake_vault):
            fake_vault.start_over()
            assert os.environ["VAULT_TOKEN"] == fake_vault.root_token

        def test_gemini(fake_gemini):
            key = {"x-goog-api-key": os.environ["GEMINI_API_KEY"]}
            assert os.environ["GOOGLE_API_KEY"] == os.environ["GEMINI_API_KEY"]
            answer = read(os.environ["GOOGLE_GEMINI_BASE_URL"] + "/v1beta/models", **key)
            assert answer["models"]

        def test_sessions(fake_vault_session, fake_gemini_session):
            assert os.environ["VAULT_ADDR"] == fake_vault_session.url
            assert os.environ["GOOGLE_GEMINI_BASE_URL"] == fake_gemini_session.url

        def test_none():
            assert {"VAULT_ADDR", "VAULT_TOKEN", "GEMINI_API_KEY"} & set(os.environ) == set()
        """)

    result.assert_outcomes(passed=5)
