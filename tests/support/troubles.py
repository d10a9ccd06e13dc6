"""What goes wrong in a browser without anybody seeing it: console errors, CSP violations, failed answers."""

from playwright.sync_api import BrowserContext, ConsoleMessage, Response, WebError

REPORT_VIOLATIONS = """document.addEventListener("securitypolicyviolation", (event) =>
    reportViolation(`${event.violatedDirective} blocked ${event.blockedURI || "inline"} on ${event.documentURI}`))"""


class Troubles:
    """Listens to every page of a context from its beginning."""

    def __init__(self, context: BrowserContext) -> None:
        self._found: list[str] = []
        self._expected: list[str] = []
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("response", self._response)
        context.expose_function("reportViolation", lambda text: self._found.append(f"content security policy: {text}"))
        context.add_init_script(REPORT_VIOLATIONS)

    def expect(self, part: str) -> None:
        """Do not count what contains ``part``."""
        self._expected.append(part)

    def found(self) -> list[str]:
        return [each for each in self._found if not any(part in each for part in self._expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._found.append(f"console {message.type}: {message.text} ({message.location.get('url', '')})")

    def _error(self, error: WebError) -> None:
        self._found.append(f"uncaught: {error.error}")

    def _response(self, response: Response) -> None:
        if response.status >= 500:  # noqa: PLR2004 - the server's own fault
            self._found.append(f"{response.status} from {response.url}")
