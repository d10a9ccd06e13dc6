from django.db import migrations, models

from core.search_text import text_of

SOURCES = ("email", "first_name", "last_name", "username")


def fill(apps, schema_editor):
    """By statements of our own: a large table takes seconds, not minutes."""
    connection = schema_editor.connection
    key = apps.get_model("accounts", "User")._meta.pk
    found = apps.get_model("accounts", "User")._default_manager.using(connection.alias).values_list("pk", *SOURCES)
    rows = [(text_of(values), key.get_db_prep_value(pk, connection)) for pk, *values in found]
    with connection.cursor() as cursor:
        cursor.executemany("UPDATE accounts_user SET search_text = %s WHERE id = %s", rows)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_session_proved_at")]

    operations = [
        migrations.AddField(
            model_name="user", name="search_text", field=models.TextField(db_default="", default="", editable=False)
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
