"""
Running `on_user_submit` handlers: in order, in their session's context, outside Shiny's lock.

Inside the lock, a handler that waits for a slow model would block every other session.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from shiny import reactive, ui
from shiny.session import Session, session_context
from shiny.types import NotifyException, SilentException

from shiny_labchat.blocking import watched
from shiny_labchat.chat.shiny_internals import app_of, flush
from shiny_labchat.chat.waiting import let_wait
from shiny_labchat.concurrency import Queue, name_of
from shiny_labchat.domain.messages import Message, MessageText, as_transformed

__all__ = ["Handler", "Handlers", "Handling", "OnError", "UserSubmitFunction", "handling"]

logger = logging.getLogger("shiny_labchat")

UserSubmitFunction = Callable[..., Awaitable[None] | None]
"""A handler: takes nothing, the text, or the text and the attachments (always none here)."""
OnError = Literal["auto", "actual", "sanitize", "unhandled"]


@dataclass(frozen=True, slots=True)
class Handling:
    """
    The handling of a message by a running handler.

    Attributes
    ----------
    chat, message
        The chat, and the message as it is in the room.
    appended
        The seqs of the messages that the handler has appended to the chat since.
    """

    chat: object
    message: Message
    appended: set[int] = field(default_factory=set[int])


handling: ContextVar[Handling | None] = ContextVar("handling", default=None)
"""What the running task handles; None outside handlers."""


class Handler:
    """A registered handler; `destroy()` ends it."""

    def __init__(self, fn: UserSubmitFunction, handlers: list[Handler]) -> None:
        self.fn = fn
        self._handlers = handlers
        parameters = inspect.signature(fn).parameters.values()
        takes = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        if len(takes) > 2:
            raise ValueError("An on_user_submit function should not take more than 2 arguments")
        self._takes = len(takes)

    @property
    def name(self) -> str:
        """The function's name and place in the source, for the log."""
        return name_of(self.fn)

    def destroy(self) -> None:
        """Stop handling messages."""
        if self in self._handlers:
            self._handlers.remove(self)

    async def __call__(self, text: MessageText) -> None:
        await watched("handler", let_wait(self.fn), *(text, list[object]())[: self._takes])


class Handlers:
    """
    The handlers of one chat in one session, and the messages that wait for them.

    The queue's bound is the room's rate limit: only the session's own page fills it.

    Parameters
    ----------
    chat
        The chat they belong to.
    session
        The session in whose context they run.
    on_error
        What the person is shown when a handler fails.
    """

    def __init__(self, chat: object, session: Session, on_error: OnError) -> None:
        self.registered: list[Handler] = []
        self._chat = chat
        self._session = session
        self._on_error = on_error
        self._queue = Queue()

    def register(self, fn: UserSubmitFunction) -> Handler:
        """Call `fn` with each message of this page, from now on."""
        handler = Handler(fn, self.registered)
        self.registered.append(handler)
        return handler

    def submit(self, message: Message) -> None:
        """Queue a message to be handled."""
        if self.registered:
            self._queue.put(partial(self._run, message))

    async def idle(self) -> None:
        """Wait until all messages are handled."""
        await self._queue.idle()

    async def _run(self, message: Message) -> None:
        for handler in tuple(self.registered):
            await self._handle(handler, message)
        await flush(self._session)

    async def _handle(self, handler: Handler, message: Message) -> None:
        token = handling.set(Handling(self._chat, message))
        try:
            with session_context(self._session), reactive.isolate():
                await handler(MessageText(as_transformed(message)))
        except SilentException:
            pass
        except Exception as exc:
            logger.error(
                "the handler %s failed at message %d of room %r",
                *(handler.name, message.seq, message.room and message.room.id),
                exc_info=exc,
            )
            await self.report(exc)
        finally:
            handling.reset(token)

    async def report(self, exc: Exception) -> None:
        """Show an error to this session's person, as `on_error` says."""
        if self._on_error == "unhandled":
            await self._session.close()
            return
        with session_context(self._session):
            ui.notification_show(self._shown(exc), type="error", duration=None)

    def _shown(self, exc: Exception) -> str:
        app = app_of(self._session)
        sanitize = self._on_error == "sanitize" or (
            self._on_error == "auto" and app.sanitize_errors
        )
        words = str(exc)
        if isinstance(exc, NotifyException):
            sanitize = exc.sanitize
            words = str(exc.args[0])  # `str(exc)` would include the other arguments
        # Some errors have no text, such as a model's timeout.
        return app.sanitize_error_msg if sanitize else words or type(exc).__name__
