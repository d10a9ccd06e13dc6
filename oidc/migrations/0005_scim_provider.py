import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('oidc', '0004_api_resource'),
    ]

    operations = [
        migrations.CreateModel(
            name='ScimProvider',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('endpoint', models.CharField(max_length=2000, verbose_name='endpoint')),
                ('encrypted_token', models.TextField(blank=True, editable=False)),
                ('last_synced_at', models.DateTimeField(editable=False, null=True, verbose_name='last synced')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('client', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='scim_provider', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL, verbose_name='client')),
            ],
            options={
                'verbose_name': 'SCIM service provider',
                'verbose_name_plural': 'SCIM service providers',
            },
        ),
    ]
