"""CVAT's JSON has a media type of its own; a client that asks for another one alone gets a 406."""

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import JSONRenderer


class CvatRenderer(JSONRenderer):
    media_type = "application/vnd.cvat+json"


class CvatNegotiation(DefaultContentNegotiation):
    """Any body is read as JSON."""

    def select_parser(self, request, parsers):
        return parsers[0]
