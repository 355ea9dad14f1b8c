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
        Change what the app and its model read of the messages of this session's person.

        People see what was written. What the function returns is stored with the message, and is
        what :meth:`messages` and :meth:`turns` of every session, the handlers of this one, and the
        model of ``Chat(client=)`` get. Bots, `on_message` callbacks and ``room.messages()`` get
        what was written.

        The function runs in the session's context, outside Shiny's lock, for one message of a
        person after the other. Nobody sees or reads a message before it is done; however long it
        takes, only the author waits. What the function appends comes after the message.

        While the page's session is away, messages wait in the log. They are transformed when the
        session is back, even if the server was restarted meanwhile; the function may then run a
        second time for a message that it had begun. If the page does not come back within half a
        minute, its messages are published as they were written, and no handler runs.

        Parameters
        ----------
        fn
            Takes the text; returns another text, `HTML` (read as its text), or None: then
            :meth:`messages` has the text as it was written, and this page's `on_user_submit` does
            not run. If it raises, nobody sees the message, and its author is told so and gets the
            text back in the box. Async or not. Leave it out to decorate with
            ``@chat.transform_user_input()``.
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
