"""Addresses of the apikeys app; ``pocketid.urls`` includes them."""

from django.urls import path

from apikeys.api import keys

urlpatterns = [
    path("api/api-keys", keys.ApiKeyList.as_view()),
    path("api/api-keys/<str:key_id>", keys.ApiKeyDetail.as_view()),
    path("api/api-keys/<str:key_id>/renew", keys.ApiKeyRenewal.as_view()),
]
