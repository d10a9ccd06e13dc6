"""The administrator's console, used as a person uses it."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.visitor import Visitor


@dataclass(frozen=True)
class RegisteredClient:
    client_id: str
    client_secret: str  # "" for a public client


def register_client(
    administrator: Visitor,
    name: str,
    *,
    redirect_uris: Sequence[str],
    post_logout_redirect_uris: Sequence[str] = (),
    client_type: str = "confidential",
) -> RegisteredClient:
    """Add an app and read what the console shows once; the administrator is signed in."""
    page = administrator.page
    page.goto("/admin/oidc/client/add/")
    for fold in page.locator("details:not([open]):has([name=client_type]) > summary").all():
        fold.click()
    page.fill('[name="name"]', name)
    page.select_option('[name="client_type"]', client_type)
    page.fill('[name="redirect_uris"]', "\n".join(redirect_uris))
    page.fill('[name="post_logout_redirect_uris"]', "\n".join(post_logout_redirect_uris))
    page.click('[name="_save"]')
    client_id = page.locator("#client-id").inner_text().strip()
    return RegisteredClient(
        client_id, page.locator("#client-secret").inner_text().strip() if client_type == "confidential" else ""
    )
