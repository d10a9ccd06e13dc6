import re
import uuid
from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.models.group import Group
from core.search_text import SearchedQuerySet, SearchText, with_search_text

USERNAME = re.compile(r"\A[a-zA-Z0-9]([a-zA-Z0-9_.@-]*[a-zA-Z0-9])?\Z")
USERNAME_RULE = _(
    "must only contain letters, numbers, underscores, dots, hyphens, and '@' symbols and not start or end with a special character"
)


class UserManager(models.Manager["User"]):
    def get_queryset(self) -> SearchedQuerySet["User"]:
        return SearchedQuerySet(self.model, using=self._db)

    def get_by_natural_key(self, username: str) -> "User":
        return self.get(username__iexact=username)


class User(AbstractBaseUser):
    """A person. There is no password: who one is, is proved with a passkey.

    The id is the subject of tokens and, as text, the user handle of passkeys, so it never changes
    and is never given to somebody else.
    """

    # Removed, not hidden: a column that does not exist cannot be set.
    password = None  # type: ignore[assignment] # Django's way to drop an inherited field
    last_login = None  # sessions know it better

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = models.CharField(_("username"), max_length=50, validators=[RegexValidator(USERNAME, USERNAME_RULE)])
    email = models.EmailField(_("e-mail address"), null=True, blank=True)
    email_verified = models.BooleanField(_("e-mail address verified"), default=False)
    first_name = models.CharField(_("first name"), max_length=50, blank=True)
    last_name = models.CharField(_("last name"), max_length=50, blank=True)
    display_name = models.CharField(_("display name"), max_length=100, blank=True)
    locale = models.CharField(_("language"), max_length=35, null=True, blank=True)
    is_admin = models.BooleanField(
        _("administrator"), default=False, help_text=_("May use this console and the management API.")
    )
    disabled = models.BooleanField(_("disabled"), default=False, help_text=_("Cannot sign in; apps are refused too."))
    groups = models.ManyToManyField(Group, related_name="members", blank=True, verbose_name=_("groups"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)  # told to apps (OIDC Core section 5.1)
    search_text = SearchText("email", "first_name", "last_name", "username")

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ("username",)
        indexes = [
            models.Index(fields=("created_at", "id"), name="user_by_created_at")
        ]  # the order of the list over REST
        constraints = [
            models.UniqueConstraint(
                Lower("username"), name="user_username_unique", violation_error_message=_("Username is already in use.")
            ),
            models.UniqueConstraint(
                Lower("email"), name="user_email_unique", violation_error_message=_("Email is already in use.")
            ),
        ]

    def __str__(self) -> str:
        return self.username

    def save(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:  # noqa: ANN401 - Django's own
        self.__dict__.setdefault("search_text", "")  # is made anew also where it was left out in reading
        super().save(update_fields=with_search_text(User, update_fields), **options)

    def clean(self) -> None:
        # "" is not an address: two people without one must not clash.
        self.email = self.email or None

    @property
    def name(self) -> str:
        """What to call the person (contract section 8.3)."""
        return f"{self.first_name} {self.last_name}".strip() or self.display_name or self.username

    @property
    def user_handle(self) -> bytes:
        """WebAuthn user handle: the id as text, as Pocket ID has it, so that its passkeys can move in."""
        return str(self.pk).encode()

    # What Django's admin asks of a user. There are two roles: administrators, who may do everything, and people.

    @property
    def is_active(self) -> bool:  # type: ignore[override] # an attribute in AbstractBaseUser
        return not self.disabled

    @property
    def is_staff(self) -> bool:
        return self.is_admin and self.is_active

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_staff

    def has_perms(self, perm_list: list[str], obj: object = None) -> bool:
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff
