"""The steps every grant shares. A grant fills in what is its own and cannot forget the rest."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from oidc import access, client_authentication, resource_indicators
from oidc.client_authentication import Credentials
from oidc.errors import InvalidGrantError
from oidc.store import GrantRow, Presented
from oidc.tokens import Issued


@dataclass(frozen=True)
class TokenRequest:
    """A request to the token endpoint: each parameter once, and who sent it."""

    form: Mapping[str, str]
    credentials: Credentials


class TokenGrant(ABC):
    """One value of ``grant_type``."""

    grant_type: ClassVar[str]

    @abstractmethod
    def answer(self, request: TokenRequest) -> dict[str, Any]:
        """The body of a successful answer (RFC 6749 section 5.1); raise an ``OAuth2Error``."""


class PersonGrant(TokenGrant):
    """A grant by which a person lets a client act for them.

    One read; then every check and both signatures; then one transaction that uses up what was presented and
    keeps what it gave. Nothing is sent before that has been committed.
    """

    def answer(self, request: TokenRequest) -> dict[str, Any]:
        found = client_authentication.check(request.credentials, self.look_up(request))
        # First of all, because disabling has also revoked what is presented, and that is not the reason.
        access.check(disabled=found.person is not None and found.person.disabled)
        grant = self.check(request, found)
        if found.person is None:
            raise InvalidGrantError(description="The account it was issued for is gone.")
        access.check(denied=found.denied)
        resource_indicators.check_again(found.client, grant, request.form)
        issued = self.issue(request, found, grant)
        self.keep(request, found, grant, issued)
        return issued.body

    @abstractmethod
    def look_up(self, request: TokenRequest) -> Presented | None:
        """The client and what it presents, in one read; ``None`` for an unknown client."""

    @abstractmethod
    def check(self, request: TokenRequest, found: Presented) -> GrantRow:
        """The grant that is presented, if it is good; raise an ``OAuth2Error``."""

    @abstractmethod
    def issue(self, request: TokenRequest, found: Presented, grant: GrantRow) -> Issued:
        """Make the tokens."""

    @abstractmethod
    def keep(self, request: TokenRequest, found: Presented, grant: GrantRow, issued: Issued) -> None:
        """Use up what was presented and store the tokens, atomically."""


def required(form: Mapping[str, str], name: str) -> str:
    """The parameter's value; raise ``InvalidGrantError`` without one, as nothing was presented."""
    value = form.get(name, "")
    if not value:
        raise InvalidGrantError(description=f"{name} is missing.")
    return value
