"""Task types that send e-mail through an SMTP server."""

from __future__ import annotations

import asyncio
import html
import json
import mimetypes
import re
import smtplib
import ssl
from collections.abc import Sequence
from datetime import timedelta
from email.message import EmailMessage
from email.utils import formatdate, getaddresses, make_msgid
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Duration, Dynamic, Example, Model, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.messages.summaries import AboutExecution, Summary, summary_example
from nbflow.tasks.storage.scratch import stored
from nbflow.types import JsonValue

_OCTETS = "application/octet-stream"
_TAG = re.compile(r"<[^>]+>")
_COLORS = {"SUCCESS": "#2eb886", "WARNING": "#daa038"}


class TransportStrategy(StrEnum):
    """How the connection to the mail server is kept secret."""

    SMTP = "SMTP"
    SMTPS = "SMTPS"
    SMTP_TLS = "SMTP_TLS"


_PORTS = {TransportStrategy.SMTP: 25, TransportStrategy.SMTPS: 465, TransportStrategy.SMTP_TLS: 587}


class Attachment(Model):
    """A stored file that goes with a mail."""

    uri: Dynamic[Text] = Field(description="URI of the stored file.")
    name: Dynamic[Text] | None = Field(default=None, description="Its name in the mail; that of the file.")
    content_type: Dynamic[Text] | None = Field(default=None, description="Its type; by its name unless said.")


def _read_attachments(value: object) -> object:
    """A list, or JSON text of one, or of one attachment."""
    if isinstance(value, str) and not value.strip():
        return []
    if isinstance(value, str) and "{{" not in value:
        try:
            value = json.loads(value)
        except ValueError as cause:
            raise ValueError("must be a list, or JSON text of one") from cause
    return [value] if isinstance(value, dict) else value


def _read_timeout(value: object) -> object:
    """Kestra counts it in milliseconds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return timedelta(milliseconds=value)
    return timedelta(milliseconds=int(value)) if isinstance(value, str) and value.isdigit() else value


def _join(value: object) -> object:
    return "; ".join(str(one) for one in value) if isinstance(value, list | tuple) else value


Addresses = Annotated[Text, BeforeValidator(_join)]
"""Addresses of e-mail: text with `;` or `,` between them, or a list."""

Attachments = Annotated[list[Attachment], BeforeValidator(_read_attachments)]


class MailTask(RunnableTask):
    """What every task that sends a mail declares."""

    host: Dynamic[Text] = Field(description="Name of the mail server.")
    port: Dynamic[int] | None = Field(default=None, description="Its port; 465, 587 or 25 by `transportStrategy`.")
    username: Dynamic[Text] | None = Field(default=None, description="User name there.")
    password: Dynamic[Text] | None = Field(default=None, description="Password there.")
    transport_strategy: Dynamic[TransportStrategy] = Field(
        default=TransportStrategy.SMTPS,
        description="SMTPS for TLS from the start, SMTP_TLS for STARTTLS, SMTP for a connection that all may read.",
    )
    session_timeout: Dynamic[Annotated[Duration, BeforeValidator(_read_timeout)]] = Field(
        default=timedelta(seconds=10), description="How long the server may take to answer; a number is milliseconds."
    )
    verify_server_identity: Dynamic[bool] = Field(
        default=True, description="Whether the certificate of the server must be for its name."
    )
    trusted_hosts: Dynamic[list[Text]] = Field(
        default_factory=list, description="Servers whose certificate is not checked."
    )
    from_: Dynamic[Text] = Field(description="Address of the sender.")
    to: Dynamic[Addresses] = Field(description="Addresses of those who get it, with `;` between them, or a list.")
    cc: Dynamic[Addresses] | None = Field(default=None, description="Addresses of those who get a copy.")
    bcc: Dynamic[Addresses] | None = Field(default=None, description="Addresses of those who get one unseen.")
    reply_to: Dynamic[Text] | None = Field(default=None, description="Where answers go.")
    subject: Dynamic[Text] | None = Field(default=None, description="Subject of the mail.")
    attachments: Dynamic[Attachments] = Field(
        default_factory=list, description="Stored files to send along; a list, or JSON text of one."
    )
    embedded_images: Dynamic[Attachments] = Field(
        default_factory=list, description="Stored pictures that the HTML shows as `cid:name`."
    )

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        plain, rich, subject = await self.content(ctx)
        await asyncio.to_thread(self._send, ctx, plain, rich, subject)
        ctx.log.info("the mail was sent to %s", ", ".join(_plain(_addresses(self.to))))
        return self.Output()

    async def content(self, ctx: RunContext) -> tuple[str, str | None, str]:
        """The body as plain text, the body as HTML if there is one, the subject."""
        raise TypeError(f"{type(self).__name__} does not say what it sends: write `content`")

    def _send(self, ctx: RunContext, plain: str, rich: str | None, subject: str) -> None:
        message = self._message(ctx, plain, rich, subject)
        people = _plain([*_addresses(self.to), *_addresses(self.cc), *_addresses(self.bcc)])
        where = f"{self.host}:{self._port}"
        try:
            with self._connection() as server:
                if self.username:
                    server.login(self.username, self.password or "")
                refused = server.send_message(message, to_addrs=people)
        except smtplib.SMTPAuthenticationError as cause:
            raise TaskFailedError(f"{where} refuses the user name or password ({cause.smtp_code})") from cause
        except smtplib.SMTPException as cause:
            raise TaskFailedError(f"{where} did not take the mail: {_said(cause)}") from cause
        except ssl.SSLError as cause:
            raise TaskFailedError(
                f"{where}: no secure connection: {cause.reason or cause}",
                hint="`transportStrategy` SMTPS is for port 465, SMTP_TLS for 587; `trustedHosts` for own certificates",
            ) from cause
        except OSError as cause:
            raise TaskFailedError(
                f"{where} cannot be reached: {cause.strerror or cause or type(cause).__name__}"
            ) from cause
        for address, (code, reason) in refused.items():
            ctx.log.warning("%s was refused: %d %s", address, code, reason.decode(errors="replace"))

    @property
    def _port(self) -> int:
        return self.port or _PORTS[self.transport_strategy]

    def _connection(self) -> smtplib.SMTP:
        timeout, context = self.session_timeout.total_seconds(), self._context()
        if self.transport_strategy is TransportStrategy.SMTPS:
            return smtplib.SMTP_SSL(self.host, self._port, timeout=timeout, context=context)
        server = smtplib.SMTP(self.host, self._port, timeout=timeout)
        if self.transport_strategy is TransportStrategy.SMTP_TLS:
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        return server

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.host in self.trusted_hosts:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif not self.verify_server_identity:
            context.check_hostname = False
        return context

    def _message(self, ctx: RunContext, plain: str, rich: str | None, subject: str) -> EmailMessage:
        message = EmailMessage()
        message["Date"] = formatdate(ctx.now().timestamp())
        message["Message-ID"] = make_msgid(domain="nbflow.local")
        message["Subject"] = " ".join(subject.split())  # a line break would begin another header
        message["From"] = ", ".join(_addresses(self.from_))
        message["To"] = ", ".join(_addresses(self.to))
        if self.cc:
            message["Cc"] = ", ".join(_addresses(self.cc))
        if self.reply_to:
            message["Reply-To"] = ", ".join(_addresses(self.reply_to))
        message.set_content(plain)
        if rich is not None:
            message.add_alternative(rich, subtype="html")
            self._embed(ctx, message)
        for attachment in self.attachments:
            name, kind, content = _read(ctx, attachment, "attachments")
            main, _, sub = kind.partition("/")
            message.add_attachment(content, maintype=main, subtype=sub, filename=name)
        return message

    def _embed(self, ctx: RunContext, message: EmailMessage) -> None:
        for image in self.embedded_images:
            name, kind, content = _read(ctx, image, "embeddedImages")
            main, _, sub = kind.partition("/")
            page = message.get_body(("html",))
            assert isinstance(page, EmailMessage)
            page.add_related(content, maintype=main, subtype=sub, cid=f"<{name}>", filename=name, disposition="inline")


@task_type(
    "io.kestra.plugin.email.MailSend",
    aliases=["mail"],
    old_names=["io.kestra.plugin.notifications.mail.MailSend"],
    examples=[
        Example(
            """
            - id: report
              type: io.kestra.plugin.core.storage.Write
              content: "city,people"
              extension: .csv
            - id: send
              type: io.kestra.plugin.email.MailSend
              host: mail.example.com
              username: "{{ secret('MAIL_USER') }}"
              password: "{{ secret('MAIL_PASSWORD') }}"
              from: flows@example.com
              to: ada@example.com; grace@example.com
              subject: "{{ flow.id }}: the report"
              htmlTextContent: "<p>Here it is.</p>"
              attachments:
                - name: report.csv
                  uri: "{{ outputs.report.uri }}"
            """,
            title="Send a stored file",
            needs="a mail server",
        )
    ],
)
class MailSend(MailTask):
    """Send an e-mail, with stored files if you like."""

    html_text_content: Dynamic[Text] | None = Field(
        default=None,
        validation_alias=AliasChoices("htmlTextContent", "htmlContent", "html"),
        description="The mail as HTML.",
    )
    plain_text_content: Dynamic[Text] | None = Field(
        default=None,
        validation_alias=AliasChoices("plainTextContent", "textContent", "text", "body"),
        description="The mail as plain text; that of the HTML unless said.",
    )

    async def content(self, ctx: RunContext) -> tuple[str, str | None, str]:
        plain = self.plain_text_content
        if plain is None:
            plain = html.unescape(_TAG.sub("", self.html_text_content or "")).strip()
        return plain, self.html_text_content, self.subject or ""


@task_type(
    "io.kestra.plugin.email.MailExecution",
    aliases=["mail_execution"],
    old_names=["io.kestra.plugin.notifications.mail.MailExecution"],
    examples=[
        summary_example(
            "io.kestra.plugin.email.MailExecution",
            "a mail server",
            "host: mail.example.com",
            "from: flows@example.com",
            "to: ada@example.com",
        )
    ],
)
class MailExecution(AboutExecution, MailTask):
    """Tell by e-mail how an execution went: its link, state and duration, and the task that failed with its error."""

    async def content(self, ctx: RunContext) -> tuple[str, str | None, str]:
        summary = await self.summary(ctx)
        return summary.text, page(summary), self.subject or summary.title


def page(summary: Summary) -> str:
    """A summary as HTML that mail programs show: no style sheet, no script."""
    color = _COLORS.get(summary.state, "#a30200")
    title = html.escape(summary.title)
    if summary.link:
        title = f'<a href="{html.escape(summary.link)}" style="color: {color}">{title}</a>'
    parts = [f'<h2 style="color: {color}">{title}</h2>']
    if summary.message:
        parts.insert(0, f"<p>{html.escape(summary.message)}</p>")
    parts.append(f"<p>{html.escape(summary.outcome)}</p>")
    if summary.error:
        parts.append(f'<pre style="white-space: pre-wrap">{html.escape(summary.error)}</pre>')
    rows = "".join(
        f'<tr><td style="padding-right: 1em">{html.escape(name)}</td><td>{html.escape(value)}</td></tr>'
        for name, value in summary.facts
    )
    parts.append(f"<table>{rows}</table>")
    return f'<html><body style="font-family: sans-serif">{"".join(parts)}</body></html>'


def _addresses(text: str | None) -> list[str]:
    """Addresses as they are written, apart by `;` or, where no name in quotes holds one, by `,`."""
    named = getaddresses([part for part in (text or "").split(";") if part.strip()])
    pairs = [(" ".join(name.split()), address) for name, address in named if address]
    return [f'"{name}" <{address}>' if name else address for name, address in pairs]


def _plain(addresses: Sequence[str]) -> list[str]:
    return [address for _, address in getaddresses(addresses)]


def _read(ctx: RunContext, attachment: Attachment, where: str) -> tuple[str, str, bytes]:
    """The name, the type and the content of an attachment."""
    path = stored(ctx, attachment.uri, where)
    name = attachment.name or PurePosixPath(attachment.uri).name
    kind = attachment.content_type or mimetypes.guess_type(name)[0] or _OCTETS
    return name, kind if "/" in kind else _OCTETS, path.read_bytes()


def _said(cause: smtplib.SMTPException) -> JsonValue:
    error = getattr(cause, "smtp_error", None)
    if isinstance(error, bytes):
        return f"{getattr(cause, 'smtp_code', '')} {error.decode(errors='replace')}".strip()
    refused = getattr(cause, "recipients", None)
    return f"nobody of {', '.join(refused)} is known there" if isinstance(refused, dict) else str(cause)
