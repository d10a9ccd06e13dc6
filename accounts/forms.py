from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import setup
from accounts.errors import SetupTokenRequired
from accounts.models import User


class SetupForm(forms.ModelForm):
    """Who the first administrator is; with the setup token if this server asks for one."""

    class Meta:
        model = User
        fields: ClassVar[tuple[str, ...]] = ("username", "first_name", "last_name", "email")
        error_messages: ClassVar[dict[str, dict[str, Any]]] = {"username": {"required": _("Choose a username.")}}

    setup_token = forms.CharField(
        label=_("Setup token"),
        help_text=_("The value of SETUP_TOKEN that this server was started with."),
        strip=True,
        widget=forms.PasswordInput,
    )

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
