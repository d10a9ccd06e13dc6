"""The revocation endpoint (RFC 7009)."""

from django.http import HttpRequest, HttpResponse

from oidc import client_authentication, parameters, store
from oidc.errors import InvalidRequestError
from oidc.views.backend import backend_endpoint


@backend_endpoint(cors=True)
def revoke(request: HttpRequest) -> HttpResponse:
    """Success for whatever is not alive afterwards, also what never was; another client's token stays as it is."""
    form = parameters.form_of(request)
    credentials = client_authentication.read(form, request.META.get("HTTP_AUTHORIZATION", ""))
    found = store.find_token(credentials.client_id, form.get("token", ""))
    presented = client_authentication.check(credentials, found[0] if found else None)
    if not form.get("token"):
        raise InvalidRequestError(description="token is missing.")
    stored = found[1] if found else None
    if stored is not None and stored.client == presented.client.id:
        if stored.is_refresh and stored.grant is not None:
            store.revoke(stored.grant)
        else:
            store.delete_access_token(stored)
    done = HttpResponse()
    del done["Content-Type"]  # of nothing; oidc-client-ts takes text/html for a failure
    return done
