"""Every bad value stops the start and is named; no default reaches for a foreign server."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from handoff import env
from handoff.env import Env


def test_a_missing_value_is_named() -> None:
    for read in (Env({}).text, Env({}).secret, Env({}).number, Env({}).listing):
        with pytest.raises(ImproperlyConfigured, match=r"^MAIL_FROM is missing$"):
            read("MAIL_FROM")


def test_empty_counts_as_missing() -> None:
    with pytest.raises(ImproperlyConfigured, match="SITE_URL is missing"):
        Env({"SITE_URL": ""}).text("SITE_URL")


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("on", True), (" True ", True), ("0", False), ("", False)]
)
def test_flags(text: str, value: bool) -> None:
    assert Env({"DEMO": text}).flag("DEMO") is value


@pytest.mark.parametrize("text", ["2", "ja", "enabled", "-"])
def test_a_bad_flag_is_named(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DEMO must be 1 or 0"):
        Env({"DEMO": text}).flag("DEMO")


@pytest.mark.parametrize("text", ["8000.0", "0x10", "٣", "1e3", "many"])
def test_a_bad_number_is_named(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="PORT must be a whole number"):
        Env({"PORT": text}).number("PORT")


def test_a_number_out_of_range_is_named() -> None:
    with pytest.raises(ImproperlyConfigured, match="PORT must be at most 65535"):
        Env({"PORT": "65536"}).number("PORT", least=1, most=65535)
    with pytest.raises(ImproperlyConfigured, match="PORT must be at least 1"):
        Env({"PORT": "0"}).number("PORT", least=1, most=65535)


def test_a_secret_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from the file\n")
    assert Env({"SECRET_KEY_FILE": str(file)}).secret("SECRET_KEY") == "from the file"


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    values = {"SECRET_KEY_FILE": str(tmp_path / "key"), "SECRET_KEY": "other"}
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY and SECRET_KEY_FILE"):
        Env(values).secret("SECRET_KEY")


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_secret_file_that_gives_nothing_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY_FILE"):
        Env({"SECRET_KEY_FILE": str(file)}).secret("SECRET_KEY")


def test_a_list() -> None:
    assert Env({"ALLOWED_HOSTS": " a.example, ,b.example,"}).listing("ALLOWED_HOSTS") == [
        "a.example",
        "b.example",
    ]


def test_the_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "some.env"
    file.write_text("# comment\n\nFRESH_A = plain \nexport FRESH_B='two words'\nFRESH_C=set\n")
    monkeypatch.setenv("HANDOFF_ENV_FILE", str(file))
    monkeypatch.setenv("FRESH_C", "already")
    for name in ("FRESH_A", "FRESH_B"):
        monkeypatch.setenv(name, "removed at the end")
        monkeypatch.delenv(name)
    env.read_file(tmp_path / ".env")
    values = Env()
    assert [values.text(f"FRESH_{letter}") for letter in "ABC"] == ["plain", "two words", "already"]


def test_a_bad_line_in_the_env_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HANDOFF_ENV_FILE")
    (tmp_path / ".env").write_text("DEMO=1\nnot a setting\n")
    monkeypatch.setenv("DEMO", "1")
    with pytest.raises(ImproperlyConfigured, match=r"\.env, line 2"):
        env.read_file(tmp_path / ".env")


# --- addresses ---------------------------------------------------------------------------------


def test_a_database_on_a_socket() -> None:
    found = env.database("postgresql://han%40doff:p%2Fw@/name?host=/run/private&sslmode=disable")
    assert found == {
        "ENGINE": "handoff.core.postgres",
        "NAME": "name",
        "USER": "han@doff",
        "PASSWORD": "p/w",
        "HOST": "/run/private",
        "PORT": "",
        "OPTIONS": {"sslmode": "disable"},
    }


def test_a_database_on_the_network() -> None:
    found = env.database("postgres://u:p@db.example:6432/name")
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db.example", "6432", "name")


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("sqlite:///db.sqlite3", "must begin with postgresql://"),
        ("postgresql:///name", "has no host"),
        ("postgresql://u:p@host/", "has no database name"),
        ("postgresql://host/name", "has no user"),
        ("postgresql://u:p@host:http/name", "bad port"),
        ("postgresql://u:p@host/name?passfile=/etc/x", "unknown option passfile"),
    ],
)
def test_a_bad_database_is_named_without_its_password(url: str, complaint: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=complaint) as caught:
        env.database(url)
    assert "DATABASE_URL" in str(caught.value)
    assert "u:p" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "celery", "client"),
    [
        ("redis://:p@h:6379/2", "redis://:p@h:6379/2", "redis://:p@h:6379/2"),
        ("rediss://h", "rediss://h", "rediss://h"),
        (
            "unix:///a/b.sock?db=3",
            "redis+socket:///a/b.sock?virtual_host=3",
            "unix:///a/b.sock?db=3",
        ),
        ("redis+socket:///a/b", "redis+socket:///a/b?virtual_host=0", "unix:///a/b?db=0"),
        ("unix://:p@/a/b", "redis+socket://:p@/a/b?virtual_host=0", "unix://:p@/a/b?db=0"),
    ],
)
def test_redis_addresses(url: str, celery: str, client: str) -> None:
    assert env.broker(url) == celery
    assert env.redis_client(celery) == client


@pytest.mark.parametrize("url", ["amqp://h", "redis://", "unix://", "redis://h:x", "memory://"])
def test_a_bad_redis_address_is_named(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL"):
        env.broker(url)


def test_mail_addresses() -> None:
    assert env.email("smtp://u%40x:p@mail.example:2525?starttls=1") == {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": "mail.example",
        "EMAIL_PORT": 2525,
        "EMAIL_HOST_USER": "u@x",
        "EMAIL_HOST_PASSWORD": "p",
        "EMAIL_USE_SSL": False,
        "EMAIL_USE_TLS": True,
    }
    assert env.email("smtps://mail.example")["EMAIL_PORT"] == 465
    assert env.email("smtp://mail.example?starttls=1")["EMAIL_PORT"] == 587
    assert env.email("file:///var/mail%20box")["EMAIL_FILE_PATH"] == "/var/mail box"
    assert env.email("console:")["EMAIL_BACKEND"].endswith("console.EmailBackend")


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "smtp://",
        "smtp://h?tls=1",
        "smtp://h?starttls=yes",
        "smtps://h?starttls=1",
        "smtp://h:port",
        "file://relative/folder",
        "file:",
    ],
)
def test_a_bad_mail_address_is_named(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL"):
        env.email(url)
