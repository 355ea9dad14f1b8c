"""The transforms of a Chat, as an app uses them."""

from __future__ import annotations

from collections.abc import Callable
from typing import overload

from shiny_labchat.chat.base import ChatBase
from shiny_labchat.chat.transforms import TransformAssistantResponse, TransformUserInput

__all__ = ["Transforming"]


class Transforming(ChatBase):
    """The part of a :class:`Chat` that registers transforms."""

    @overload
    def transform_user_input(self, fn: TransformUserInput) -> None: ...

    @overload
    def transform_user_input(self, fn: None = None) -> Callable[[TransformUserInput], None]: ...

    def transform_user_input(
        self, fn: TransformUserInput | None = None
    ) -> None | Callable[[TransformUserInput], None]:
        """
        Change the messages of this session's person before anybody sees them.

        Everybody, the author too, sees the text that the function returns; the original text is
        kept in the log only. Rate and length are checked on the original. The function runs in
        the session's context, outside Shiny's lock, for one message of a person after the other.
        However long it takes, only the author waits.

        While the page's session is away, messages wait in the log. They are transformed when the
        session is back, even if the server was restarted meanwhile; the function may then run a
        second time for a message that it had begun. No message is stored twice, and the original
        is never shown.

        Parameters
        ----------
        fn
            Takes the text; returns another text (shown as text), `HTML` (trusted: escape what
            people wrote in it), or None: then nobody sees the message, and its author is told so
            and gets the text back in the box. The same happens if the function raises. Async or
            not. Leave it out to decorate with ``@chat.transform_user_input()``.
        """

        def register(fn: TransformUserInput) -> None:
            is_first = not self._transforms.are_for_users
            self._transforms.set_for_user(fn)
            if is_first:
                self._admission.renew()

        return register if fn is None else register(fn)

    @overload
    def transform_assistant_response(self, fn: TransformAssistantResponse) -> None: ...

    @overload
    def transform_assistant_response(
        self, fn: None = None
    ) -> Callable[[TransformAssistantResponse], None]: ...

    def transform_assistant_response(
        self, fn: TransformAssistantResponse | None = None
    ) -> None | Callable[[TransformAssistantResponse], None]:
        """
        Change the messages of this session's programme before anybody sees them.

        This holds for messages that are appended or streamed, and for the replies of a `client`.
        The log keeps both texts; models are sent their own original words.

        Parameters
        ----------
        fn
            Takes the text; or three arguments: the text so far, the part that is new since the
            last call, and whether the text is complete. For a stream it is called at most 25
            times a second, and at the end. Returns another text (markdown), `HTML`, or None:
            during a stream, None leaves what is shown as it is; for a complete message, None
            withholds it. Async or not. Leave it out to decorate with
            ``@chat.transform_assistant_response()``.
        """
        set_for = self._transforms.set_for_assistant
        return set_for if fn is None else set_for(fn)
