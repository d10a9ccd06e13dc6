"""People in the console: users, their passkeys and sessions, groups, sign-up links."""

from django.contrib import admin
from django.contrib.auth.models import Group as DjangoGroup

from accounts.admin import groups, passkeys, sessions, signup_tokens, users  # noqa: F401 - each registers its pages

admin.site.unregister(DjangoGroup)  # permissions by group: there are administrators and people, nothing else
