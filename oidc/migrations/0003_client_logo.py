import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('oidc', '0002_client_settings'),
    ]

    operations = [
        migrations.AddField(
            model_name='client',
            name='dark_logo_hash',
            field=models.CharField(blank=True, default='', editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name='client',
            name='logo_hash',
            field=models.CharField(blank=True, default='', editable=False, max_length=64),
        ),
        migrations.CreateModel(
            name='ClientLogo',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_dark', models.BooleanField(default=False, verbose_name='for dark pages')),
                ('content', models.BinaryField()),
                ('content_type', models.CharField(max_length=32)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='logos', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL, verbose_name='client')),
            ],
            options={
                'verbose_name': 'logo',
                'verbose_name_plural': 'logos',
            },
        ),
        migrations.AddConstraint(
            model_name='clientlogo',
            constraint=models.UniqueConstraint(fields=('client', 'is_dark'), name='client_logo_once'),
        ),
    ]
