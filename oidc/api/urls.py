"""Addresses of the management API for apps (contract section 4); ``oidc.urls`` includes them."""

from django.urls import path

from oidc.api import (
    api_access,
    api_resources,
    authorized_clients,
    client_logos,
    client_preview,
    client_secrets,
    clients,
    group_clients,
    scim_providers,
)

urlpatterns = [
    path("oidc/clients", clients.ClientList.as_view()),
    path("oidc/clients/<str:client_id>", clients.ClientDetail.as_view()),
    path("oidc/clients/<str:client_id>/meta", clients.ClientMeta.as_view()),
    path("oidc/clients/<str:client_id>/refresh", clients.ClientRefresh.as_view()),
    path("oidc/clients/<str:client_id>/allowed-user-groups", clients.AllowedGroups.as_view()),
    path("oidc/clients/<str:client_id>/secrets", client_secrets.Secrets.as_view()),
    path("oidc/clients/<str:client_id>/secrets/<str:secret_id>", client_secrets.SecretDetail.as_view()),
    path("oidc/clients/<str:client_id>/secret", client_secrets.OnlySecret.as_view()),
    path("oidc/clients/<str:client_id>/logo", client_logos.ClientLogos.as_view()),
    path("oidc/clients/<str:client_id>/preview/<str:user_id>", client_preview.ClientPreview.as_view()),
    path("oidc/clients/<str:client_id>/scim-service-provider", scim_providers.ScimProviderOfClient.as_view()),
    path("oidc/logo-presets", client_logos.LogoPresets.as_view()),
    path("oidc/users/me/authorized-clients", authorized_clients.MyAuthorizedClients.as_view()),
    path("oidc/users/me/authorized-clients/<str:client_id>", authorized_clients.MyAuthorizedClient.as_view()),
    path("oidc/users/me/clients", authorized_clients.MyClients.as_view()),
    path("oidc/users/<str:user_id>/authorized-clients", authorized_clients.AuthorizedClientsOfUser.as_view()),
    path("user-groups/<str:group_id>/allowed-oidc-clients", group_clients.ClientsOfGroup.as_view()),
    path("apis", api_resources.ApiList.as_view()),
    path("apis/<str:api_id>", api_resources.ApiDetail.as_view()),
    path("apis/<str:api_id>/permissions", api_resources.ApiPermissions.as_view()),
    path("apis/<str:api_id>/cimd-access", api_resources.ApiMetadataAccess.as_view()),
    path("apis/<str:api_id>/clients", api_access.ClientsOfApi.as_view()),
    path("apis/<str:api_id>/clients/<str:client_id>", api_access.ClientOfApi.as_view()),
    path("apis/<str:api_id>/assignable-clients", api_access.AssignableClients.as_view()),
    path("api-access/<str:client_id>/apis", api_access.ApisOfClient.as_view()),
    path("api-access/<str:client_id>/assignable-apis", api_access.AssignableApis.as_view()),
    path("scim/service-provider", scim_providers.ScimProviders.as_view()),
    path("scim/service-provider/<str:provider_id>", scim_providers.ScimProviderDetail.as_view()),
    path("scim/service-provider/<str:provider_id>/sync", scim_providers.ScimSync.as_view()),
]
