"""A passkey in a real browser with an authenticator of its own: added, signed in with, and taken away again."""

from collections.abc import Callable
from typing import Any

import pytest

from app.kit.i18n import text_of
from tests.conftest import serving
from tests.doors import Doors

pytestmark = pytest.mark.browser
PLATFORM = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
PLATFORM |= {"isUserVerified": True, "automaticPresenceSimulation": True}


def say(key: str, **values: Any) -> str:
    return text_of("en", key, **values)


def test_an_organiser_adds_a_passkey_signs_in_with_it_and_takes_it_away(
    sqlite_url: str, browse: Callable[..., Any]
) -> None:
    with serving(sqlite_url, "localhost") as (address, app):
        doors, tab = Doors(app, None), browse(address)
        line = tab.context.new_cdp_session(tab)
        line.send("WebAuthn.enable")
        device = line.send("WebAuthn.addVirtualAuthenticator", {"options": PLATFORM})["authenticatorId"]

        tab.goto(f"/login/{doors.sign_in_link()}")
        tab.get_by_role("button", name=say("accounts.use.button")).click()
        tab.wait_for_url("**/desk/**")
        tab.goto("/account")
        tab.fill("#name", "The laptop")
        tab.get_by_role("button", name=say("account.passkeys.add")).click()
        tab.wait_for_selector(f"text={say('account.factor.codes')}")
        assert len(tab.query_selector_all(".code")) == 10
        (credential,) = line.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]
        assert (credential["rpId"], credential["isResidentCredential"]) == ("localhost", True)

        tab.goto("/account")
        tab.fill("#name", "The same again")
        tab.get_by_role("button", name=say("account.passkeys.add")).click()
        tab.wait_for_selector(f"text={say('account.passkeys.there')}")

        tab.get_by_role("button", name=say("desk.sign_out")).click()
        tab.wait_for_url("**/login")
        tab.get_by_role("button", name=say("account.passkeys.use_button")).click()
        tab.wait_for_url("**/desk/**")

        # after a mailed link it stands for the code
        tab.get_by_role("button", name=say("desk.sign_out")).click()
        tab.goto(f"/login/{doors.sign_in_link()}")
        tab.get_by_role("button", name=say("accounts.use.button")).click()
        tab.wait_for_url("**/login/code")
        tab.get_by_role("button", name=say("account.passkeys.use_button")).click()
        tab.wait_for_url("**/desk/**")

        tab.goto("/account")
        tab.click(f"summary:has-text('{say('account.passkeys.remove')}')")
        tab.get_by_role("button", name=say("account.passkeys.remove_button")).click()
        tab.wait_for_selector(f"text={say('account.passkeys.none')}")
        tab.get_by_role("button", name=say("desk.sign_out")).click()
        tab.get_by_role("button", name=say("account.passkeys.use_button")).click()
        tab.wait_for_selector(f"text={say('refused.passkey_wrong')}")
