"""Which names of claims are this server's own."""

# A custom claim of such a name could pass for what this server says about the person (attacks.md C22).
RESERVED_CLAIMS = frozenset(
    [
        "given_name",
        "family_name",
        "name",
        "email",
        "email_verified",
        "preferred_username",
        "display_name",
        "groups",
        "picture",
        "type",
        "sub",
        "iss",
        "aud",
        "exp",
        "iat",
        "auth_time",
        "nonce",
        "acr",
        "amr",
        "azp",
        "client_id",
        "nbf",
        "jti",
        "sid",
        "at_hash",
        "c_hash",
        "s_hash",
        "cnf",
        "scope",
        "scp",
        "events",
    ]
)
