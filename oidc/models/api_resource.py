"""APIs that tokens are made for (RFC 8707), what can be permitted at them, and which client may have what."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from oidc.models.client import Client


class ApiResource(models.Model):
    """A resource server. ``audience`` is what clients name as ``resource`` and tokens carry as ``aud``; it never changes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=50)
    audience = models.CharField(_("address"), max_length=350, unique=True)
    allow_metadata_clients = models.BooleanField(_("clients known by their metadata document"), default=False)
    introspection_client = models.ForeignKey(
        Client,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="introspected_apis",
        verbose_name=_("client that introspects its tokens"),
        help_text=_("The client whose credentials the API's server uses to ask whether a token is good (RFC 7662)."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("API")
        verbose_name_plural = _("APIs")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class ApiPermission(models.Model):
    """One thing that can be permitted at an API; ``key`` is the scope that stands for it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    api = models.ForeignKey(ApiResource, models.CASCADE, related_name="permissions", verbose_name=_("API"))
    key = models.CharField(_("scope"), max_length=128)
    name = models.CharField(_("name"), max_length=50)
    description = models.CharField(_("description"), max_length=200, blank=True)
    allowed_for_metadata_clients = models.BooleanField(_("clients known by their metadata document"), default=False)
    position = models.PositiveIntegerField(default=0, editable=False)  # in the order they were sent in

    class Meta:
        verbose_name = _("permission")
        verbose_name_plural = _("permissions")
        ordering = ("position",)
        constraints = [models.UniqueConstraint(fields=("api", "key"), name="api_permission_once")]

    def __str__(self) -> str:
        return self.key


class ApiAccess(models.Model):
    """What one client may have at one API, either for the people who use it or for itself.

    A permission implies access; ``is_explicit`` gives access also without any.
    """

    class Subject(models.TextChoices):
        USER = "user", _("For people")
        CLIENT = "client", _("For itself")

    client = models.ForeignKey(Client, models.CASCADE, related_name="api_access", verbose_name=_("client"))
    api = models.ForeignKey(ApiResource, models.CASCADE, related_name="access", verbose_name=_("API"))
    subject = models.CharField(_("subject"), max_length=6, choices=Subject)
    is_explicit = models.BooleanField(_("also without permissions"), default=False)
    permissions = models.ManyToManyField(
        ApiPermission, related_name="access", blank=True, verbose_name=_("permissions")
    )

    class Meta:
        verbose_name = _("API access")
        verbose_name_plural = _("API access")
        constraints = [models.UniqueConstraint(fields=("client", "api", "subject"), name="api_access_once")]

    def __str__(self) -> str:
        return f"{self.client}: {self.api} ({self.subject})"
