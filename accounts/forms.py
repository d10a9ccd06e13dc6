import unicodedata
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import setup
from accounts.errors import SetupTokenRequired
from accounts.models import User
from siteconfig.models import current

# The rule of the REST API, which continues the field's name there (contract section 1.9), as a sentence.
USERNAME_SENTENCE = _(
    "A username has letters, numbers, underscores, dots, hyphens and @ only, and begins and ends with a letter or a number."
)
USERNAME_WORDS = {"required": _("Choose a username."), "invalid": USERNAME_SENTENCE}


class NewAccountForm(forms.ModelForm):
    """Who somebody is who makes an account for themselves."""

    class Meta:
        model = User
        fields: ClassVar[tuple[str, ...]] = ("username", "first_name", "last_name", "email")
        error_messages: ClassVar[dict[str, dict[str, Any]]] = {"username": USERNAME_WORDS}

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - whatever a form takes
        super().__init__(*args, **kwargs)
        self.fields["username"].widget.attrs |= {
            "autocomplete": "username",
            "autocapitalize": "none",
            "spellcheck": "false",
            "autofocus": True,
        }
        self.fields["first_name"].widget.attrs |= {"autocomplete": "given-name"}
        self.fields["last_name"].widget.attrs |= {"autocomplete": "family-name"}
        self.fields["email"].widget.attrs |= {"autocomplete": "email"}


class SetupForm(NewAccountForm):
    """Who the first administrator is; with the setup token if this server asks for one."""

    setup_token = forms.CharField(
        label=_("Setup token"),
        help_text=_("The value of SETUP_TOKEN that this server was started with."),
        strip=True,
        widget=forms.PasswordInput,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - whatever a form takes
        super().__init__(*args, **kwargs)
        self.fields["email"].help_text = _("Optional. Apps can be told this address.")
        if not setup.is_token_required():
            del self.fields["setup_token"]

    def clean_setup_token(self) -> str:
        token: str = self.cleaned_data["setup_token"]
        try:
            setup.check_token(token)
        except SetupTokenRequired as wrong:
            raise forms.ValidationError(wrong.message) from wrong
        return token


class SignupForm(NewAccountForm):
    """Who signs up; the settings say whether everybody has an e-mail address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - whatever a form takes
        super().__init__(*args, **kwargs)
        self.fields["email"].required = current().require_user_email
        self.fields["email"].help_text = _("Apps can be told this address.")

    @property
    def columns(self) -> dict[str, Any]:
        """What ``accounts.signup`` takes, in the one Unicode form that REST clients' texts have too."""
        given = {name: unicodedata.normalize("NFC", self.cleaned_data[name] or "") for name in self.Meta.fields}
        return given | {"email": given["email"] or None}


class OwnAccountForm(NewAccountForm):
    """What people change about themselves."""

    class Meta(NewAccountForm.Meta):
        fields = ("username", "first_name", "last_name", "display_name", "email")

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - whatever a form takes
        super().__init__(*args, **kwargs)
        del self.fields["username"].widget.attrs["autofocus"]
        configuration = current()
        self.fields["email"].required = configuration.require_user_email
        if configuration.email_verification_enabled and not configuration.emails_verified:
            self.fields["email"].help_text = _("A new address has to be verified again.")
        self.fields["display_name"].help_text = _("How you are called on your pages; apps can be told it.")

    @property
    def columns(self) -> dict[str, Any]:
        given = {name: unicodedata.normalize("NFC", self.cleaned_data[name] or "") for name in self.Meta.fields}
        return given | {"email": given["email"] or None}


class EmailForm(forms.Form):
    """Where a login code is mailed to."""

    email = forms.EmailField(label=_("E-mail address"), max_length=254)
