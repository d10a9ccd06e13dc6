"""JSON as REST answers are written; bodies are read by ``core.rest_fields.read``."""

from rest_framework.renderers import JSONRenderer


class JsonRenderer(JSONRenderer):
    """JSON with its charset named, as Pocket ID does."""

    charset = "utf-8"
