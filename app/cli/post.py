"""The command about mail that came back: what a mail server pipes a delivery status notification into."""

import sys

from app.cli.house import opened
from app.kit import clock
from app.mail.bounces import MOST_BYTES, note_bounce, read_bounce, scopes_of


def bounce() -> None:
    """Read a delivery status notification (RFC 3464) from standard input and note it at the mail it is about.

    Anything else is let pass with a word and no error: a mail server would send an error back to whoever wrote.
    """
    found = read_bounce(sys.stdin.buffer.read(MOST_BYTES + 1))
    if found is None:
        print("This is no notification of mail of ours that came back.")
        return
    with opened() as house:
        noted = 0
        for scope in house.database.read(lambda db: scopes_of(db, found)):
            noted += house.pen.write_now(scope, lambda db, of=scope: note_bounce(db, of, found, now=clock.now()))  # type: ignore[misc]
    print(f"Noted at {noted} mails." if noted != 1 else "Noted at one mail.")
