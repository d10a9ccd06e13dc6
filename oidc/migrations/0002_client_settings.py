from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('oidc', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='client',
            name='backchannel_logout_url',
            field=models.CharField(blank=True, default='', help_text='Where the app wants to be told that somebody has signed out.', max_length=2000, verbose_name='back-channel logout address'),
        ),
        migrations.AddField(
            model_name='client',
            name='federated_identities',
            field=models.JSONField(blank=True, default=list, editable=False),
        ),
        migrations.AddField(
            model_name='client',
            name='par_required',
            field=models.BooleanField(default=False, help_text='Only for apps that send their requests over the back channel first (RFC 9126).', verbose_name='pushed authorization requests required'),
        ),
        migrations.AddField(
            model_name='client',
            name='pkce_supported',
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AlterField(
            model_name='client',
            name='launch_url',
            field=models.URLField(blank=True, max_length=2000, verbose_name='address of the app'),
        ),
    ]
