"""Transactions through the driver itself: what fails is undone, and errors are SQLAlchemy's."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError

from shiny_labchat.store.schema import room, token
from shiny_labchat.store.sqlite import execute, is_in_transaction, savepoint, transaction

from .conftest import Rooms

ADD = "INSERT INTO room (study, id, seq) VALUES ('s', ?, 0)"


@pytest.fixture
def conn(rooms: Rooms) -> sa.Connection:
    return rooms.engine.connect()


def names(conn: sa.Connection) -> list[str]:
    with transaction(conn):
        return list(conn.execute(sa.select(room.c.id).order_by(room.c.id)).scalars())


def test_what_both_ways_write_is_one_transaction(conn: sa.Connection) -> None:
    with transaction(conn):
        assert execute(conn, ADD, ("a",)) == 1
        conn.execute(sa.insert(room).values(study="s", id="b", seq=0))
        execute(conn, ADD, ("c",))
    assert not is_in_transaction(conn) and not conn.in_transaction()
    assert names(conn) == ["a", "b", "c"]


@pytest.mark.parametrize("takes_part", [True, False], ids=["SQLAlchemy", "the driver alone"])
@pytest.mark.parametrize("failure", [ZeroDivisionError, KeyboardInterrupt])
def test_whatever_fails_undoes_all(
    conn: sa.Connection, failure: type[BaseException], takes_part: bool
) -> None:
    with pytest.raises(failure), transaction(conn):
        execute(conn, ADD, ("a",))
        if takes_part:
            conn.execute(sa.insert(room).values(study="s", id="b", seq=0))
        raise failure
    assert not is_in_transaction(conn) and not conn.in_transaction()
    assert names(conn) == []


def test_errors_of_the_driver_are_those_of_sqlalchemy(conn: sa.Connection) -> None:
    with pytest.raises(IntegrityError), transaction(conn):
        execute(conn, ADD, ("a",))
        execute(conn, ADD, ("a",))
    with pytest.raises(OperationalError, match="no such table"), transaction(conn):
        execute(conn, "SELECT * FROM missing")
    assert names(conn) == []


def test_what_fails_within_a_savepoint_is_undone_alone(conn: sa.Connection) -> None:
    with transaction(conn):
        execute(conn, ADD, ("a",))
        with pytest.raises(ZeroDivisionError), savepoint(conn):
            execute(conn, ADD, ("b",))
            conn.execute(sa.insert(token).values(hash="x", kind="invite", member="a"))
            raise ZeroDivisionError
        assert is_in_transaction(conn)
        with savepoint(conn):
            execute(conn, ADD, ("c",))
    assert names(conn) == ["a", "c"]


def test_a_transaction_that_the_database_has_ended_is_noticed(conn: sa.Connection) -> None:
    """As a full disk may do."""
    with pytest.raises(OperationalError, match="no transaction"), transaction(conn):
        execute(conn, ADD, ("a",))
        with pytest.raises(ZeroDivisionError), savepoint(conn):
            execute(conn, "ROLLBACK")
            raise ZeroDivisionError
        assert not is_in_transaction(conn)
    assert names(conn) == []
