"""What lists of registrations may be asked: the questions, and the orders, that the desk's list has in its address."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from app.kit.inputs import Input, Line
from app.registration.desk_filters import ASKED, MOST_CHOSEN, Further
from app.registration.desk_inputs import Number
from app.registration.desk_queries import Wanted

Standing = Literal[
    "", "awaiting", "confirmed", "unconfirmed", "held", "waiting", "offered", "cancelled", "declined", "expired"
]
"""How registrations stand: `desk_queries.STANDINGS`, or all of them."""
Order = Literal[
    "newest",
    "oldest",
    "name",
    "name-down",
    "name_km",
    "name_km-down",
    "category",
    "category-down",
    "standing",
    "standing-down",
    "institution",
    "institution-down",
]
DOWN = "-down"


def _of_this_age(day: date | None) -> date | None:
    if day is not None and not 2000 <= day.year <= 2200:
        raise PydanticCustomError("not_a_date", "not a day of this age")
    return day


Day = Annotated[date | None, AfterValidator(_of_this_age)]
Chosen = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,16}$")]


class Question(Input):
    """Which registrations are meant: all that is asked must be so, and nothing asked means all of them."""

    state: Standing = ""
    category: Annotated[str, Field(pattern=r"^([A-Z][A-Z0-9]{1,7})?$")] = ""
    q: Annotated[Line, Field(description="Words of names, institutions and addresses, or a code.")] = ""
    capacity: Annotated[Literal["", "official", "private"], Field(description="In which somebody attends.")] = ""
    country: Annotated[str, Field(pattern=r"^([A-Z]{2})?$")] = ""
    institution: Annotated[Line, Field(description="Words of its name; nobody in a private capacity.")] = ""
    language: Literal["", "en", "km"] = ""
    address: Annotated[Literal["", "confirmed", "unconfirmed"], Field(description="The e-mail address.")] = ""
    delegation: Annotated[str, Field(pattern=r"^[A-Z0-9]{0,16}$", description="Its code.")] = ""
    invitation: Annotated[Literal["", "personal", "code", "none"], Field(description="How they were invited.")] = ""
    companions: Literal["", "brings", "comes_along", "none"] = ""
    needs: Annotated[
        Literal["", "meals", "access", "any"], Field(description="Who has needs. Takes `see_sensitive`.")
    ] = ""
    waiting: Annotated[Literal["", "hall", "limit", "guarantees"], Field(description="What they wait for.")] = ""
    place: Annotated[Literal["", "hall", "none"], Field(description="Whether one of the hall's is for them.")] = ""
    origin: Annotated[Literal["", "asean", "other", "unknown"], Field(description="Where their country is.")] = ""
    side: Annotated[
        Literal["", "policy", "science", "both", "neither"], Field(description="The community their group stands for.")
    ] = ""
    gender: Annotated[
        str,
        Field(
            pattern=r"^(-|[a-z0-9][a-z0-9-]{0,39})?$",
            description="An answer to the forum's question `gender`; `-`: none. Takes `see_sensitive` where it is.",
        ),
    ] = ""
    tag: Annotated[Number | None, Field(description="The number of a tag.")] = None
    since: Annotated[Day, Field(description="The first day, where the forum is held, on which they asked.")] = None
    until: Annotated[Day, Field(description="The last day.")] = None
    code: Annotated[list[Chosen], Field(max_length=MOST_CHOSEN, description="Registrations one by one.")] = []

    @property
    def wanted(self) -> Wanted:
        """The same as the desk's list is asked it."""
        same = ("country", "institution", "language", "address", "delegation", "invitation", "companions", "needs")
        further = Further(
            **{
                name: getattr(self, name)
                for name in (*same, "waiting", "place", "origin", "side", "gender", "since", "until")
            },
            attends_as=self.capacity,
            tag="" if self.tag is None else str(self.tag),
            codes=tuple(dict.fromkeys(self.code)),
        )
        return Wanted(self.state, self.category, self.q, further=further)


class ListQuestion(Question):
    """The same with an order and the part of the list that is wanted."""

    order: Annotated[Order, Field(description="The order; with `-down` the other way round.")] = "newest"
    after: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{0,32}$", description="The mark of the part before.")] = ""
    limit: Annotated[int, Field(ge=1, le=100, description="How many at most.")] = 50

    @property
    def wanted(self) -> Wanted:
        """The question with order and beginning; time goes down where `newest` is asked for."""
        if self.order in {"newest", "oldest"}:
            by, up = ASKED, self.order == "oldest"
        else:
            by, up = self.order.removesuffix(DOWN), not self.order.endswith(DOWN)
        return super().wanted.other(order=by, oldest_first=up, after=self.after)
