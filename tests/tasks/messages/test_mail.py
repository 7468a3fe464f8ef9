"""E-mail, sent to an SMTP server of this machine that keeps what arrives."""

from __future__ import annotations

import datetime
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from nbflow.engine import Engine
from nbflow.tasks.messages.mail import _addresses
from tests.tasks.conftest import RunTasks, messages
from tests.tasks.messages.test_webhooks import FAILING


@dataclass
class Mailbox:
    """A mail server: its port, and what arrived there."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    people: list[list[str]] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.content or b"", policy=policy.default)  # type: ignore[arg-type]  # bytes
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.people.append(envelope.rcpt_tos)
        return "250 OK"

    def log_in(self, server: object, session: object, envelope: object, mechanism: str, data: object) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == b"right", handled=False)


OpenMailbox = Callable[..., Mailbox]


@pytest.fixture
def mailbox() -> Iterator[OpenMailbox]:
    controllers = []

    def start(**options: object) -> Mailbox:
        box = Mailbox()
        arguments: dict[str, object] = {"ident": "test", "enable_SMTPUTF8": True, **options}
        if arguments.pop("login", False):
            arguments.update(authenticator=box.log_in, auth_required=True)
        with socket.socket() as free:  # the controller itself cannot choose one
            free.bind(("127.0.0.1", 0))
            box.port = free.getsockname()[1]
        controller = Controller(box, hostname="127.0.0.1", port=box.port, **arguments)  # type: ignore[arg-type]
        controllers.append(controller)
        controller.start()
        return box

    yield start
    for controller in controllers:
        controller.stop()


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    """A server's certificate that nobody has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def test_a_mail_has_both_bodies_and_its_attachments(run_tasks: RunTasks, mailbox: OpenMailbox) -> None:
    box = mailbox()
    execution = run_tasks(f"""
        - {{id: report, type: write_file, content: "a,b", extension: .csv}}
        - {{id: picture, type: write_file, content: "not really", extension: .png}}
        - id: send
          type: io.kestra.plugin.notifications.mail.MailSend
          host: 127.0.0.1
          port: {box.port}
          transportStrategy: SMTP
          from: Ada <ada@example.com>
          to: grace@example.com;"Curie, Marie" <marie@example.com>
          cc: [alan@example.com]
          bcc: hidden@example.com
          subject: "Flow {{{{ flow.id }}}} – ü"
          htmlTextContent: '<p>Here &amp; <b>now</b> <img src="cid:logo"></p>'
          attachments:
            - {{name: audit.csv, uri: "{{{{ outputs.report.uri }}}}", contentType: text/csv}}
            - {{uri: "{{{{ outputs.report.uri }}}}"}}
          embeddedImages: '[{{"name": "logo", "uri": "{{{{ outputs.picture.uri }}}}", "contentType": "image/png"}}]'
    """)
    assert execution.state == "SUCCESS", messages(execution)
    (mail,) = box.mails
    assert mail["Subject"] == "Flow flow – ü"
    assert mail["From"] == "Ada <ada@example.com>"
    assert mail["To"] == 'grace@example.com, "Curie, Marie" <marie@example.com>'
    assert mail["Cc"] == "alan@example.com"
    assert mail["Bcc"] is None
    assert sorted(box.people[0]) == [
        "alan@example.com",
        "grace@example.com",
        "hidden@example.com",
        "marie@example.com",
    ]
    plain, rich = mail.get_body(("plain",)), mail.get_body(("html",))
    assert isinstance(plain, EmailMessage)
    assert isinstance(rich, EmailMessage)
    assert plain.get_content().strip() == "Here & now"
    assert "<b>now</b>" in rich.get_content()
    attachments = list(mail.iter_attachments())
    assert (attachments[0].get_filename(), attachments[0].get_content_type()) == ("audit.csv", "text/csv")
    assert len(attachments) == 2
    assert attachments[0].get_content().strip() == "a,b"
    images = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert [part["Content-ID"] for part in images] == ["<logo>"]


@pytest.mark.parametrize(("strategy", "trusted"), [("SMTPS", True), ("SMTP_TLS", True), ("SMTPS", False)])
def test_mail_goes_by_a_secure_connection_to_a_server_that_is_trusted(
    run_tasks: RunTasks, mailbox: OpenMailbox, certificate: ssl.SSLContext, strategy: str, trusted: bool
) -> None:
    if strategy == "SMTPS":
        box = mailbox(ssl_context=certificate)
    else:
        box = mailbox(tls_context=certificate, require_starttls=True, login=True)
    login = "" if strategy == "SMTPS" else "username: ada\n          password: right"
    execution = run_tasks(f"""
        - id: send
          type: mail
          host: 127.0.0.1
          port: {box.port}
          transportStrategy: {strategy}
          trustedHosts: {["127.0.0.1"] if trusted else []}
          from: a@example.com
          to: b@example.com
          plainTextContent: hi
          {login}
    """)
    if trusted:
        assert execution.state == "SUCCESS", messages(execution)
        assert len(box.mails) == 1
        assert box.logins == ([("ada", "right")] if login else [])
    else:
        assert execution.state == "FAILED"
        assert "no secure connection: CERTIFICATE_VERIFY_FAILED" in messages(execution)[-1]
        assert box.mails == []


def test_a_wrong_password_is_said_and_not_shown(
    run_tasks: RunTasks, mailbox: OpenMailbox, certificate: ssl.SSLContext
) -> None:
    box = mailbox(tls_context=certificate, login=True)
    execution = run_tasks(f"""
        - {{id: send, type: mail, host: 127.0.0.1, port: {box.port}, transportStrategy: SMTP_TLS,
             trustedHosts: [127.0.0.1], username: ada, password: wrong, from: a@b.c, to: b@b.c, text: hi}}
    """)
    assert execution.state == "FAILED"
    assert messages(execution)[-1] == f"127.0.0.1:{box.port} refuses the user name or password (535)"


def test_a_server_that_is_not_there_is_named(run_tasks: RunTasks, mailbox: OpenMailbox) -> None:
    execution = run_tasks("""
        - {id: send, type: mail, host: 127.0.0.1, port: 1, from: a@b.c, to: b@b.c, text: hi}
    """)
    assert execution.state == "FAILED"
    assert messages(execution)[-1] == "127.0.0.1:1 cannot be reached: Connection refused"


def test_a_summary_by_mail_shows_what_failed_and_runs_nothing(
    run_tasks: RunTasks, engine: Engine, mailbox: OpenMailbox
) -> None:
    box = mailbox()
    engine.deploy(FAILING)
    failed = engine.run("company.team", "load", wait=True, timeout=60)
    execution = run_tasks(f"""
        - id: alert
          type: io.kestra.plugin.notifications.mail.MailExecution
          host: 127.0.0.1
          port: {box.port}
          transportStrategy: SMTP
          from: a@example.com
          to: b@example.com
          executionId: {failed.id}
          customMessage: have a look
          customFields: {{Env: dev}}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    (mail,) = box.mails
    assert mail["Subject"] == "[company.team] load ➛ FAILED"
    rich = mail.get_body(("html",))
    assert isinstance(rich, EmailMessage)
    page = rich.get_content()
    assert "the disk &lt;!channel&gt; is full" in page
    assert "have a look" in page
    assert ">Env</td><td>dev<" in page
    assert "Failed on task `store`" in page


def test_a_subject_cannot_add_headers(run_tasks: RunTasks, mailbox: OpenMailbox) -> None:
    box = mailbox()
    execution = run_tasks(f"""
        - {{id: send, type: mail, host: 127.0.0.1, port: {box.port}, transportStrategy: SMTP, from: a@b.c, to: b@b.c,
             text: hi, subject: "a\\nBcc: c@d.e"}}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert box.mails[0]["Subject"] == "a Bcc: c@d.e"
    assert box.people == [["b@b.c"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a@b.c", ["a@b.c"]),
        ("a@b.c; d@e.f", ["a@b.c", "d@e.f"]),
        ("a@b.c, D <d@e.f>", ["a@b.c", '"D" <d@e.f>']),
        ('"D, E" <d@e.f>;', ['"D, E" <d@e.f>']),
        ("", []),
    ],
)
def test_addresses_are_told_apart(text: str, expected: list[str]) -> None:
    assert _addresses(text) == expected
