"""What happened, in rows that are only ever added."""

from django.conf import settings
from django.db import connection, models
from django.utils.translation import gettext_lazy as _


class Event(models.TextChoices):
    """Pocket ID's events (contract section 12.2), and ours below them."""

    SIGN_IN = "SIGN_IN", _("Signed in with a passkey")
    TOKEN_SIGN_IN = "TOKEN_SIGN_IN", _("Signed in with a login code")
    REMOTE_SIGN_IN = "REMOTE_SIGN_IN", _("Signed in from another device")
    ACCOUNT_CREATED = "ACCOUNT_CREATED", _("Account created")
    CLIENT_AUTHORIZATION = "CLIENT_AUTHORIZATION", _("Signed in to an app")
    NEW_CLIENT_AUTHORIZATION = "NEW_CLIENT_AUTHORIZATION", _("Signed in to an app for the first time")
    DEVICE_CODE_AUTHORIZATION = "DEVICE_CODE_AUTHORIZATION", _("Signed in to an app on a device")
    NEW_DEVICE_CODE_AUTHORIZATION = (
        "NEW_DEVICE_CODE_AUTHORIZATION",
        _("Signed in to an app on a device for the first time"),
    )
    PASSKEY_ADDED = "PASSKEY_ADDED", _("Passkey added")
    PASSKEY_REMOVED = "PASSKEY_REMOVED", _("Passkey removed")

    SETUP_COMPLETED = "SETUP_COMPLETED", _("First administrator created")
    SETUP_SIGN_IN = "SETUP_SIGN_IN", _("Signed in before the first passkey")
    SETUP_REFUSED = "SETUP_REFUSED", _("First set-up refused")
    DECLARATION_APPLIED = "DECLARATION_APPLIED", _("Declared set-up applied")
    SIGN_OUT = "SIGN_OUT", _("Signed out")
    PASSKEY_REJECTED = "PASSKEY_REJECTED", _("Passkey refused")
    TOKENS_REVOKED = "TOKENS_REVOKED", _("Tokens revoked")
    ACCOUNT_CHANGED = "ACCOUNT_CHANGED", _("Account changed")
    ACCOUNT_DELETED = "ACCOUNT_DELETED", _("Account deleted")
    GROUP_CREATED = "GROUP_CREATED", _("Group created")
    GROUP_CHANGED = "GROUP_CHANGED", _("Group changed")
    GROUP_DELETED = "GROUP_DELETED", _("Group deleted")
    CLAIMS_CHANGED = "CLAIMS_CHANGED", _("Custom claims changed")
    LOGIN_CODE_CREATED = "LOGIN_CODE_CREATED", _("Login code created")
    LOGIN_CODE_REJECTED = "LOGIN_CODE_REJECTED", _("Login code refused")
    DEVICE_LOGIN_DENIED = "DEVICE_LOGIN_DENIED", _("Sign-in from another device denied")
    EMAIL_VERIFIED = "EMAIL_VERIFIED", _("E-mail address verified")
    SIGNUP_TOKEN_CREATED = "SIGNUP_TOKEN_CREATED", _("Sign-up link created")
    SIGNUP_TOKEN_DELETED = "SIGNUP_TOKEN_DELETED", _("Sign-up link deleted")
    API_KEY_CREATED = "API_KEY_CREATED", _("API key created")
    API_KEY_RENEWED = "API_KEY_RENEWED", _("API key renewed")
    API_KEY_DELETED = "API_KEY_DELETED", _("API key deleted")
    SETTINGS_CHANGED = "SETTINGS_CHANGED", _("Settings changed")
    CLIENT_CREATED = "CLIENT_CREATED", _("App added")
    CLIENT_CHANGED = "CLIENT_CHANGED", _("App changed")
    CLIENT_DELETED = "CLIENT_DELETED", _("App deleted")
    CLIENT_SECRET_CREATED = "CLIENT_SECRET_CREATED", _("Secret of an app created")
    CLIENT_SECRET_DELETED = "CLIENT_SECRET_DELETED", _("Secret of an app deleted")
    API_CREATED = "API_CREATED", _("API added")
    API_CHANGED = "API_CHANGED", _("API changed")
    API_DELETED = "API_DELETED", _("API deleted")
    SIGNING_KEY_ROTATED = "SIGNING_KEY_ROTATED", _("Signing key rotated")
    SIGNING_KEY_PUBLISHED = "SIGNING_KEY_PUBLISHED", _("Signing key published")


# Every name once, by jumping from each to the next in the partial index, whose condition stands here word for word:
# DISTINCT would read the whole log.
_CLIENT_NAMES = """WITH RECURSIVE names(name) AS (
 SELECT MIN(client_name) FROM audit_entry WHERE NOT (client_name = '') UNION ALL
 SELECT (SELECT MIN(client_name) FROM audit_entry WHERE NOT (client_name = '') AND client_name > names.name) FROM names WHERE names.name IS NOT NULL
) SELECT name FROM names WHERE name IS NOT NULL"""


class EntryQuerySet(models.QuerySet["Entry"]):
    def client_names(self) -> list[str]:
        """The apps that occur in the log."""
        with connection.cursor() as cursor:
            cursor.execute(_CLIENT_NAMES)
            return [name for (name,) in cursor.fetchall()]


class Entry(models.Model):
    """One thing that happened to one person, from one place."""

    created_at = models.DateTimeField(_("time"), auto_now_add=True)
    event = models.CharField(_("event"), max_length=40, choices=Event)
    # The account may be deleted; what happened stays.
    # No index of its own: audit_by_user begins with it.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, db_index=False, related_name="+", verbose_name=_("person")
    )
    username = models.CharField(_("username"), max_length=50, blank=True)
    actor_username = models.CharField(_("done by"), max_length=50, blank=True)
    ip_address = models.GenericIPAddressField(_("address"), null=True)
    country = models.CharField(_("country"), max_length=100, blank=True)
    city = models.CharField(_("place"), max_length=100, blank=True)
    user_agent = models.CharField(_("device"), max_length=512, blank=True)
    data = models.JSONField(_("details"), default=dict)
    # The app of ``data``, in a column because the log is filtered by it.
    client_name = models.CharField(_("app"), max_length=100, blank=True, db_default="")

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        ordering = ("-id",)
        # Ascending, though the newest come first: what grows at its end fills its pages, and is read backwards as well.
        indexes = [
            models.Index(fields=("user", "created_at"), name="audit_by_user"),
            models.Index(fields=("event", "created_at"), name="audit_by_event"),
            models.Index(fields=("created_at", "id"), name="audit_by_time"),
            models.Index(
                fields=("client_name", "created_at"), condition=~models.Q(client_name=""), name="audit_by_client"
            ),
        ]

    def __str__(self) -> str:
        return self.get_event_display()
