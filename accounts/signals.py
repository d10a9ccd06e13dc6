"""What higher apps may listen to; each is sent once, after the write is done."""

from django.dispatch import Signal

session_ended = Signal()  # session: Session
