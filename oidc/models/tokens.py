"""Tokens at rest: hashes and what they stand for. Who they belong to is said once, in their grant."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import AbstractAccessToken, AbstractIDToken, AbstractRefreshToken

from oidc.models.authorization import Grant
from oidc.models.client import Client


class RefreshToken(AbstractRefreshToken):
    """One refresh token of a grant's family. A rotated one stays, so that its reuse is noticed (RFC 9700 section 4.14)."""

    user = None
    token = None
    application = None
    access_token = None
    token_family = None
    resource = None
    updated = None
    revoked = None

    token_checksum = models.CharField(max_length=64, unique=True)  # SHA-256
    grant = models.ForeignKey(Grant, models.CASCADE, related_name="refresh_tokens")
    expires = models.DateTimeField()
    rotated_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("refresh token")
        verbose_name_plural = _("refresh tokens")


class AccessToken(AbstractAccessToken):
    """An access token. It ends with its time, with its grant, or when the refresh token given beside it is rotated."""

    user = None
    token = None
    source_refresh_token = None
    id_token = None
    updated = None

    token_checksum = models.CharField(max_length=64, unique=True)  # SHA-256
    # Nobody asks for all tokens of a client but its deletion: an index would cost every token.
    application = models.ForeignKey(Client, models.CASCADE, null=True, db_index=False, verbose_name=_("client"))
    grant = models.ForeignKey(Grant, models.CASCADE, null=True, related_name="access_tokens")
    refresh_token = models.ForeignKey(RefreshToken, models.CASCADE, null=True, related_name="access_tokens")

    class Meta(AbstractAccessToken.Meta):
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")


class IDToken(AbstractIDToken):
    """Never written: ID tokens are verified by signature, so nothing of them has to be kept. DOT wants the table."""

    class Meta(AbstractIDToken.Meta):
        verbose_name = _("ID token")
        verbose_name_plural = _("ID tokens")
