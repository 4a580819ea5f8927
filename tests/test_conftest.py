"""The ground the tests stand on."""

import socket

import pytest
from pytest_socket import SocketConnectBlockedError

from app.forum.queries import forums
from app.kit import clock
from app.kit.db import Database, Db
from tests.cast import NOW, SLUG


def test_the_clock_stands_still_until_it_is_moved(clock):
    from app.kit.clock import now

    assert now() == NOW
    assert clock.move(hours=2) == now()


def test_no_test_reaches_another_machine():
    with (
        socket.socket() as line,
        pytest.warns(UserWarning, match="connect"),
        pytest.raises(SocketConnectBlockedError),
    ):
        line.connect(("192.0.2.1", 80))


def test_the_real_forum_is_loaded(db: Db):
    assert [forum.slug for forum in forums(db)] == [SLUG]


def test_either_database_holds_the_real_forum(either_database: Database):
    assert [forum.slug for forum in either_database.read(forums)] == [SLUG]


def test_queries_are_counted(database: Database, queries):
    with queries() as counted:
        database.read(forums)
    assert len(counted) == 1


def test_the_site_answers_a_client(client):
    assert client.get("/en/nothing").status_code == 404


@pytest.mark.browser
def test_a_browser_reaches_the_served_site(tab):
    assert tab.goto("/en/nothing").status == 404
    assert clock.now() == NOW
