import uuid
from typing import Self

from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from accounts.models.group import Group
from core import secrets


class SignupTokenQuerySet(models.QuerySet["SignupToken"]):
    def live(self) -> Self:
        return self.filter(expires_at__gt=timezone.now())

    def usable(self) -> Self:
        return self.live().filter(usage_count__lt=F("usage_limit"))

    def matching(self, token: str) -> Self:
        return self.filter(token_hash=secrets.hash_token(token))


class SignupToken(models.Model):
    """Lets a number of people make their own accounts, in the groups that come with it.

    Administrators see the token again in the list and pass it on, so it is kept encrypted beside its hash.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    token_encrypted = models.TextField(editable=False)
    usage_limit = models.PositiveIntegerField(_("for how many people"))
    usage_count = models.PositiveIntegerField(_("used"), default=0)
    groups = models.ManyToManyField(Group, related_name="signup_tokens", blank=True, verbose_name=_("groups"))
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("until"), db_index=True)

    objects = SignupTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("sign-up link")
        verbose_name_plural = _("sign-up links")
        ordering = ("created_at",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(usage_count__lte=F("usage_limit")), name="signup_token_within_its_limit"
            )
        ]

    def __str__(self) -> str:
        return date_format(localtime(self.created_at), "DATETIME_FORMAT")

    @property
    def token(self) -> str:
        """In clear; empty when ENCRYPTION_KEY was changed since."""
        try:
            return secrets.decrypt(self.token_encrypted, place=self.place).decode()
        except secrets.CannotDecrypt:
            return ""

    @token.setter
    def token(self, plain: str) -> None:
        self.token_hash = secrets.hash_token(plain)
        self.token_encrypted = secrets.encrypt(plain.encode(), place=self.place)

    @property
    def place(self) -> str:
        """What the encryption of its text is bound to."""
        return f"signup_token.token.{self.pk}"
