"""What goes wrong in a browser without anybody seeing it: console errors, CSP violations, failed answers."""

from playwright.sync_api import BrowserContext, ConsoleMessage, Response, WebError

REPORT_VIOLATIONS = """document.addEventListener("securitypolicyviolation", (event) =>
    reportViolation(event.documentURI, `${event.violatedDirective} blocked ${event.blockedURI || "inline"}`))"""


class Troubles:
    """Listens to every page of a context that comes from ``base_url``; other servers may do as they like."""

    def __init__(self, context: BrowserContext, base_url: str) -> None:
        self._base_url = base_url
        self._found: list[str] = []
        self._expected: list[str] = []
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("response", self._response)
        context.expose_function("reportViolation", self._violation)
        context.add_init_script(REPORT_VIOLATIONS)

    def expect(self, part: str) -> None:
        """Do not count what contains ``part``."""
        self._expected.append(part)

    def found(self) -> list[str]:
        return [each for each in self._found if not any(part in each for part in self._expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._add(message.location.get("url", ""), f"console {message.type}: {message.text}")

    def _error(self, error: WebError) -> None:
        self._add(error.page.url if error.page else "", f"uncaught: {error.error}")

    def _response(self, response: Response) -> None:
        if response.status >= 500:
            self._add(response.url, f"answered {response.status}")

    def _violation(self, url: str, text: str) -> None:
        self._add(url, f"content security policy: {text}")

    def _add(self, url: str, text: str) -> None:
        # The console does not always know where a message comes from; then it counts.
        if not url or url.startswith(self._base_url + "/"):
            self._found.append(f"{url}: {text}")
