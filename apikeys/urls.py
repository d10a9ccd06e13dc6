"""Addresses of the apikeys app; ``pocketid.urls`` includes them."""

from django.urls import path

from apikeys import views
from apikeys.api import keys

urlpatterns = [
    path("settings/api-keys", views.page),
    path("settings/api-keys/new", views.new),
    path("settings/api-keys/<str:key_id>/renew", views.renew),
    path("settings/api-keys/<str:key_id>/revoke", views.revoke),
    path("api/api-keys", keys.ApiKeyList.as_view()),
    path("api/api-keys/<str:key_id>", keys.ApiKeyDetail.as_view()),
    path("api/api-keys/<str:key_id>/renew", keys.ApiKeyRenewal.as_view()),
]
