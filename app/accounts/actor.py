"""Who does a deed. A deed asks its actor itself, so no door can forget to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.accounts.rules import Permission, Role, allowed
from app.kit.errors import Forbidden, NotFound


@dataclass(frozen=True, slots=True)
class Actor:
    """A user with roles by forum id, a participant, focal point or speaker holding a secret link, the worker, the
    operator, or a visitor.

    A program that acts for a user by a token has a `scope`: of what the roles bring only that counts.
    """

    kind: str
    id: int | None = None
    name: str = ""
    site_owner: bool = False
    roles: Mapping[int, frozenset[Role]] = field(default_factory=dict)
    second_factor: bool = False
    scope: frozenset[Permission] | None = None

    @classmethod
    def visitor(cls) -> "Actor":
        """Anybody, unknown."""
        return cls("visitor")

    @classmethod
    def participant(cls, application_id: int) -> "Actor":
        """Whoever holds the secret link of this application."""
        return cls("participant", application_id)

    @classmethod
    def invited(cls, invitation_id: int) -> "Actor":
        """Whoever holds the secret link of this invitation."""
        return cls("invited", invitation_id)

    @classmethod
    def focal_point(cls, delegation_id: int) -> "Actor":
        """Whoever holds the secret link of this delegation."""
        return cls("focal_point", delegation_id)

    @classmethod
    def speaker(cls, speaker_id: int) -> "Actor":
        """Whoever holds the secret link of this speaker."""
        return cls("speaker", speaker_id)

    @classmethod
    def worker(cls) -> "Actor":
        """The clock door: may do what rules say is due."""
        return cls("worker", name="worker")

    @classmethod
    def operator(cls) -> "Actor":
        """The terminal door: whoever can run commands on the machine has the whole site in hand already."""
        return cls("operator", name="operator", site_owner=True)

    def may(self, permission: Permission, forum_id: int) -> bool:
        """Has this actor the permission in this forum?"""
        if self.kind in {"worker", "operator"}:
            return True
        if self.scope is not None and permission not in self.scope:
            return False
        roles = self.roles.get(forum_id, frozenset())
        return allowed(roles | {Role.OWNER} if self.site_owner else roles, permission)

    def must(self, permission: Permission, forum_id: int) -> None:
        """Raises Forbidden without the permission, or NotFound where the actor may not even know the desk."""
        if not self.may(permission, forum_id):
            raise Forbidden("forbidden") if self.may(Permission.SEE_DESK, forum_id) else NotFound

    def owns(self, application_id: int | None) -> bool:
        """Is this the participant whose application it is?"""
        return self.kind == "participant" and self.id is not None and self.id == application_id

    def owns_delegation(self, delegation_id: int | None) -> bool:
        """Is this the focal point of this delegation?"""
        return self.kind == "focal_point" and self.id is not None and self.id == delegation_id

    def owns_invitation(self, invitation_id: int | None) -> bool:
        """Is this the person this invitation invites?"""
        return self.kind == "invited" and self.id is not None and self.id == invitation_id

    def owns_speaker(self, speaker_id: int | None) -> bool:
        """Is this the speaker whose page it is?"""
        return self.kind == "speaker" and self.id is not None and self.id == speaker_id

    @property
    def signature(self) -> tuple[str, str]:
        """How facts name this actor: (kind:id, name)."""
        return (self.kind if self.id is None else f"{self.kind}:{self.id}", self.name)
