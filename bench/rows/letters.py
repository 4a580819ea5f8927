"""Three hundred letters as PDF, fetched one after the other by the people they are for."""

from collections.abc import Iterator
from itertools import cycle, islice

from sqlalchemy import select

from app.accounts.actor import Actor
from app.forum.queries import forum_by_slug, forum_id
from app.kit import clock
from app.kit.db import Db, table
from app.kit.pen import Pen
from app.registration.applying import manage_token
from app.registration.letter_inputs import LetterInput
from app.registration.lettering import ask_for_letter
from app.registration.models import Application
from bench import load
from bench.house import SECRET, SMALL, Bench, opened
from bench.report import Figure

LETTERS, AT_ONCE = 300, 2


def letters(bench: Bench) -> Iterator[Figure]:
    """A letter for everybody with a confirmed seat, in both languages; 300 are fetched."""

    def ask(db: Db) -> list[str]:
        forum, people = forum_by_slug(db, SMALL), table(Application).c
        confirmed = (people.forum_id == forum_id(forum)) & (people.state == "seated") & people.confirmed_at.is_not(None)
        paths = []
        for row in db.execute(select(people.id, people.code, people.manage_generation).where(confirmed)).all():
            token = manage_token(SECRET.encode(), row.id, row.manage_generation)
            lang = ("en", "km")[row.id % 2]
            wanted = LetterInput(kind="visa", language=lang, passport_name="Number Example", nationality="KH")
            key = f"bench-{row.id}"
            letter = ask_for_letter(db, Actor.operator(), forum, row.code, wanted, key, now=clock.now())
            paths.append(f"/{lang}/my/{token}/letters/{letter}.pdf")
        return paths

    environment = bench.copy()
    with opened(environment) as database:
        paths = Pen(database).write_now(SMALL, ask)
    wanted = 6 if bench.quick else LETTERS
    with bench.site(**environment) as site:
        questions = [load.request("GET", path, port=site.port) for path in islice(cycle(paths), wanted)]
        tally = load.run(load.hammer(site.port, questions, AT_ONCE, 120, most=wanted))
    faults = tuple(f"{n} were answered {status}." for status, n in tally.statuses.items() if status != 200)
    more = {
        "a second": f"{tally.rate:.0f}",
        "p50": f"{tally.slowest(0.5):.0f} ms",
        "p99": f"{tally.slowest(0.99):.0f} ms",
    }
    yield Figure("letters", f"{wanted} letters, {AT_ONCE} at a time", tally.seconds, "s", more=more, faults=faults)


ROWS = {"letters": letters}
