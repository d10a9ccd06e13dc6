"""A person at a browser of their own."""

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.support.troubles import Troubles
from tests.support.virtual_authenticator import VirtualAuthenticator

TIMEOUT_MS = 10_000


class Visitor:
    """Has a page, a device that holds passkeys, and a record of what went wrong meanwhile.

    The steps wait for the page they lead to.
    """

    def __init__(self, browser: Browser, base_url: str) -> None:
        self.base_url = base_url
        self.context = browser.new_context(base_url=base_url, locale="en-US", viewport={"width": 1280, "height": 900})
        self.context.set_default_timeout(TIMEOUT_MS)
        self.troubles = Troubles(self.context, base_url)
        self.page: Page = self.context.new_page()
        self.device = VirtualAuthenticator(self.page)

    def close(self) -> list[str]:
        """The troubles there were."""
        if not self.page.is_closed():
            self.page.evaluate("0")  # a round trip: what the browser reported before has then arrived
        self.context.close()
        return self.troubles.found()

    def set_up(self, *, username: str = "alice") -> None:
        """Become the first administrator, with a passkey on this device."""
        self.page.goto("/setup")
        for name, value in {
            "username": username,
            "first_name": "Alice",
            "last_name": "Example",
            "email": f"{username}@example.org",
        }.items():
            self.page.fill(f'input[name="{name}"]', value)
        self.press("setup-submit")
        self.wait_for("/signup/add-passkey")
        self.press("passkey-add")
        self.wait_for("/settings/account")

    def sign_in(self, path: str = "/settings/account") -> None:
        """Go to ``path`` by way of the sign-in page."""
        self.page.goto("/login?redirect=" + path)
        self.press("passkey-sign-in")
        self.wait_for(path)

    def sign_out(self) -> None:
        self.page.goto("/settings/account")
        self.press("sign-out")
        self.wait_for("/signed-out")

    def press(self, action: str) -> None:
        """Click what has ``data-action``."""
        self.page.click(f'[data-action="{action}"]')

    def wait_for(self, path: str) -> None:
        """Until the page is ``path`` of the server; a query of its own does not matter."""
        self.page.wait_for_url(lambda url: url.split("?")[0] == self.base_url + path)

    def expect_passkey_message(self, text: str) -> None:
        """The calm sentence below the passkey button."""
        expect(self.page.locator("[data-passkey-status]")).to_contain_text(text)

    def screenshot(self, path: Path) -> Path:
        self.page.screenshot(path=path, full_page=True)
        return path
