import uuid

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import AbstractApplication

from accounts.models import Group
from core.http import host_of
from oidc import redirect_uris, web_addresses
from oidc.appearance import Appearance


def new_client_id() -> str:
    return str(uuid.uuid4())


class Client(Appearance, AbstractApplication):
    """An app that people sign in to: the relying party of OpenID Connect, the client of OAuth 2.0."""

    class Kind(models.TextChoices):
        CONFIDENTIAL = "confidential", _("Confidential")
        PUBLIC = "public", _("Public")

    class Algorithm(models.TextChoices):
        RS256 = "RS256", _("RS256 (works everywhere)")
        ES256 = "ES256", _("ES256 (small and fast)")
        PS256 = "PS256", "PS256"
        EDDSA = "EdDSA", "EdDSA"

    class RefreshTokens(models.TextChoices):
        OFFLINE_ACCESS = "offline_access", _("When the app asks for offline_access")
        ALWAYS = "always", _("Always")
        NEVER = "never", _("Never")

    # What DOT keeps in one column each and we do not: owners, one secret, one grant type, CORS by client.
    user = None
    client_secret = None
    hash_client_secret = None
    authorization_grant_type = None
    allowed_origins = None

    client_id = models.CharField(
        _("client ID"),
        max_length=255,
        unique=True,
        default=new_client_id,
        validators=[
            RegexValidator(r"^[a-zA-Z0-9._-]{2,128}\Z", _("2 to 128 letters, digits, dots, hyphens or underscores."))
        ],
    )
    name = models.CharField(_("name"), max_length=50)
    description = models.CharField(_("description"), max_length=150, blank=True)
    client_type = models.CharField(
        _("client type"),
        max_length=32,
        choices=Kind,
        default=Kind.CONFIDENTIAL,
        help_text=_(
            "Confidential: the app runs on a server and keeps a secret. Public: it runs in a browser or on a phone and uses PKCE."
        ),
    )
    redirect_uris = models.TextField(
        _("callback addresses"),
        blank=True,
        help_text=_("One on each line, exactly as the app sends it. Copy it from the app's settings."),
    )
    post_logout_redirect_uris = models.TextField(
        _("sign-out addresses"),
        blank=True,
        default="",
        help_text=_("Where the app may send people after signing out; one on each line."),
    )
    launch_url = models.URLField(_("address of the app"), max_length=web_addresses.MAX_LENGTH, blank=True)
    backchannel_logout_url = models.CharField(
        _("back-channel logout address"),
        max_length=web_addresses.MAX_LENGTH,
        blank=True,
        default="",
        help_text=_("Where the app wants to be told that somebody has signed out."),
    )
    backchannel_logout_on_session_expiry = models.BooleanField(
        _("sign out of the app when the time here is over"),
        default=True,
        db_default=True,  # for a server of the version before, which may still be adding apps
        help_text=_(
            "Being signed in here lasts an hour, unless the settings say otherwise. On: when it is over, the app is told and signs the person out as well, also in the middle of their work. Off: the app is told only of those who sign out or are signed out, and decides itself how long people stay."
        ),
    )
    skip_authorization = models.BooleanField(
        _("skip consent"), default=False, help_text=_("Do not ask people before telling this app who they are.")
    )
    pkce_required = models.BooleanField(
        _("PKCE required"), default=False, help_text=_("Public clients always need it.")
    )
    # Noticed when a client that need not use PKCE uses it all the same.
    pkce_supported = models.BooleanField(default=False, editable=False)
    par_required = models.BooleanField(
        _("pushed authorization requests required"),
        default=False,
        help_text=_("Only for apps that send their requests over the back channel first (RFC 9126)."),
    )
    reauthentication_required = models.BooleanField(_("ask for the passkey every time"), default=False)
    is_group_restricted = models.BooleanField(_("only for some groups"), default=False)
    allowed_groups = models.ManyToManyField(
        Group, related_name="allowed_clients", blank=True, verbose_name=_("allowed groups")
    )
    algorithm = models.CharField(_("signature"), max_length=5, choices=Algorithm, default=Algorithm.RS256)
    refresh_tokens = models.CharField(
        _("refresh tokens"),
        max_length=14,
        choices=RefreshTokens,
        default=RefreshTokens.OFFLINE_ACCESS,
        help_text=_("With a refresh token the app stays signed in without asking again."),
    )
    claims_in_id_token = models.BooleanField(
        _("claims in the ID token"),
        default=True,
        help_text=_("Off: profile, e-mail and groups are told at userinfo only, as the certification plans want it."),
    )
    access_token_minutes = models.PositiveIntegerField(
        _("access token lifetime (minutes)"), default=60, validators=[MinValueValidator(1), MaxValueValidator(525_600)]
    )
    refresh_token_minutes = models.PositiveIntegerField(
        _("refresh token lifetime (minutes)"),
        default=43_200,
        validators=[MinValueValidator(1), MaxValueValidator(525_600)],
        help_text=_("Counted anew each time the app uses one."),
    )
    refresh_token_absolute_minutes = models.PositiveIntegerField(
        _("longest time without signing in (minutes)"),
        default=0,
        validators=[MaxValueValidator(5_256_000)],
        help_text=_("After it the app needs the person again, however often it used its refresh tokens. 0: never."),
    )
    id_token_minutes = models.PositiveIntegerField(
        _("ID token lifetime (minutes)"), default=60, validators=[MinValueValidator(1), MaxValueValidator(525_600)]
    )

    # Public keys that the app's client assertions are verified with; either the keys or where they are published.
    jwks = models.JSONField(
        _("public keys of the app"),
        default=list,
        blank=True,
        help_text=_(
            "A JSON Web Key Set. With it the app proves who it is by signing (private_key_jwt) and needs no secret."
        ),
    )
    jwks_uri = models.CharField(
        _("address of the app's public keys"),
        max_length=web_addresses.MAX_LENGTH,
        blank=True,
        default="",
        help_text=_("Instead of the keys themselves: where the app publishes them, so that it can change them."),
    )
    # As clients write and read them: issuer, subject, audience, jwks, publicKeys, replayProtection (contract section 8.9).
    federated_identities = models.JSONField(
        _("federated identities"),
        default=list,
        blank=True,
        help_text=_(
            'Who else may vouch for the app, such as a cluster or a code host: [{"issuer": "https://…", "subject": "…", "audience": "…", "jwks": "https://…", "replayProtection": false}]. Only the issuer is needed.'
        ),
    )
    # SHA-256 of each picture in ClientLogo, empty when there is none: asked on every page and in every list.
    logo_hash = models.CharField(max_length=64, blank=True, default="", editable=False)
    dark_logo_hash = models.CharField(max_length=64, blank=True, default="", editable=False)

    class Meta(AbstractApplication.Meta):
        verbose_name = _("client")
        verbose_name_plural = _("clients")
        ordering = ("name", "client_id")
        indexes = [models.Index(fields=("created", "id"), name="client_by_created")]  # the order of the list over REST

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Replaces DOT's own rules, which know neither our columns nor our patterns."""
        problems: dict[str, list[ValidationError]] = {}
        for column in ("redirect_uris", "post_logout_redirect_uris"):
            for pattern in getattr(self, column).split():
                try:
                    redirect_uris.check_pattern(pattern)
                except redirect_uris.UnusablePattern as wrong:
                    problems.setdefault(column, []).append(ValidationError(f"{pattern}: {wrong}"))
        if self.backchannel_logout_url:
            try:
                web_addresses.check_listener(self.backchannel_logout_url, https_only=self.is_public)
            except web_addresses.UnusableAddress as wrong:
                problems["backchannel_logout_url"] = [ValidationError(str(wrong))]
        if self.jwks_uri:
            try:
                web_addresses.check_listener(self.jwks_uri)
            except web_addresses.UnusableAddress as wrong:
                problems["jwks_uri"] = [ValidationError(str(wrong))]
            if self.jwks:
                problems["jwks_uri"] = [ValidationError(_("Either the keys or their address, not both."))]
        if problems:
            raise ValidationError(problems)
        if self.is_public:
            self.pkce_required = True

    def get_absolute_url(self) -> str:
        """DOT's points to a page of its own, which is not served here."""
        return self.launch_url

    @property
    def is_public(self) -> bool:
        return bool(self.client_type == self.CLIENT_PUBLIC)

    @property
    def has_keys(self) -> bool:
        """Whether it can sign its client assertions."""
        return bool(self.jwks or self.jwks_uri)

    @property
    def has_logo(self) -> bool:
        return bool(self.logo_hash)

    @property
    def has_dark_logo(self) -> bool:
        return bool(self.dark_logo_hash)

    @property
    def host(self) -> str:
        return host_of(self.launch_url or next(iter(self.redirect_uris.split()), ""))
