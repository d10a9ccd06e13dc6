import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('oidc', '0003_client_logo'),
    ]

    operations = [
        migrations.CreateModel(
            name='ApiResource',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=50, verbose_name='name')),
                ('audience', models.CharField(max_length=350, unique=True, verbose_name='address')),
                ('allow_metadata_clients', models.BooleanField(default=False, verbose_name='clients known by their metadata document')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
            ],
            options={
                'verbose_name': 'API',
                'verbose_name_plural': 'APIs',
                'ordering': ('name',),
            },
        ),
        migrations.CreateModel(
            name='ApiPermission',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=128, verbose_name='scope')),
                ('name', models.CharField(max_length=50, verbose_name='name')),
                ('description', models.CharField(blank=True, max_length=200, verbose_name='description')),
                ('allowed_for_metadata_clients', models.BooleanField(default=False, verbose_name='clients known by their metadata document')),
                ('position', models.PositiveIntegerField(default=0, editable=False)),
                ('api', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='permissions', to='oidc.apiresource', verbose_name='API')),
            ],
            options={
                'verbose_name': 'permission',
                'verbose_name_plural': 'permissions',
                'ordering': ('position',),
            },
        ),
        migrations.CreateModel(
            name='ApiAccess',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(choices=[('user', 'For people'), ('client', 'For itself')], max_length=6, verbose_name='subject')),
                ('is_explicit', models.BooleanField(default=False, verbose_name='also without permissions')),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_access', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL, verbose_name='client')),
                ('permissions', models.ManyToManyField(blank=True, related_name='access', to='oidc.apipermission', verbose_name='permissions')),
                ('api', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='access', to='oidc.apiresource', verbose_name='API')),
            ],
            options={
                'verbose_name': 'API access',
                'verbose_name_plural': 'API access',
            },
        ),
        migrations.AddConstraint(
            model_name='apipermission',
            constraint=models.UniqueConstraint(fields=('api', 'key'), name='api_permission_once'),
        ),
        migrations.AddConstraint(
            model_name='apiaccess',
            constraint=models.UniqueConstraint(fields=('client', 'api', 'subject'), name='api_access_once'),
        ),
    ]
