from django.db import models
from django.utils.translation import gettext_lazy as _


class FormerServer(models.Model):
    """A Pocket ID that moved in: the secret its opaque tokens were made with, so that they can be told from forged ones."""

    token_secret = models.TextField(editable=False)  # encrypted by core.secrets
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("former server")
        verbose_name_plural = _("former servers")

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def place(self) -> str:
        """What its encryption is bound to."""
        return f"oidc_formerserver.token_secret.{self.pk}"
