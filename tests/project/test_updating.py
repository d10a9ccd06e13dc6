"""Servers that share a database are replaced one after the other: those of the version before go on for a moment."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]

BEFORE = [("accounts", "0006_users_in_their_order"), ("oidc", "0011_logout_delivery_lease")]


def test_what_the_version_before_knows_can_be_added_to_todays_tables() -> None:
    known = MigrationExecutor(connection).loader.project_state(BEFORE).apps
    known.get_model("accounts", "User")._default_manager.create(username="carol", email="carol@example.org")
    known.get_model("oidc", "Client")._default_manager.create(client_id="chat", name="Chat")

    from accounts.models import User
    from oidc.models import Client

    carol = User.objects.get(username="carol")
    carol.save()
    assert "carol@example.org" in carol.search_text
    assert Client.objects.get(client_id="chat").backchannel_logout_on_session_expiry
