"""Where letters are handed over: a mail server, or a folder on a developer's machine.

A token never travels by mail: letters say what to do, and about which habilitation.
"""

import asyncio
import re
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

_SECONDS = 20.0
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


class NotSent(Exception):
    """The letter could not be handed over; it says nothing of whom it was for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """One message to one person."""

    to: str
    subject: str
    text: str


class Mailer(Protocol):
    """Hands letters over. Raises `NotSent`."""

    async def send(self, letter: Letter) -> None: ...


@dataclass(frozen=True, slots=True)
class FolderMailer:
    """Writes each letter to a file: for development."""

    folder: Path
    sender: str

    async def send(self, letter: Letter) -> None:
        await asyncio.to_thread(self._write, letter)

    def _write(self, letter: Letter) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            content = _message(letter, self.sender).as_bytes(policy=SMTP)
            rank = len(list(self.folder.iterdir())) + 1
            name = re.sub(r"[^a-z0-9]+", "-", letter.to.lower()).strip("-")
            with (self.folder / f"{rank:06}-{name}.eml").open("xb") as file:
                file.write(content)
        except (OSError, ValueError) as error:
            raise NotSent(type(error).__name__) from None


@dataclass(frozen=True, slots=True)
class SmtpMailer:
    """Hands each letter to a mail server: `smtp://` (STARTTLS when offered) or `smtps://`."""

    url: str
    sender: str

    async def send(self, letter: Letter) -> None:
        await asyncio.to_thread(self._deliver, letter)

    def _deliver(self, letter: Letter) -> None:
        parts = urlsplit(self.url)
        host = parts.hostname or "localhost"
        try:
            message = _message(letter, self.sender)
            with _connection(parts.scheme, host, parts.port) as server:
                if parts.username:
                    server.login(unquote(parts.username), unquote(parts.password or ""))
                server.send_message(message)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise NotSent(type(error).__name__) from None


def _connection(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port or 465, timeout=_SECONDS, context=context)
    server = smtplib.SMTP(host, port or 25, timeout=_SECONDS)
    server.ehlo()
    if server.has_extn("starttls"):
        server.starttls(context=context)
    return server


def _message(letter: Letter, sender: str) -> EmailMessage:
    """The message. Raises `ValueError` for what is no plain address, or a subject of several lines."""
    if not _ADDRESS.fullmatch(letter.to):
        raise ValueError
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


def mailer(url: str, folder: Path, sender: str) -> Mailer:
    """The mailer of these settings: no server means the folder."""
    return SmtpMailer(url, sender) if url else FolderMailer(folder, sender)
