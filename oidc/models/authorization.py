import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import AbstractGrant

from oidc.models.client import Client

CODE_LIFETIME = timedelta(seconds=60)
PENDING_LIFETIME = timedelta(hours=1)


class Grant(AbstractGrant):
    """What a person allowed an app in one sign-in: first an authorization code, then the family of its tokens.

    The row outlives the code. So a second use of the code is noticed and ends what the first one gave
    (RFC 6749 section 4.1.2), a refresh keeps ``auth_time`` and ``amr``, and one column revokes the whole family.
    """

    updated = None  # never changed as a whole

    # One index for both instead of one each: every code that is given writes them all.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="grants", db_index=False, verbose_name=_("person")
    )
    application = models.ForeignKey(Client, models.CASCADE, db_index=False, verbose_name=_("client"))
    code = models.CharField(max_length=64, unique=True)  # SHA-256 of the code
    nonce = models.TextField(blank=True, default="")
    # Whether the request named its redirect URI: then the token request must too (RFC 6749 section 4.1.3).
    redirect_uri_given = models.BooleanField(default=True)
    sid = models.UUIDField(null=True)  # the session it came from; looked for among the person's
    auth_time = models.DateTimeField()
    amr = models.CharField(max_length=64, blank=True)
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta(AbstractGrant.Meta):
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        indexes = [models.Index(fields=("user", "application"), name="grant_by_user_and_client")]


class PendingAuthorization(models.Model):
    """An authorization request that waits for the person: what was asked, and which steps were taken by whom.

    The request is enforced from here, never from the query string of a page on the way (attacks.md D5).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE)
    parameters = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    # Steps count only for the session in which they were taken.
    session_id = models.UUIDField(null=True)
    account_chosen = models.BooleanField(default=False)
    consented = models.BooleanField(default=False)
    # The pushed request it came from, which is used up together with it.
    pushed_request = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        verbose_name = _("pending authorization")
        verbose_name_plural = _("pending authorizations")

    def __str__(self) -> str:
        return str(self.pk)
