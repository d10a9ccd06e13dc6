"""How REST answers are written."""

from rest_framework.renderers import JSONRenderer


class JsonRenderer(JSONRenderer):
    """JSON with its charset named, as Pocket ID does."""

    charset = "utf-8"
