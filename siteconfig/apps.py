import sys

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from siteconfig import fixed


class SiteconfigConfig(AppConfig):
    name = "siteconfig"
    verbose_name = _("Server")

    def ready(self) -> None:
        """A variable that fixes a setting is checked before anything is served."""
        from siteconfig.models import fix_by

        fix_by(fixed.columns)
        try:
            fixed.columns()
        except fixed.InvalidSetting as wrong:
            sys.exit(f"pocketid cannot start: {wrong}")
