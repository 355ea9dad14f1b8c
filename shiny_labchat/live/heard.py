"""What a process has heard of people, until it is stored for all processes."""

from __future__ import annotations

import asyncio

from shiny_labchat.domain.presence import Signs, all_signs
from shiny_labchat.store import Log, Person, forget_seen, note_seen

__all__ = ["Heard", "now"]


class Heard:
    """
    What the pages of people have said since it was last stored.

    Times are the event loop's, in microseconds.

    Parameters
    ----------
    log
        The log of the database.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._fresh: dict[Person, Signs] = {}
        self._withdrawn: set[Person] = set()

    def note(self, person: Person, signs: Signs) -> None:
        """Note what a page of a person has said."""
        if person in self._withdrawn:
            return
        self._fresh[person] = all_signs((self._fresh.get(person, Signs()), signs))

    async def store(self) -> None:
        """
        Store it, as one statement; what cannot be stored is kept for the next time.

        Raises
        ------
        LabChatError
            The database could not store it.
        """
        if not self._fresh:
            return
        taken, self._fresh = self._fresh, {}
        ages = {person: signs.moved(-now()) for person, signs in taken.items()}
        try:
            await self._log.write(lambda conn, _: note_seen(conn, ages))
        except BaseException:
            for person, signs in taken.items():
                self.note(person, signs)
            raise

    async def forget(self, person: Person) -> None:
        """
        Note nothing any more of somebody whose data was withdrawn, who has had this id.

        What was on its way to the database when they withdrew is deleted there.

        Raises
        ------
        LabChatError
            The database could not store it.
        """
        self._withdrawn.add(person)
        self._fresh.pop(person, None)
        await self._log.write(lambda conn, _: forget_seen(conn, person))


def now() -> int:
    """The event loop's time, in microseconds."""
    return round(asyncio.get_running_loop().time() * 1e6)
