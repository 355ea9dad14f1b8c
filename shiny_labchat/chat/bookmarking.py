"""What a Chat offers of bookmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from shiny_labchat.chat.base import ChatBase
from shiny_labchat.chat.bookmarks import CancelCallback, ClientWithState, RestoreMember

if TYPE_CHECKING:
    import chatlas

__all__ = ["Bookmarking"]


class Bookmarking(ChatBase):
    """The part of a :class:`Chat` that is kept in bookmarks."""

    def enable_bookmarking(
        self,
        client: ClientWithState | chatlas.Chat[Any, Any] | None = None,
        /,
        *,
        bookmark_on: Literal["response"] | None = "response",
        restore_member: RestoreMember = "same-browser",
    ) -> CancelCallback:
        """
        Let bookmarks, such as the page's address, bring people back to their room.

        A bookmark holds a random token, never what was said: the room's log has that. Where the
        app names a room or a member, that counts, and not the bookmark; a function that gives None
        names none. In the app's bookmark store there must be "url" or "server".

        Parameters
        ----------
        client
            A chatlas Chat, whose turns are made anew from the room's log; or anything with the
            methods ``get_state()`` and ``set_state(state)``, whose state is kept in the lab's
            database, for its person only.
        bookmark_on
            "response": the page's address is brought up to date when this session's programme has
            said something, and when there is no model (no `client`, neither here nor in the Chat),
            also when the person comes in. What else is in the address stays, but for a personal
            link's token. None: only the app makes bookmarks.
        restore_member
            Where the bookmark brings people back as themselves: in the "same-browser" (with
            ``identity="tab"``: in the same tab), "anywhere" (whoever has the address is that
            person), or nowhere (False). Elsewhere it opens the room to a new person, as long as
            the person whose bookmark it is has not been removed.

        Returns
        -------
        CancelCallback
            Call it to end all this.

        Raises
        ------
        ValueError
            Bookmarking is not enabled in the app; `client` is neither; or another argument is
            none of those above.
        """
        return self._bookmarks.enable(client, bookmark_on, restore_member)
