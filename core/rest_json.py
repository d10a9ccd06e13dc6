"""JSON as REST answers are written; bodies are read by ``core.rest_fields.read``."""

from collections.abc import Iterable

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request


class JsonRenderer(JSONRenderer):
    """JSON with its charset named, as Pocket ID does."""

    charset = "utf-8"


class JsonWhateverIsAccepted(DefaultContentNegotiation):
    """The API speaks JSON: what ``Accept`` asks for changes nothing, as with Pocket ID."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)
