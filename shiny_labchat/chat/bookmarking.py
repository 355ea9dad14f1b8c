"""The bookmarks of a Chat, as an app uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from shiny_labchat.arguments import explain_others
from shiny_labchat.chat.base import ChatBase
from shiny_labchat.chat.bookmarks import CancelCallback, ClientWithState, RestoreMember

if TYPE_CHECKING:
    from shiny_labchat.models.client import ModelClient

__all__ = ["Bookmarking"]


class Bookmarking(ChatBase):
    """The part of a :class:`Chat` that is kept in bookmarks."""

    @explain_others(
        {
            "bookmark_store": "say App(bookmark_store=), or in Shiny Express import Chat from "
            "shiny_labchat.express"
        }
    )
    def enable_bookmarking(
        self,
        client: ClientWithState | ModelClient | None = None,
        /,
        *,
        bookmark_on: Literal["response"] | None = "response",
        restore_member: RestoreMember = "same-browser",
    ) -> CancelCallback:
        """
        Let bookmarks, such as the page's address, bring people back to their room.

        A bookmark holds a random token, never messages: these are in the room's log. If the app
        names a room or a member, the app's choice counts, not the bookmark; a function that
        returns None names none. The app's bookmark store must be "url" or "server".

        Parameters
        ----------
        client
            A chatlas Chat, or an object with its public methods, whose turns are restored from the
            room's log; or any object with the methods ``get_state()`` and ``set_state(state)``,
            whose state is kept in the lab's database, for its person only.
        bookmark_on
            "response": the page's address is updated after each response of this session's
            programme. If there is no model (no `client`, neither here nor in the Chat), it is also
            updated when the person is admitted. The rest of the address stays, except the token
            of a personal link. None: only the app makes bookmarks.
        restore_member
            Where the bookmark brings people back as themselves: in the "same-browser" (with
            ``identity="tab"``: in the same tab), "anywhere" (whoever has the address is that
            person), or nowhere (False). Elsewhere the bookmark admits its holder to the room as a
            new person, unless the person who made it has been removed.

        Returns
        -------
        CancelCallback
            Call it to end bookmarking.

        Raises
        ------
        ValueError
            Bookmarking is not enabled in the app, or an argument is not valid.
        """
        return self._bookmarks.enable(client, bookmark_on, restore_member)
