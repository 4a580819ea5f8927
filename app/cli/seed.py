"""`sala demo`: plainly fictional people of every category and every state, for trying, pictures and benchmarks."""

import random
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from app.accounts.actor import Actor
from app.cli.forum import known
from app.cli.furnishing import answers_of, furnish
from app.cli.house import House, opened
from app.forum.models import Forum
from app.forum.queries import featured_slug, forum_by_slug, forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Refused
from app.kit.inputs import Model, parse
from app.mail import outbox
from app.registration import applying, arranging, reviewing, seating, settling
from app.registration.desk_queries import Wanted, desk_list
from app.registration.inputs import ApplicationInput, CategoryInput, TermsInput
from app.registration.quotas import house_of
from app.registration.rules.eligibility import Mode

FAMILY = (
    ("Sok", "សុខ"), ("Chan", "ចាន់"), ("Keo", "កែវ"), ("Lim", "លឹម"), ("Meas", "មាស"), ("Nhem", "ញ៉ែម"),
    ("Ouk", "អ៊ុក"), ("Pich", "ពេជ្រ"), ("Prak", "ប្រាក់"), ("Sam", "សំ"), ("Sar", "សារ"), ("Tep", "ទេព"),
    ("Um", "អ៊ុំ"), ("Yim", "យឹម"), ("Chhim", "ឈឹម"), ("Hem", "ហែម"),
)  # fmt: skip
GIVEN = (
    ("Sokha", "សុខា"), ("Dara", "ដារ៉ា"), ("Bopha", "បុប្ផា"), ("Vanna", "វណ្ណា"), ("Rith", "រិទ្ធ"),
    ("Sreymom", "ស្រីមុំ"), ("Kosal", "កុសល"), ("Chanthou", "ចន្ធូ"), ("Piseth", "ពិសិដ្ឋ"), ("Sothea", "សុធា"),
    ("Ratha", "រដ្ឋា"), ("Kunthea", "គន្ធា"), ("Veasna", "វាសនា"), ("Sreypov", "ស្រីពៅ"), ("Makara", "មករា"),
    ("Thida", "ធីតា"),
)  # fmt: skip
ABROAD = (("Example", "Alex"), ("Sample", "Robin"), ("Placeholder", "Kim"), ("Specimen", "Noor"))
INSTITUTIONS = {
    "PARL": "A commission of parliament (demo)", "GOV": "A government office (demo)", "MIN": "A ministry (demo)",
    "DIP": "An embassy (demo)", "PROV": "A provincial administration (demo)", "STU": "A university (demo)",
    "THK": "A research institute (demo)", "PTY": "A political party (demo)", "ORG": "A company (demo)",
    "CSO": "A non-governmental organisation (demo)", "INT": "An interest group (demo)",
}  # fmt: skip
WEIGHTS = {
    "PARL": 35, "GOV": 20, "MIN": 35, "DIP": 40, "PROV": 30, "STU": 60, "THK": 15, "PTY": 55, "ORG": 25, "CSO": 20,
    "INT": 10,
}  # fmt: skip
"""More of the parties than their limit lets in, so that some of them wait."""
DAYS = timedelta(days=14)
"""The demo's people registered over the last two weeks."""
SPECIAL: tuple[dict[str, Any], ...] = (
    {"category": "GOV", "titles": "Samdech, H.E., Dr.", "family_name": "Tep", "given_name": "Bopha",
     "name_km": "ទេព បុប្ផា", "display_name": "Samdech Tep Bopha", "email": "assistant.tep@demo.example",
     "assistant_name": "Sar Kosal"},
    {"category": "ORG", "titles": "Neak Oknha", "family_name": "Pich", "given_name": "Makara",
     "name_km": "ពេជ្រ មករា", "email": "oknha@demo.example"},
    {"category": "CSO", "family_name": "Sles", "given_name": "Fatimah", "name_km": "ហ្វាទីម៉ះ ស្លេះ",
     "display_name": "Fatimah Sles", "email": "cham.order@demo.example"},
    {"category": "MIN", "family_name": "Prak", "given_name": "Veasna", "name_km": "ប្រាក់ វាសនា",
     "attends_as": "private", "position_title": "Colonel", "email": "private.capacity@demo.example"},
    {"category": "STU", "family_name": "Keo", "given_name": "Thida", "name_km": "កែវ ធីតា",
     "email": "thida@demo.example"},
    {"category": "STU", "family_name": "Keo", "given_name": "Thida", "name_km": "កែវ ធីតា",
     "email": "thida.again@demo.example"},
)  # fmt: skip


def demo(
    people: Annotated[int, typer.Argument(min=1, max=200_000, help="how many people")] = 300,
    forum: Annotated[str, typer.Option(help="the forum's slug; default: the featured one")] = "",
    seed: Annotated[int, typer.Option(help="the same seed makes the same people")] = 1,
) -> None:
    """Fill a forum with plainly fictional people, through the same deeds that real ones come by.

    From about 250 on there are some in every state; with fewer the parties' seats suffice and nobody waits.
    """
    with opened() as house:
        slug = known(house, forum or house.database.read(featured_slug) or "?")
        made = fill(house, slug, people, seed)
        print(f"{slug}: {made} fictional people registered ({people - made} were there already).")


def fill(house: House, slug: str, people: int, seed: int = 1) -> int:
    """Register `people` fictional persons, 100 in a transaction, after what is set up around them; how many of them
    were new."""
    sent = list(enumerate(_people(people, random.Random(seed))))
    first = clock.now() - DAYS
    refused = furnish(house, slug, now=first)
    if refused:
        print(f"{slug}: this forum has not the groups or seats for: {', '.join(refused)}.")
    made = 0
    for start in range(0, people, 100):
        piece = [(number, person, first + DAYS * (number + 1) / people) for number, person in sent[start : start + 100]]
        made += house.pen.write_now(slug, lambda db, piece=piece: _register(db, house, slug, piece))  # type: ignore[misc]
    if made:
        house.pen.write_now(slug, lambda db: _offer(db, forum_by_slug(db, slug), now=clock.now()))
    return made


def _register(db: Db, house: House, slug: str, piece: list[tuple[int, dict[str, Any], datetime]]) -> int:
    forum = forum_by_slug(db, slug)
    known = house_of(db, forum_id(forum)).categories
    made = 0
    for number, person, at in piece:
        if person["category"] in known:
            made += _one(db, house.settings.secret_key, forum, person, number, at)
    return made


def _one(db: Db, secret: bytes, forum: Forum, person: dict[str, Any], number: int, now: datetime) -> int:
    by = Actor.operator()
    sent = parse(ApplicationInput, {**person, "language": "km" if number % 3 else "en", "consent": True})
    # most register themselves, so that some addresses are not confirmed yet; who needs an invitation is registered
    mode = house_of(db, forum_id(forum)).categories[sent.category].mode
    asks = by if mode == Mode.INVITATION else Actor.visitor()
    answers = None if asks is by else answers_of(db, forum_id(forum), sent.category, number)
    asked = applying.apply(db, asks, forum, sent, f"demo-{sent.email}", secret, now=now, answers=answers)
    if asked.known or asked.same_request:
        return 0
    try:
        if asked.state == "awaiting" and number % 4:
            reviewing.approve(db, by, forum, asked.code, now=now)
        elif asked.state == "awaiting" and number % 12 == 8:
            reviewing.decline(db, by, forum, asked.code, now=now)
            return 1
        if number % 5:
            applying.confirm(db, by, forum, asked.code, now=now)
        elif number % 20 == 5:
            _mail_leaves(db, forum, asked.code, now=now)
        if number % 41 == 40:
            applying.cancel(db, by, forum, asked.code, now=now)
    except Refused:
        return 1  # the queue moved meanwhile, as it may for anybody
    return 1


def _mail_leaves(db: Db, forum: Forum, code: str, *, now: datetime) -> None:
    """A person's mails count as having left: their hours start, and nobody confirms."""
    for message in outbox.claim(db, now=now, subject=f"registration:{code}"):
        outbox.mark_sent(db, message, now=now)
        seating.start_hours(db, forum, code, message.template, sent_at=now)


def _offer(db: Db, forum: Forum, *, now: datetime) -> None:
    """In each group with a queue two who are seated cancel, and the next two are offered their seats.

    Seats are offered only for this, whatever the forum's terms say; they are put back as they were.
    """
    by = Actor.operator()
    waiting, _ = desk_list(db, by, forum, Wanted("waiting"), most=1000)
    if not waiting:
        return
    house = settling.settle(db, forum, now=now)
    terms, categories = (
        _written(TermsInput, house.terms),
        [_written(CategoryInput, category) for category in house.categories.values()],
    )
    offering = terms.model_copy(update={"promotion": "offer"})
    arranging.put_terms(db, by, forum, offering, categories, now=now, over_is_meant=True)
    for category in sorted({row.category for row in waiting}):
        seated, _ = desk_list(db, by, forum, Wanted("confirmed", category), most=2)
        for row in seated:
            applying.cancel(db, by, forum, row.code, now=now)
    arranging.put_terms(db, by, forum, terms, categories, now=now, over_is_meant=True)


def _written(model: type[Model], row: Any) -> Model:
    """A stored row as the input that would store it."""
    return parse(model, {name: getattr(row, name) for name in model.model_fields})


def _people(count: int, chance: random.Random) -> Any:
    yield from SPECIAL[:count]
    codes = [code for code, weight in WEIGHTS.items() for _ in range(weight * count // sum(WEIGHTS.values()) + 1)]
    chance.shuffle(codes)
    for number, category in enumerate(codes[: max(0, count - len(SPECIAL))]):
        abroad = category == "DIP" or chance.random() < 0.08
        (family, family_km), (given, given_km) = chance.choice(FAMILY), chance.choice(GIVEN)
        if abroad:
            family, given = chance.choice(ABROAD)
        yield {
            "category": category,
            "family_name": family,
            "given_name": given,
            "name_km": "" if abroad else f"{family_km} {given_km}",
            "titles": "H.E." if category in {"PARL", "GOV", "DIP"} and chance.random() < 0.6 else "",
            "institution": INSTITUTIONS[category],
            "country": chance.choice(("FR", "JP", "AU", "ID", "VN", "DE")) if abroad else "KH",
            "email": f"person.{number + 1}@demo.example",
        }
