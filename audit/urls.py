"""Addresses of the audit log; ``pocketid.urls`` includes them."""

from django.urls import path

from audit.api import entries

urlpatterns = [
    path("api/audit-logs", entries.OwnEntries.as_view()),
    path("api/audit-logs/all", entries.AllEntries.as_view()),
    path("api/audit-logs/filters/client-names", entries.ClientNames.as_view()),
    path("api/audit-logs/filters/users", entries.Usernames.as_view()),
]
