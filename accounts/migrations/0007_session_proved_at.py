from typing import Any

from django.db import migrations, models
from django.db.models import F


def who_signed_in_with_a_passkey(apps: Any, schema_editor: Any) -> None:
    """So that nobody is asked again because the server was updated."""
    session = apps.get_model("accounts", "Session")
    session.objects.using(schema_editor.connection.alias).filter(amr="phr").update(proved_at=F("auth_time"))


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_users_in_their_order"),
    ]

    operations = [
        migrations.AddField(
            model_name="session",
            name="proved_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="passkey shown"),
        ),
        migrations.RunPython(who_signed_in_with_a_passkey, migrations.RunPython.noop),
    ]
