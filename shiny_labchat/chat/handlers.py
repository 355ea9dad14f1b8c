"""
Running `on_user_submit` handlers: in order, in their session's context, outside the reactive lock.

Inside Shiny's lock, one handler that waits for a slow model would make every other session wait.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import partial
from typing import Literal

from shiny import reactive, ui
from shiny.session import Session, session_context
from shiny.types import NotifyException, SilentException

from shiny_labchat.chat.shiny_internals import app_of, flush
from shiny_labchat.concurrency import Queue, name_of, watched
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.messages import Message, message_of

__all__ = ["Handler", "Handlers", "OnError", "UserSubmitFunction", "handled_message"]

logger = logging.getLogger("shiny_labchat")

UserSubmitFunction = Callable[..., Awaitable[None] | None]
"""A handler: takes nothing, the text, or the text and the attachments (always none here)."""
OnError = Literal["auto", "actual", "sanitize", "unhandled"]

handled_message: ContextVar[tuple[object, Message] | None] = ContextVar("handled", default=None)
"""The chat and the message that the running task handles; None outside handlers."""


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
        """Where the function is, for the log."""
        return name_of(self.fn)

    def destroy(self) -> None:
        """Handle no further messages."""
        if self in self._handlers:
            self._handlers.remove(self)

    async def __call__(self, text: str) -> None:
        await watched("handler", self.fn, *(text, list[object]())[: self._takes])


class Handlers:
    """
    The handlers of one chat in one session, and the messages that wait for them.

    The queue's bound is the room's rate limit: only the session's own page fills it.

    Parameters
    ----------
    chat
        The chat they belong to.
    session
        In whose context they run.
    on_error
        What the person is shown when one fails.
    """

    def __init__(self, chat: object, session: Session, on_error: OnError) -> None:
        self.registered: list[Handler] = []
        self._chat = chat
        self._session = session
        self._on_error = on_error
        self._queue = Queue()

    def register(self, fn: UserSubmitFunction) -> Handler:
        """Have `fn` called with each message of this page."""
        handler = Handler(fn, self.registered)
        self.registered.append(handler)
        return handler

    def submit(self, said: Event, before: Callable[[], Awaitable[None]]) -> None:
        """Have a message handled after those before it; `before` runs first."""
        if not self.registered:
            return
        self._queue.put(partial(self._run, message_of(said), before))

    async def idle(self) -> None:
        """Wait until all messages are handled."""
        await self._queue.idle()

    async def _run(self, message: Message, before: Callable[[], Awaitable[None]]) -> None:
        try:
            await before()
        except Exception:  # what is missing is read when the handler asks for it
            logger.exception("a handler's room could not be read")
        for handler in tuple(self.registered):
            await self._handle(handler, message)
        await flush(self._session)

    async def _handle(self, handler: Handler, message: Message) -> None:
        token = handled_message.set((self._chat, message))
        try:
            with session_context(self._session), reactive.isolate():
                await handler(message.content)
        except SilentException:
            pass
        except Exception as exc:
            logger.error("the handler %s failed", handler.name, exc_info=exc)
            await self.report(exc)
        finally:
            handled_message.reset(token)

    async def report(self, exc: Exception) -> None:
        """Tell this session's person what has failed, as far as they shall know."""
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
            words = str(exc.args[0])  # its own text has its other arguments, too
        # Some say nothing, as a model's timeout does.
        return app.sanitize_error_msg if sanitize else words or type(exc).__name__
