"""What higher apps may listen to; each is sent once, after the write is done."""

from django.dispatch import Signal

session_ended = Signal()  # session: Session
user_disabled = Signal()  # user: User
user_deleted = Signal()  # user: User, whose rows are about to go; in the same transaction
membership_changed = Signal()  # users: list[UUID], who may have lost or won a group
group_shown = Signal()  # group: Group; a receiver returns the clients the group opens, as REST shows them
