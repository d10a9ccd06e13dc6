from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from oidc.models.client import Client


class SigningKey(models.Model):
    """A key that signs tokens, or did: all of them are published, one of each algorithm signs."""

    class State(models.TextChoices):
        NEXT = "next", _("Next")
        CURRENT = "current", _("Signs now")
        RETIRED = "retired", _("Retired, still published")

    kid = models.CharField(_("key ID"), primary_key=True, max_length=64)
    algorithm = models.CharField(_("algorithm"), max_length=5, choices=Client.Algorithm)
    state = models.CharField(_("state"), max_length=7, choices=State)
    private_key = models.TextField()  # PKCS #8 DER, encrypted by core.secrets
    public_jwk = models.JSONField(_("public key"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    activated_at = models.DateTimeField(_("signs since"), null=True)
    retired_at = models.DateTimeField(_("retired"), null=True)
    # Said once, when it retires: a client's lifetime may be shortened while longer tokens are still about.
    last_token_expires_at = models.DateTimeField(_("its last token expires"), null=True)

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        ordering = ("created_at",)
        constraints = [
            models.UniqueConstraint(
                fields=("algorithm", "state"), condition=~Q(state="retired"), name="signing_key_one_current_one_next"
            )
        ]

    def __str__(self) -> str:
        return self.kid

    @property
    def place(self) -> str:
        """What its encryption is bound to."""
        return f"oidc_signingkey.private_key.{self.kid}"
