from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("oidc", "0012_client_backchannel_logout_on_session_expiry")]

    operations = [
        migrations.AddIndex(
            model_name="client", index=models.Index(fields=["created", "id"], name="client_by_created")
        ),
    ]
