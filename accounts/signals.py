"""What higher apps may listen to; each is sent once, after the write it tells of."""

from django.dispatch import Signal

sessions_ended = Signal()  # sessions: list[Session]; by_time: bool, whether nobody ended them; in the same transaction
# Both in the transaction that ends the account, after its sessions have ended.
user_disabled = Signal()  # user: User; sessions: list[UUID], which have just ended
user_deleted = Signal()  # user: User, whose rows are about to go; sessions: as above
user_enabled = Signal()  # user: User, who was disabled until now; in the same transaction
membership_changed = Signal()  # users: list[UUID], who may have lost or won a group
group_shown = Signal()  # group: Group; a receiver returns the clients the group opens, as REST shows them
