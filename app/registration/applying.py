"""What a person does: ask to attend, confirm, correct, accept, cancel."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, or_, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import ends_at, forum_id
from app.kit import codes
from app.kit.absences import Absence, Sought
from app.kit.db import Db, table
from app.kit.errors import Conflict, NotFound, Refused
from app.kit.questions import Question
from app.mail.outbox import was_queued, withhold
from app.registration.answering import Sent, keep, keep_first, note_form_consent, questionnaire_sent, read
from app.registration.assistants import Principals, refuse_too_many
from app.registration.drawing import Drawn
from app.registration.inputs import ApplicationInput, Person
from app.registration.models import Application, Needs
from app.registration.people import MADE, person_columns, shown_name
from app.registration.question_queries import questionnaire_of
from app.registration.quotas import house_of, times_of
from app.registration.releasing import close_invitation
from app.registration.rules.eligibility import Door, Mode, door_state
from app.registration.rules.names import normal_email
from app.registration.rules.states import Origin, State, first_step, may_follow, needs_confirmation
from app.registration.same_person import identity, name_of, registered_already
from app.registration.seating import Asking, asking, can_seat, end, fill, give, move_queue, step, tell
from app.registration.settling import drawn_ahead, leave_settled, settle
from app.registration.welcome import Welcome

_applications, _needs = table(Application), table(Needs)
# the forum stands beside each key: SQLite uses no index for a key otherwise, and reads all of the forum's registrations
_HERE = _applications.c.forum_id == bindparam("own")
_SAME = or_(
    _HERE & (_applications.c.request_key == bindparam("key")),
    _HERE & (_applications.c.live_key == bindparam("alone")),
    _HERE & (_applications.c.live_key == bindparam("as_principal")),
)
_NOT_KNOWN = Absence(_applications.c.request_key, _applications.c.live_key, within=_applications.c.forum_id)
_IS_KNOWN, _KNOWN = Question(select(_applications.c.id).where(_SAME)), select(_applications).where(_SAME)


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a request: the application it is about, and whether it was known before (by key or by person).

    `same_request` is the harmless second sending of one form; `known` an earlier registration of the person.
    `token` opens the person's own page.
    """

    code: str
    state: str
    token: str
    same_request: bool = False
    known: bool = False


def apply(
    db: Db,
    by: Actor,
    forum: Forum,
    sent: ApplicationInput,
    request_key: str,
    secret: bytes,
    *,
    now: datetime,
    welcome: Welcome | None = None,
    answers: Sent | None = None,
    principals: Principals = Principals(),  # noqa: B008 - its values never change
) -> Asked:
    """Register a person: a seat, a place in the queue, or a place before the organisers, by the category's mode.

    The same request key gives the same answer and one registration; a person already registered keeps the earlier
    one and is sent its link (rules §1.10, §2). Whom the organisers asked to come brings a `welcome`. `answers` are
    those to the category's questions; None where no form with them was filled in (an organiser, a focal point): the
    person answers on their own page. `principals` is how many an assistant may register. Raises Invalid for the
    answers, and Refused: `door_not_yet`, `door_closed`, `door_over`, `door_by_invitation`, `unknown_category`,
    `registration_not_set_up`, `form_sent_already`, `assistant_unconfirmed`, `assistant_enough`, and why the welcome
    holds no longer.
    """
    own = forum_id(forum)
    house = settle(db, forum, now=now)
    email = normal_email(sent.email)
    person_key = _person_key(email, sent)
    row = _there_already(db, own, request_key, person_key, email, sent)
    if row is not None and row.request_key == request_key:
        same = row.live_key == person_key if row.live_key else row.email_normal == email
        if not same:
            raise Refused("form_sent_already")  # sent before for somebody else, then changed and sent again
        token = manage_token(secret, row.id, row.manage_generation)
        return Asked(row.code, row.state, token, same_request=True)
    category = house.categories.get(sent.category)
    if category is None:
        raise Refused("unknown_category")
    if welcome is not None and welcome.refusal:
        raise Refused(welcome.refusal)
    # for known and unknown alike, before anything tells them apart
    _pass_the_door(category, forum, house, by, welcome, now=now)
    ready = None if answers is None else read(house.form_of(db, sent.category), answers).or_refuse()
    confirmed = _is_confirmed(by, own, sent, welcome)
    if sent.assistant_name and not confirmed:
        refuse_too_many(db, own, email, principals)
    if row is not None:
        # the person is registered already: their own address gets the link again, and the page says nothing of it
        _tell_again(db, forum, asking(row, sent.category), now=now)
        return Asked(row.code, row.state, manage_token(secret, row.id, row.manage_generation), known=True)
    code = codes.public_code()
    columns = _row(own, category.id, code, request_key, person_key, email, sent, now)
    kept, invitation = (welcome.seat, welcome.invitation_id) if welcome else (None, None)
    may_seat = kept is not None or can_seat(house, sent.category, now=now)
    mode = Mode.INVITATION if welcome else Mode(category.mode)  # nobody reviews whom the organisers asked
    first = first_step(mode, hold_while_reviewing=category.hold_while_reviewing, may_seat=may_seat)
    columns |= {"state": first.state.value, "confirmed_at": now if confirmed else None, "invitation_id": invitation}
    drawn = drawn_ahead(db) or Drawn.first_of(db)
    number, token = write_application(db, columns, secret, drawn)
    told = first.state.value, sent.language, sent.email, shown_name(columns, sent.language)
    person = Asking(number, code, sent.category, *told, confirmed=confirmed)
    _write_needs(db, number, sent)
    if by.kind in {"visitor", "invited"}:
        note_form_consent(db, number, sent.language, now=now)
    if ready is not None:
        keep_first(db, number, ready, sent.language, now=now)
    record(
        db,
        forum.slug,
        by.signature,
        "registration.submitted",
        f"registration:{code}",
        now=now,
        after={"category": sent.category, "state": person.state, **_invited_by(welcome)},
        personal={"email": sent.email, "name": person.name},
    )
    if kept is not None:
        fill(db, by, forum, kept, person, now=now)
    elif first.takes_seat:
        kind = "person" if first.state is State.SEATED else "hold"
        given = give(db, by, forum, house, person, now=now, kind=kind, drawn=drawn)
        house = replace(house, full_to=given or house.full_to)
    is_final = confirmed and first.state is State.SEATED
    template = (welcome.template if welcome else "registration/approved") if is_final else _FIRST_MAIL[first.state]
    tell(db, forum, person, template, now=now, values={"hours": house.terms.confirm_hours})
    leave_settled(db, house, drawn)
    return Asked(code, person.state, token)


_FIRST_MAIL = {
    State.SEATED: "registration/seated",
    State.WAITING: "registration/waiting",
    State.AWAITING_APPROVAL: "registration/awaiting",
}


def _invited_by(welcome: Welcome | None) -> dict[str, str]:
    return {"invitation": welcome.invitation_code} if welcome and welcome.invitation_code else {}


def _is_confirmed(by: Actor, own: int, sent: ApplicationInput, welcome: Welcome | None) -> bool:
    """Whom an organiser registers, or invited at this very address, need not confirm it (rules §2)."""
    origin = Origin.ASSISTANT if sent.assistant_name else Origin.PERSON
    if by.may(Permission.DECIDE_REGISTRATIONS, own):
        origin = Origin.ORGANISER
    return not needs_confirmation(origin, invited_at_this_address=welcome is not None and welcome.confirmed)


def _person_key(email: str, sent: ApplicationInput) -> str:
    """A person is an address; an assistant's address carries several principals, each once by name (rules §1.10)."""
    if not sent.assistant_name:
        return email
    return f"{email}|{name_of(sent)}"


KNOWN_AGAIN = timedelta(hours=1)
"""Whoever is registered gets the mail with their link this often, however often their form is sent."""


def _tell_again(db: Db, forum: Forum, person: Asking, *, now: datetime) -> None:
    template = "registration/known"
    if not was_queued(db, forum.slug, f"registration:{person.code}", template, since=now - KNOWN_AGAIN):
        tell(db, forum, person, template, now=now)


def sought(own: int, request_key: str, sent: ApplicationInput) -> Sought:
    """What registering somebody asks, for a door that hands it to the pen with many others' (`Pen.submit_together`)."""
    email = normal_email(sent.email)
    return Sought(_NOT_KNOWN, (request_key, email, f"{email}|{name_of(sent)}"), own)


def _there_already(
    db: Db, own: int, request_key: str, person_key: str, email: str, sent: ApplicationInput
) -> Any | None:
    """The registration that this very form made, else the person's own, who may stand under the address alone or as a
    principal of it; None where there is neither."""
    principal = f"{email}|{name_of(sent)}"
    if db.has_none(Sought(_NOT_KNOWN, (request_key, email, principal), own)):
        return None
    asked = {"own": own, "key": request_key, "alone": email, "as_principal": principal}

    def is_theirs(row: dict[str, Any]) -> bool:
        return row["request_key"] == request_key or row["live_key"] in {email, principal}

    if not db.ask(_IS_KNOWN, asked, matters=is_theirs):
        return None
    before = db.execute(_KNOWN, asked).all()
    here = [row for row in before if row.request_key == request_key or _is_same(row, person_key, sent)]
    return min(here, key=lambda row: row.request_key != request_key, default=None)


def _is_same(row: Any, person_key: str, sent: ApplicationInput) -> bool:
    """Is the registration this person's? Whoever registered for themselves is not registered again as the principal of
    their own address, nor the other way round (rules §1.10)."""
    return bool(row.live_key == person_key or name_of(row) == name_of(sent))


def _pass_the_door(
    category: Any, forum: Forum, house: Any, by: Actor, welcome: Welcome | None, *, now: datetime
) -> None:
    """Registration's times and the category's mode; an organiser may register somebody after closing.

    An invitation opens the door whatever the mode and before its time; after closing where it has a date of its own.
    """
    mode = Mode(category.mode)
    door = door_state(*times_of(house, category), ends_at(forum), mode, now)
    if door is Door.OPEN or (by.may(Permission.DECIDE_REGISTRATIONS, forum_id(forum)) and door is not Door.OVER):
        return
    if welcome and (door in {Door.BY_INVITATION, Door.NOT_YET} or (door is Door.CLOSED and welcome.after_closing)):
        return
    raise Refused(f"door_{door.value}")


def _row(
    own: int, category: int, code: str, key: str, live_key: str, email: str, sent: ApplicationInput, now: datetime
) -> dict[str, Any]:
    return {
        "forum_id": own,
        "category_id": category,
        "code": code,
        "request_key": key,
        "live_key": live_key,
        "language": sent.language,
        "email": sent.email,
        "email_normal": email,
        "assistant_name": sent.assistant_name,
        "asked_at": now,
        **person_columns(sent),
    }


def write_application(db: Db, row: dict[str, Any], secret: bytes, drawn: Drawn | None = None) -> tuple[int, str]:
    """Write an application's row with what every new one has, and the digests of its tokens; its id and the token of
    the person's own page. Two queries where nothing is `drawn`.

    Who asks after others stands behind them, also where the clock was set back in between.
    """
    defaults = {
        "priority": 0,
        "priority_reason": "",
        "decision_note": "",
        "manage_generation": 1,
        "feed_generation": 1,
        "edition": 1,
    }
    drawn = drawn or Drawn()
    number = drawn.next_id(db)
    token = manage_token(secret, number, 1)
    made = {
        "id": number,
        "asked_at": drawn.asks_at(db, row["forum_id"], row["asked_at"]),
        "manage_digest": codes.digest(token),
        "feed_digest": codes.digest(feed_token(secret, number, 1)),
    }
    db.later(_applications, {**defaults, **row, **made})
    return number, token


def manage_token(secret: bytes, application: int, generation: int) -> str:
    """The token of a person's own page."""
    return codes.lasting_token(secret, "my", application, generation)


def feed_token(secret: bytes, application: int, generation: int) -> str:
    """The token of a person's calendar: another than the page's, so a calendar may be shared without it."""
    return codes.lasting_token(secret, "feed", application, generation)


def _keep_needs(db: Db, application: int, sent: Person) -> None:
    db.execute(_needs.delete().where(_needs.c.application_id == application))
    _write_needs(db, application, sent)


def _write_needs(db: Db, application: int, sent: Person) -> None:
    if sent.meals or sent.access:
        db.later(_needs, {"application_id": application, "meals": sent.meals, "access": sent.access})


def application_of(db: Db, forum: Forum, code: str) -> Any:
    """The application with this code in this forum. Raises NotFound."""
    mine = (_applications.c.forum_id == forum_id(forum)) & (_applications.c.code == code)
    row = db.execute(select(_applications).where(mine)).first()
    if row is None:
        raise NotFound
    return row


def person_of(db: Db, by: Actor, forum: Forum, code: str) -> tuple[Any, Asking]:
    """The application for its own person, the focal point who named them, or an organiser who decides; anybody else
    finds nothing."""
    row = application_of(db, forum, code)
    if not (by.owns(row.id) or by.owns_delegation(row.delegation_id)):
        by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
    return row, asking(row, house_of(db, forum_id(forum)).category_by_id(row.category_id).code)


def confirm(db: Db, by: Actor, forum: Forum, code: str, *, now: datetime) -> bool:
    """The address is right: the seat is final. Says whether that is news. Raises Refused("ended") for an ended one."""
    settle(db, forum, now=now)
    row, person = person_of(db, by, forum, code)
    if row.ended_at is not None:
        raise Refused("ended")
    if row.confirmed_at is not None:
        return False
    db.execute(update(_applications).where(_applications.c.id == row.id).values(confirmed_at=now, confirm_by=None))
    withhold(db, forum.slug, f"registration:{person.code}", ["registration/reminder"])
    record(db, forum.slug, by.signature, "registration.confirmed", f"registration:{person.code}", now=now)
    return True


def accept(db: Db, by: Actor, forum: Forum, code: str, *, now: datetime) -> bool:
    """Take an offered seat. Raises Refused("offer_over") where the offer has passed on or was never made."""
    settle(db, forum, now=now)
    row, person = person_of(db, by, forum, code)
    if row.state == State.SEATED.value:
        return False
    if row.state != State.OFFERED.value:
        raise Refused("offer_over")
    values = {"offer_until": None, "confirmed_at": row.confirmed_at or now, "confirm_by": None}
    step(db, by, forum, person, State.SEATED, now=now, values=values)
    withhold(db, forum.slug, f"registration:{person.code}", ["registration/reminder", "registration/offered"])
    return True


def turn_down(db: Db, by: Actor, forum: Forum, code: str, *, now: datetime) -> bool:
    """Decline an offered seat; it goes to the next in the same transaction (rules §1.5). False if that was done before.

    Raises Refused("offer_over") where the offer has passed on or was never made.
    """
    settle(db, forum, now=now)
    row, person = person_of(db, by, forum, code)
    if row.turned_down:
        return False
    if row.state != State.OFFERED.value:
        raise Refused("offer_over")
    freed = end(db, by, forum, person, State.DECLINED, now=now)
    db.execute(update(_applications).where(_applications.c.id == row.id).values(turned_down=True))
    tell(db, forum, person, "registration/turned_down", now=now)
    if freed:
        move_queue(db, forum, house_of(db, forum_id(forum)), now=now)
    return True


def correct(
    db: Db,
    by: Actor,
    forum: Forum,
    code: str,
    sent: Person,
    edition: int,
    *,
    now: datetime,
    answers: Sent | None = None,
    language: str = "",
) -> bool:
    """Change a person's details and, where `answers` are given, those; says whether anything changed.

    A consent given with them is kept in the words of `language`, the page's.

    `edition` is the one the form was opened on. Raises Conflict("changed_meanwhile") where another change came
    between, Refused("ended") for an ended registration.
    """
    row, person = person_of(db, by, forum, code)
    if row.ended_at is not None:
        raise Refused("ended")
    wanted = person_columns(sent)
    before = {name: getattr(row, name) for name in wanted}
    needs = db.execute(select(_needs).where(_needs.c.application_id == row.id)).first()
    needs_before = (needs.meals, needs.access) if needs else ("", "")
    different = sorted(name for name in wanted if wanted[name] != before[name] and name not in MADE)
    ready = None
    if answers is not None:
        ready = questionnaire_sent(questionnaire_of(db, row.forum_id, person.category, row.id), answers)
    answered = [] if ready is None else keep(db, row.id, ready, language or row.language, now=now)
    if not different and not answered and needs_before == (sent.meals, sent.access):
        return False
    if row.edition != edition:
        raise Conflict("changed_meanwhile")  # which takes back the answers kept above, too
    values: dict[str, Any] = {**wanted, "edition": row.edition + 1}
    if row.live_key is not None and row.assistant_name:
        principal = identity(row.email_normal, sent, has_own_address=False)
        if principal.marks & registered_already(db, row.forum_id, [principal], besides=(row.id,)):
            raise Refused("principal_twice")
        values["live_key"] = principal.key
    db.execute(update(_applications).where(_applications.c.id == row.id).values(**values))
    _keep_needs(db, row.id, sent)
    record(
        db,
        forum.slug,
        by.signature,
        "registration.corrected",
        f"registration:{person.code}",
        now=now,
        # what was answered stands in no fact: a purge has the answers alone to empty
        after={"changed": [*different, *(f"question.{question}" for question in answered)]},
        personal={"before": {name: before[name] for name in different}, "after": {n: wanted[n] for n in different}},
    )
    return True


def cancel(db: Db, by: Actor, forum: Forum, code: str, *, now: datetime, note: str = "") -> bool:
    """Give a registration up; its seat goes to the next in the same transaction (rules §1.5). False if it had ended.

    Done by an organiser, it closes the personal invitation it was made with.
    """
    settle(db, forum, now=now)
    row, person = person_of(db, by, forum, code)
    if not may_follow(State(row.state), State.CANCELLED):
        return False
    freed = end(db, by, forum, person, State.CANCELLED, now=now, note=note)
    close_invitation(db, by, forum, row, now=now)
    tell(db, forum, person, "registration/cancelled", now=now)
    if freed:
        move_queue(db, forum, house_of(db, forum_id(forum)), now=now)
    return True
