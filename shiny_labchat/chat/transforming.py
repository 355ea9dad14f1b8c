"""What a Chat offers of transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import overload

from shiny_labchat.chat.base import ChatBase
from shiny_labchat.chat.transforms import TransformAssistantResponse, TransformUserInput

__all__ = ["Transforming"]


class Transforming(ChatBase):
    """The part of a :class:`Chat` that is given transforms."""

    @overload
    def transform_user_input(self, fn: TransformUserInput) -> None: ...

    @overload
    def transform_user_input(self, fn: None = None) -> Callable[[TransformUserInput], None]: ...

    def transform_user_input(
        self, fn: TransformUserInput | None = None
    ) -> None | Callable[[TransformUserInput], None]:
        """
        Change what this session's person says, before anybody is shown it.

        It is stored as they wrote it, for the log only, and what the function gives is shown, to
        its author too. Rate and length are counted before. The function runs in the session's
        context, outside Shiny's lock; one message of a person after the other. However long it
        takes, only their author waits.

        While the page's session is away its messages wait in the log, and are transformed when it
        is back, also by a server that was restarted since; then the function may run a second
        time for one that it was at. No message is stored twice, nor ever shown as it was.

        Parameters
        ----------
        fn
            Takes the text; gives other text (shown as text), `HTML` (the developer's own; escape
            what people wrote), or None: nobody is shown it, and its author is told so and has the
            text back in the box, as also when the function raises. Async or not. Can be left
            out, to decorate with ``@chat.transform_user_input()``.
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
        Change what this session's programme says, before anybody is shown it.

        It holds for what is appended, streamed, and replied by a `client`. The log keeps both;
        models are told what they had said themselves.

        Parameters
        ----------
        fn
            Takes the text; or the text so far, what has come of it since it was called last, and
            whether that is all. Of a stream it is called at most 25 times a second, and at the
            end. Gives other text (markdown), `HTML`, or None: in a stream, what is shown stays as
            it is, and what is None in the end is withheld. Async or not. Can be left out, to
            decorate with ``@chat.transform_assistant_response()``.
        """
        set_for = self._transforms.set_for_assistant
        return set_for if fn is None else set_for(fn)
